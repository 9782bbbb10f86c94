/* SPDX-License-Identifier: MIT */
/*
 * UEFI's system table (UEFI 2.9, 4.3). The loader has ended the boot services. Domain-0 reads the
 * configuration tables, where ACPI's root pointer is, by itself. The hypervisor offers no run-time
 * services.
 */
#include "x86/boot/efi.h"

#include "hv/arch/control.h"
#include "hv/config.h"
#include "hv/console.h"
#include "lib/string.h"

struct efi_system_table {
	u64 signature;
	u32 revision, header_size, crc32, reserved;
	u64 vendor; /* a string of 16-bit characters */
	u32 firmware_revision, padding;
	u64 console[6];
	u64 runtime_services, boot_services;
	u64 nr_tables, tables;
};
_Static_assert(offsetof(struct efi_system_table, tables) == 112, "UEFI 2.9, 4.3.1");
#define EFI_SIGNATURE 0x5453595320494249UL /* "IBI SYST" */

struct efi_table {
	u8 guid[16];
	u64 addr;
};
_Static_assert(sizeof(struct efi_table) == 24, "UEFI 2.9, 4.6.1");
#define EFI_TABLES_MAX 1024 /* firmware has some ten; more means a damaged table */

/* UEFI 2.9, 7.2.3; entries are longer than this where a later version says more. */
struct efi_memory_descriptor {
	u32 type, padding;
	u64 start, virtual, pages, attributes;
};
_Static_assert(sizeof(struct efi_memory_descriptor) == 40, "UEFI 2.9, 7.2.3");
#define EFI_MEMORY_MAX 512 /* firmware has up to some 200, many of them neighbours of one type */

static struct efi_info info;
static bool present;
static struct efi_memory map[EFI_MEMORY_MAX];
static unsigned int nr_map;

static void __init read_vendor(u64 addr, boot_memory_fn *memory)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(info.vendor) - 1; i++) {
		const u16 *c = memory(addr + i * sizeof(*c), sizeof(*c));

		if (!c || !*c)
			return;
		info.vendor[i] = *c;
	}
}

void __init efi_read_system_table(u64 addr, boot_memory_fn *memory)
{
	const struct efi_system_table *t = addr ? memory(addr, sizeof(*t)) : NULL;

	present = false;
	memset(&info, 0, sizeof(info));
	if (!addr)
		return;
	if (!t || t->signature != EFI_SIGNATURE || !t->tables || !t->nr_tables ||
	    t->nr_tables > EFI_TABLES_MAX) {
		log_warn("UEFI's system table at %#lx is damaged or out of reach", addr);
		return;
	}
	info.config_tables = t->tables;
	info.nr_config_tables = (u32)t->nr_tables;
	info.revision = t->revision;
	info.firmware_revision = t->firmware_revision;
	if (t->vendor)
		read_vendor(t->vendor, memory);
	present = true;
	log_info("UEFI %u.%u: %u configuration tables at %#lx", info.revision >> 16,
		 (info.revision & 0xffff) / 10, info.nr_config_tables, info.config_tables);
}

static void __init keep_memory(const struct efi_memory *m)
{
	struct efi_memory *last = nr_map ? &map[nr_map - 1] : NULL;

	if (last && last->start + last->size == m->start && last->type == m->type &&
	    last->attributes == m->attributes)
		last->size += m->size;
	else if (nr_map < EFI_MEMORY_MAX)
		map[nr_map++] = *m;
}

void __init efi_read_memory_map(const u8 *entries, size_t size, size_t entry_size)
{
	nr_map = 0;
	if (entry_size < sizeof(struct efi_memory_descriptor))
		return;
	for (; size >= entry_size; entries += entry_size, size -= entry_size) {
		struct efi_memory_descriptor d;
		struct efi_memory m;

		memcpy(&d, entries, sizeof(d));
		m = (struct efi_memory){ d.start, d.pages << PAGE_SHIFT, d.attributes, d.type };
		if (d.pages && d.pages <= ~d.start >> PAGE_SHIFT)
			keep_memory(&m);
	}
}

const struct efi_memory *arch_efi_memory(u64 addr)
{
	for (unsigned int i = 0; i < nr_map; i++)
		if (addr >= map[i].start && addr - map[i].start < map[i].size)
			return &map[i];
	return NULL;
}

const struct efi_info *arch_efi_info(void)
{
	return present ? &info : NULL;
}
