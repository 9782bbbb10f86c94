/* SPDX-License-Identifier: MIT */
#ifndef X86_BOOT_ACPI_H
#define X86_BOOT_ACPI_H

/* Fills struct platform_info (x86/cpu/platform.h). Needs the boot page tables. */
void acpi_parse(void);

#endif
