/* SPDX-License-Identifier: MIT */
#ifndef X86_BOOT_ACPI_H
#define X86_BOOT_ACPI_H

/* Fills `platform` (x86/cpu/platform.h) from the ACPI tables. Needs the boot page tables. */
void acpi_parse(void);

#endif
