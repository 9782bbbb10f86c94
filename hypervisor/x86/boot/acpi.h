/* SPDX-License-Identifier: MIT */
#ifndef X86_BOOT_ACPI_H
#define X86_BOOT_ACPI_H

#include "x86/boot/boot_memory.h"

#define ACPI_RSDP_SIZE 36

/*
 * Fills `platform` (x86/cpu/platform.h) from the ACPI tables. loader_rsdp: ACPI_RSDP_SIZE bytes,
 * the loader's copy of the root pointer, or zeros; then it is searched for where a BIOS puts it.
 */
void acpi_parse(const u8 *loader_rsdp, boot_memory_fn *memory);

/* --- between acpi.c, which finds the tables, and acpi_tables.c, which reads them --- */

struct acpi_header {
	char signature[4];
	u32 length;
	u8 revision, checksum;
	char oem_id[6], oem_table_id[8];
	u32 oem_revision, creator_id, creator_revision;
} __packed;

/*
 * The table at `addr`, all of its length within reach; NULL: there is none. A wrong checksum is
 * reported, and the table is used.
 */
const struct acpi_header *acpi_table_at(u64 addr, boot_memory_fn *memory);
/* Takes what the hypervisor needs from a table, if it needs anything. */
void acpi_read_table(const struct acpi_header *t, boot_memory_fn *memory);

#endif
