/* SPDX-License-Identifier: MIT */
/*
 * Finds the ACPI tables (ACPI 6.4, 5.2.5 to 5.2.8): the root pointer, the list of tables, each
 * table. Firmware is trusted, but careless. What is damaged costs as little as possible: a list
 * that cannot be used has a second one beside it, and a wrong checksum alone condemns no table,
 * since other systems boot such machines too.
 */
#include "x86/boot/acpi.h"

#include "hv/console.h"
#include "lib/string.h"
#include "x86/cpu/platform.h"

struct platform_info platform;

/* Longer ones are damaged: the longest known, DSDTs of servers, have some 100 KiB. */
#define TABLE_MAX MiB(16)

struct acpi_rsdp {
	char signature[8];
	u8 checksum;
	char oem_id[6];
	u8 revision;
	u32 rsdt;
	u32 length;
	u64 xsdt;
	u8 extended_checksum, reserved[3];
} __packed;
_Static_assert(sizeof(struct acpi_rsdp) == ACPI_RSDP_SIZE, "ACPI 5.2.5.3");
#define RSDP_V1_SIZE offsetof(struct acpi_rsdp, length)

static u8 __init sum(const void *p, size_t n)
{
	u8 s = 0;

	for (size_t i = 0; i < n; i++)
		s = (u8)(s + ((const u8 *)p)[i]);
	return s;
}

const struct acpi_header *__init acpi_table_at(u64 addr, boot_memory_fn *memory)
{
	const struct acpi_header *t = addr ? memory(addr, sizeof(*t)) : NULL;

	if (!t || t->length < sizeof(*t) || t->length > TABLE_MAX || !memory(addr, t->length))
		return NULL;
	if (sum(t, t->length))
		log_warn("ACPI table %.4s at %#lx has a wrong checksum", t->signature, addr);
	return t;
}

/* --- the root pointer --- */

static bool __init rsdp_is_valid(const struct acpi_rsdp *r)
{
	return !memcmp(r->signature, "RSD PTR ", 8) && !sum(r, RSDP_V1_SIZE);
}

static const struct acpi_rsdp *__init rsdp_in(u64 start, u64 end, boot_memory_fn *memory)
{
	for (; start < end; start += 16) {
		const struct acpi_rsdp *r = memory(start, sizeof(*r));

		if (r && rsdp_is_valid(r))
			return r;
	}
	return NULL;
}

/* ACPI 5.2.5.1: the extended BIOS data area's first KiB, then the BIOS's ROM. */
static const struct acpi_rsdp *__init find_rsdp(boot_memory_fn *memory)
{
	const volatile u16 *segment = memory(0x40e, sizeof(*segment));
	u64 ebda = segment ? (u64)*segment << 4 : 0;
	const struct acpi_rsdp *r = NULL;

	if (ebda >= 0x400 && ebda < 0xa0000)
		r = rsdp_in(ebda, ebda + 1024, memory);
	return r ? r : rsdp_in(0xe0000, 0x100000, memory);
}

/* --- the list of tables --- */

/* A list of tables at `addr` with entries of `width` bytes; NULL: not usable. */
static const struct acpi_header *__init list_at(u64 addr, const char *signature,
						boot_memory_fn *memory)
{
	const struct acpi_header *t = acpi_table_at(addr, memory);

	return t && !memcmp(t->signature, signature, 4) ? t : NULL;
}

/* Reads each table of the list. Returns how many tables there are. */
static unsigned int __init read_list(const struct acpi_header *list, size_t width,
				     boot_memory_fn *memory)
{
	unsigned int found = 0;

	for (size_t pos = sizeof(*list); pos + width <= list->length; pos += width) {
		const struct acpi_header *t;
		u64 addr = 0;

		memcpy(&addr, (const u8 *)list + pos, width);
		if (!addr)
			continue;
		t = acpi_table_at(addr, memory);
		if (!t) {
			log_warn("ACPI table at %#lx is damaged or out of reach", addr);
			continue;
		}
		found++;
		acpi_read_table(t, memory);
	}
	return found;
}

/* The list with addresses of 64 bits is the better one, if it leads to a table. */
static bool __init read_tables(const struct acpi_rsdp *rsdp, boot_memory_fn *memory)
{
	const struct acpi_header *list;

	if (rsdp->revision >= 2) {
		list = list_at(rsdp->xsdt, "XSDT", memory);
		if (list && read_list(list, sizeof(u64), memory))
			return true;
	}
	list = list_at(rsdp->rsdt, "RSDT", memory);
	return list && read_list(list, sizeof(u32), memory);
}

void __init acpi_parse(const u8 *loader_rsdp, boot_memory_fn *memory)
{
	const struct acpi_rsdp *rsdp = (const void *)loader_rsdp;

	if (!rsdp_is_valid(rsdp))
		rsdp = find_rsdp(memory);
	if (!rsdp) {
		log_warn("no ACPI tables: one processor, no I/O APIC");
		return;
	}
	if (!read_tables(rsdp, memory)) {
		log_warn("ACPI: the list of tables is damaged or out of reach");
		return;
	}
	log_info("ACPI: %u processors, %u I/O APICs, %s HPET, %u PCI segments", platform.nr_cpus,
		 platform.nr_ioapics, platform.hpet_addr ? "a" : "no", platform.nr_mcfg);
}
