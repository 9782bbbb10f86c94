/* SPDX-License-Identifier: MIT */
#ifndef X86_BOOT_EFI_H
#define X86_BOOT_EFI_H

#include "x86/boot/boot_memory.h"

/*
 * Keeps what Domain-0 asks about UEFI (arch_efi_info). addr: the machine address of the 64-bit
 * system table, 0: the machine was not booted by UEFI.
 */
void efi_read_system_table(u64 addr, boot_memory_fn *memory);
/*
 * Keeps UEFI's memory map for arch_efi_memory: size bytes of entries of entry_size bytes each, in
 * any order. Entries that are damaged are left out, and those for which there is no room.
 */
void efi_read_memory_map(const u8 *entries, size_t size, size_t entry_size);

#endif
