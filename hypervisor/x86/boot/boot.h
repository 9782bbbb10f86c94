/* SPDX-License-Identifier: MIT */
/* The boot loader's information, and the functions that the files of x86/boot share. */
#ifndef X86_BOOT_BOOT_H
#define X86_BOOT_BOOT_H

#include "lib/types.h"
#include "x86/boot/acpi.h"
#include "x86/boot/video.h"
#include "x86/pv/pv.h"

#define BOOT_MODULES_MAX 8

/* Holds copies of all text: the loader's own memory is not read again. */
struct boot_info {
	char loader[64];
	char cmdline[1024];
	unsigned int nr_modules;
	struct boot_module modules[BOOT_MODULES_MAX];
	char module_cmdlines[BOOT_MODULES_MAX][1024];
	u8 rsdp[ACPI_RSDP_SIZE]; /* a copy of the loader's, or zeros */
	u64 efi_system_table;	 /* machine address, 0: not booted by 64-bit UEFI */
	struct video video;
};
extern struct boot_info boot_info; /* freed with .init when Domain-0 runs */

/*
 * Fills boot_info and boot_memory_map, and reserves the memory that the loader's data uses. magic:
 * EAX, info: EBX at the entry. Needs the boot page tables (all below 4 GiB mapped 1:1).
 */
void multiboot_parse(u32 magic, u32 info);

/* Called by head.S in long mode on the boot stack. */
void __noreturn boot_main(u32 magic, u32 info);
/* In head.S: calls fn, which does not return, on the stack below `top`. */
void __noreturn boot_switch_stack(unsigned long top, void (*fn)(void));

#endif
