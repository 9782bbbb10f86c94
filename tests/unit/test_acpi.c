/* SPDX-License-Identifier: MIT */
/*
 * ACPI tables of odd machines, made after public reports of such firmware. Each table lies in
 * memory of exactly its size, so AddressSanitizer sees every byte that is read beyond it.
 */
/* links: hypervisor/x86/boot/acpi.c hypervisor/x86/boot/acpi_tables.c */
#include "x86/boot/acpi.h"

#include <stdlib.h>
#include <string.h>
#include "hv/console.h"
#include "unit.h"
#include "x86/cpu/platform.h"

static unsigned int warnings;

void hv_log(enum loglevel level, const char *fmt, ...)
{
	warnings += level == LOG_WARN;
}

/* --- a machine's memory --- */

static struct {
	u64 addr;
	size_t size;
	u8 *bytes;
} pieces[64];
static unsigned int nr_pieces;

static u8 *memory_put(u64 addr, size_t size)
{
	assert_true(nr_pieces < ARRAY_SIZE(pieces));
	pieces[nr_pieces].addr = addr;
	pieces[nr_pieces].size = size;
	pieces[nr_pieces].bytes = calloc(1, size);
	return pieces[nr_pieces++].bytes;
}

static const void *memory_at(u64 addr, size_t size)
{
	for (unsigned int i = 0; i < nr_pieces; i++)
		if (addr >= pieces[i].addr && addr - pieces[i].addr < pieces[i].size)
			return size <= pieces[i].size - (addr - pieces[i].addr) ?
				       pieces[i].bytes + (addr - pieces[i].addr) :
				       NULL;
	return NULL;
}

static int new_machine(void **state)
{
	memset(&platform, 0, sizeof(platform));
	warnings = 0;
	return 0;
}

static int end_machine(void **state)
{
	while (nr_pieces)
		free(pieces[--nr_pieces].bytes);
	return 0;
}

/* --- its tables --- */

static void seal(u8 *bytes, size_t size, size_t checksum_at)
{
	u8 sum = 0;

	bytes[checksum_at] = 0;
	for (size_t i = 0; i < size; i++)
		sum = (u8)(sum + bytes[i]);
	bytes[checksum_at] = (u8)-sum;
}

static u8 *table(u64 addr, const char *signature, const void *body, size_t size)
{
	u8 *t = memory_put(addr, sizeof(struct acpi_header) + size);
	struct acpi_header *h = (void *)t;

	memcpy(h->signature, signature, 4);
	h->length = (u32)(sizeof(*h) + size);
	h->revision = 1;
	if (size)
		memcpy(h + 1, body, size);
	seal(t, h->length, offsetof(struct acpi_header, checksum));
	return t;
}

static void rsdp_fill(u8 *to, u8 revision, u32 rsdt, u64 xsdt)
{
	u32 length = ACPI_RSDP_SIZE;

	memcpy(to, "RSD PTR ", 8);
	to[15] = revision;
	memcpy(to + 16, &rsdt, 4);
	seal(to, 20, 8);
	if (revision < 2)
		return;
	memcpy(to + 20, &length, 4);
	memcpy(to + 24, &xsdt, 8);
	seal(to, ACPI_RSDP_SIZE, 32);
}

static void parse_with(u8 revision, u32 rsdt, u64 xsdt)
{
	u8 rsdp[ACPI_RSDP_SIZE] = { 0 };

	rsdp_fill(rsdp, revision, rsdt, xsdt);
	acpi_parse(rsdp, memory_at);
}

#define XSDT   0x7f000000UL
#define RSDT   0x7f001000U
#define MADT   0x7f002000U
#define FADT   0x7f003000U
#define TABLE3 0x7f004000U
#define TABLE4 0x7f005000U
#define DSDT   0x7f010000U

static void xsdt(u64 a, u64 b, u64 c, u64 d)
{
	u64 list[] = { a, b, c, d };

	table(XSDT, "XSDT", list, sizeof(list));
}

static void rsdt(u32 a, u32 b)
{
	u32 list[] = { a, b };

	table(RSDT, "RSDT", list, sizeof(list));
}

/* A MADT is built entry by entry. */
static u8 madt_body[40000];
static size_t madt_size;

static void madt_begin(void)
{
	memset(madt_body, 0, 8);
	madt_size = 8;
}

static void madt_bytes(const void *bytes, size_t n)
{
	assert_true(madt_size + n <= sizeof(madt_body));
	memcpy(madt_body + madt_size, bytes, n);
	madt_size += n;
}

static void madt_lapic(u8 acpi_id, u8 apic_id, u32 flags)
{
	u8 e[8] = { 0, 8, acpi_id, apic_id };

	memcpy(e + 4, &flags, 4);
	madt_bytes(e, sizeof(e));
}

static void madt_x2apic(u32 acpi_id, u32 apic_id, u32 flags)
{
	u32 e[4] = { 9 | 16 << 8, apic_id, flags, acpi_id };

	madt_bytes(e, sizeof(e));
}

static void madt_ioapic(u8 id, u32 addr, u32 gsi_base)
{
	u32 e[3] = { 1 | 12 << 8 | (u32)id << 16, addr, gsi_base };

	madt_bytes(e, sizeof(e));
}

static void madt_override(u8 source, u32 gsi, u16 flags)
{
	u8 e[10] = { 2, 10, 0, source };

	memcpy(e + 4, &gsi, 4);
	memcpy(e + 8, &flags, 2);
	madt_bytes(e, sizeof(e));
}

static u8 *madt_end(u64 addr)
{
	return table(addr, "APIC", madt_body, madt_size);
}

static void madt_of_two_cpus(u64 addr)
{
	madt_begin();
	madt_lapic(0, 0, 1);
	madt_lapic(1, 2, 1);
	madt_ioapic(8, 0xfec00000, 0);
	madt_end(addr);
}

/* --- roots --- */

static void list_of_64_bits(void **state)
{
	madt_of_two_cpus(MADT);
	xsdt(MADT, 0, 0, 0);
	parse_with(2, 0, XSDT);
	assert_int_equal(platform.nr_cpus, 2);
	assert_int_equal(platform.cpus[1].apic_id, 2);
	assert_int_equal(platform.cpus[1].acpi_id, 1);
	assert_int_equal(platform.nr_ioapics, 1);
	assert_int_equal(warnings, 0);
}

/* ACPI 1.0: a root pointer of 20 bytes in the extended BIOS data area, and an RSDT. */
static void root_in_the_bios_data_area(void **state)
{
	u8 none[ACPI_RSDP_SIZE] = { 0 };
	u16 segment = 0x9fc0;

	memcpy(memory_put(0x400, 0x100) + 0xe, &segment, 2);
	rsdp_fill(memory_put(0x9fc00, 0x400) + 0x3c0, 0, RSDT, 0);
	madt_of_two_cpus(MADT);
	rsdt(MADT, 0);
	acpi_parse(none, memory_at);
	assert_int_equal(platform.nr_cpus, 2);
}

/* The data area is not where the BIOS says, and the ROM has the pointer. */
static void root_in_the_rom(void **state)
{
	u8 none[ACPI_RSDP_SIZE] = { 0 };

	memory_put(0x400, 0x100);
	rsdp_fill(memory_put(0xe0000, 0x20000) + 0x15970, 0, RSDT, 0);
	madt_of_two_cpus(MADT);
	rsdt(MADT, 0);
	acpi_parse(none, memory_at);
	assert_int_equal(platform.nr_cpus, 2);
}

/* The ROM holds the signature as text before the pointer itself. */
static void root_with_a_decoy(void **state)
{
	u8 none[ACPI_RSDP_SIZE] = { 0 };
	u8 *rom;

	memory_put(0x400, 0x100);
	rom = memory_put(0xe0000, 0x20000);
	memcpy(rom + 0x100, "RSD PTR in the setup's help text", 32);
	rsdp_fill(rom + 0x200, 0, RSDT, 0);
	madt_of_two_cpus(MADT);
	rsdt(MADT, 0);
	acpi_parse(none, memory_at);
	assert_int_equal(platform.nr_cpus, 2);
}

static void no_root_anywhere(void **state)
{
	u8 none[ACPI_RSDP_SIZE] = { 0 };

	acpi_parse(none, memory_at);
	assert_int_equal(platform.nr_cpus, 0);
	assert_int_equal(warnings, 1);
}

/* A loader's copy that is damaged is not used. */
static void damaged_copy_of_the_root(void **state)
{
	u8 rsdp[ACPI_RSDP_SIZE] = { 0 };

	rsdp_fill(rsdp, 2, 0xdeadb000, 0xdeadbeef000);
	rsdp[9]++;
	memory_put(0x400, 0x100);
	rsdp_fill(memory_put(0xe0000, 0x20000), 0, RSDT, 0);
	madt_of_two_cpus(MADT);
	rsdt(MADT, 0);
	acpi_parse(rsdp, memory_at);
	assert_int_equal(platform.nr_cpus, 2);
}

static void null_entries_in_the_list(void **state)
{
	madt_of_two_cpus(MADT);
	xsdt(0, 0, MADT, 0);
	parse_with(2, 0, XSDT);
	assert_int_equal(platform.nr_cpus, 2);
	assert_int_equal(warnings, 0);
}

static void list_of_nothing_but_null(void **state)
{
	madt_of_two_cpus(MADT);
	xsdt(0, 0, 0, 0);
	rsdt(0, MADT);
	parse_with(2, RSDT, XSDT);
	assert_int_equal(platform.nr_cpus, 2);
}

/* Revision 2, but the 64-bit list is missing, out of reach, or not a list. */
static void wide_list_unusable(void **state)
{
	madt_of_two_cpus(MADT);
	rsdt(MADT, 0);
	parse_with(2, RSDT, 0);
	assert_int_equal(platform.nr_cpus, 2);
	memset(&platform, 0, sizeof(platform));
	parse_with(2, RSDT, 0x8000000000);
	assert_int_equal(platform.nr_cpus, 2);
	memset(&platform, 0, sizeof(platform));
	parse_with(2, RSDT, MADT);
	assert_int_equal(platform.nr_cpus, 2);
}

/* Revision 0 with garbage where a longer root pointer has the 64-bit list. */
static void old_root_with_garbage_behind(void **state)
{
	u8 rsdp[ACPI_RSDP_SIZE];

	memset(rsdp, 0xff, sizeof(rsdp));
	rsdp_fill(rsdp, 0, RSDT, 0);
	madt_of_two_cpus(MADT);
	rsdt(MADT, 0);
	acpi_parse(rsdp, memory_at);
	assert_int_equal(platform.nr_cpus, 2);
}

static void list_with_half_an_entry(void **state)
{
	u8 body[11] = { 0 };
	u64 madt = MADT;

	memcpy(body, &madt, 8);
	memset(body + 8, 0xff, 3);
	madt_of_two_cpus(MADT);
	table(XSDT, "XSDT", body, sizeof(body));
	parse_with(2, 0, XSDT);
	assert_int_equal(platform.nr_cpus, 2);
}

/* One table lies above 4 GiB or in no memory at all, one is shorter than a header, one longer than
 * RAM. */
static void tables_out_of_reach(void **state)
{
	struct acpi_header *h;

	h = (void *)table(TABLE3, "SSDT", NULL, 0);
	h->length = 12;
	h = (void *)table(TABLE4, "OEM0", NULL, 0);
	h->length = 0x100000;
	madt_of_two_cpus(MADT);
	xsdt(0x180000000, TABLE3, TABLE4, MADT);
	parse_with(2, 0, XSDT);
	assert_int_equal(platform.nr_cpus, 2);
	assert_int_equal(warnings, 3);
}

/* --- MADT --- */

/* A wrong checksum costs a warning, not all processors but one. */
static void madt_with_a_wrong_checksum(void **state)
{
	madt_begin();
	for (unsigned int i = 0; i < 8; i++)
		madt_lapic((u8)i, (u8)i, 1);
	madt_end(MADT)[9]++;
	xsdt(MADT, 0, 0, 0);
	parse_with(2, 0, XSDT);
	assert_int_equal(platform.nr_cpus, 8);
	assert_int_equal(warnings, 1);
}

/* Sockets for 8 processors, of which two are there; one slot is said to be enabled without an ID.
 */
static void disabled_processors(void **state)
{
	madt_begin();
	madt_lapic(0, 0, 1);
	madt_lapic(1, 1, 0);
	madt_lapic(2, 2, 2); /* may be added later */
	madt_lapic(3, 0xff, 1);
	madt_lapic(4, 0xff, 0);
	madt_x2apic(5, ~0U, 1);
	madt_x2apic(6, 300, 0);
	madt_lapic(7, 7, 1);
	madt_end(MADT);
	xsdt(MADT, 0, 0, 0);
	parse_with(2, 0, XSDT);
	assert_int_equal(platform.nr_cpus, 2);
	assert_int_equal(platform.cpus[1].apic_id, 7);
}

/* APIC IDs from 255 on have entries of their own; some firmware repeats the lower ones there. */
static void both_kinds_of_processor_entries(void **state)
{
	madt_begin();
	madt_lapic(0, 0, 1);
	madt_lapic(1, 1, 1);
	madt_x2apic(0, 0, 1);
	madt_x2apic(1, 1, 1);
	madt_x2apic(300, 0x200, 1);
	madt_end(MADT);
	xsdt(MADT, 0, 0, 0);
	parse_with(2, 0, XSDT);
	assert_int_equal(platform.nr_cpus, 3);
	assert_int_equal(platform.cpus[2].apic_id, 0x200);
	assert_int_equal(platform.cpus[2].acpi_id, 300);
}

static void two_madts(void **state)
{
	madt_of_two_cpus(MADT);
	madt_begin();
	madt_lapic(0, 0, 1);
	madt_lapic(1, 2, 1);
	madt_lapic(2, 4, 1);
	madt_ioapic(8, 0xfec00000, 0);
	madt_end(TABLE3);
	xsdt(MADT, TABLE3, MADT, 0);
	parse_with(2, 0, XSDT);
	assert_int_equal(platform.nr_cpus, 3);
	assert_int_equal(platform.nr_ioapics, 1);
}

/* An entry without length would be read for ever; what comes before it counts. */
static void madt_entry_without_length(void **state)
{
	madt_begin();
	madt_lapic(0, 0, 1);
	madt_bytes("\x00\x00\x00\x00", 4);
	madt_lapic(1, 1, 1);
	madt_end(MADT);
	xsdt(MADT, 0, 0, 0);
	parse_with(2, 0, XSDT);
	assert_int_equal(platform.nr_cpus, 1);
	assert_int_equal(warnings, 1);
}

static void madt_ends_in_an_entry(void **state)
{
	madt_begin();
	madt_lapic(0, 0, 1);
	madt_bytes("\x09\x10\x00\x00\x01\x00", 6);
	madt_end(MADT);
	xsdt(MADT, 0, 0, 0);
	parse_with(2, 0, XSDT);
	assert_int_equal(platform.nr_cpus, 1);
	assert_int_equal(warnings, 1);
}

/* Entries shorter than their type are passed over: their fields are the next entry's. */
static void madt_entries_too_short(void **state)
{
	madt_begin();
	madt_bytes("\x00\x04\x01\x01", 4); /* a local APIC without flags */
	madt_bytes("\x09\x08\x00\x00\x05\x00\x00\x00", 8);
	madt_bytes("\x01\x06\x01\x00\x00\x10", 6); /* an I/O APIC with half an address */
	madt_bytes("\x02\x04\x00\x00", 4);
	madt_lapic(1, 1, 1);
	madt_end(MADT);
	xsdt(MADT, 0, 0, 0);
	parse_with(2, 0, XSDT);
	assert_int_equal(platform.nr_cpus, 1);
	assert_int_equal(platform.cpus[0].apic_id, 1);
	assert_int_equal(platform.nr_ioapics, 0);
	assert_false(platform.overrides[0].present);
}

/* Types of other architectures, of later versions, and a maker's own. */
static void madt_entries_unknown(void **state)
{
	madt_begin();
	madt_bytes("\x0b\x03\x01", 3);
	madt_bytes("\x85\x06\x01\x02\x03\x04", 6);
	madt_bytes("\x04\x06\x00\x05\x00\x01", 6);
	madt_lapic(1, 1, 1);
	madt_end(MADT);
	xsdt(MADT, 0, 0, 0);
	parse_with(2, 0, XSDT);
	assert_int_equal(platform.nr_cpus, 1);
	assert_int_equal(warnings, 0);
}

static void madt_without_entries(void **state)
{
	madt_begin();
	madt_end(MADT);
	table(TABLE3, "APIC", NULL, 0); /* not even the address of the local APIC */
	xsdt(MADT, TABLE3, 0, 0);
	parse_with(2, 0, XSDT);
	assert_int_equal(platform.nr_cpus, 0);
}

static void huge_machine(void **state)
{
	madt_begin();
	for (u32 i = 0; i < HV_MAX_CPUS + 100; i++)
		madt_x2apic(i, i, 1);
	for (u32 i = 0; i < 140; i++)
		madt_ioapic((u8)i, 0xfec00000 + i * 0x1000, i * 24);
	madt_end(MADT);
	xsdt(MADT, 0, 0, 0);
	parse_with(2, 0, XSDT);
	assert_int_equal(platform.nr_cpus, HV_MAX_CPUS);
	assert_int_equal(platform.nr_ioapics, ARRAY_SIZE(platform.ioapics));
	assert_int_equal(warnings, 2);
}

static void overrides_of_isa_interrupts(void **state)
{
	madt_begin();
	madt_override(0, 2, 0);
	madt_override(9, 9, 0xd);
	madt_override(200, 20, 0);
	madt_end(MADT);
	xsdt(MADT, 0, 0, 0);
	parse_with(2, 0, XSDT);
	assert_true(platform.overrides[0].present);
	assert_int_equal(platform.overrides[0].gsi, 2);
	assert_int_equal(platform.overrides[9].flags, 0xd);
	assert_false(platform.overrides[1].present);
}

/* --- FADT and DSDT --- */

static void set32(u8 *t, size_t at, u32 value)
{
	memcpy(t + at, &value, 4);
}

static void set64(u8 *t, size_t at, u64 value)
{
	memcpy(t + at, &value, 8);
}

static u8 *fadt(size_t length)
{
	static const u8 zeros[300];
	u8 *t = table(FADT, "FACP", zeros, length - sizeof(struct acpi_header));

	t[46] = 9; /* SCI */
	return t;
}

static const u8 dsdt_s5[] = "\x10\x05\\_SB_\x08_S5_\x12\x08\x04\x0a\x05\x0a\x07\x00\x00";

static void parse_fadt(u8 *t)
{
	seal(t, ((struct acpi_header *)t)->length, offsetof(struct acpi_header, checksum));
	xsdt(FADT, 0, 0, 0);
	parse_with(2, 0, XSDT);
}

/* ACPI 1.0: 116 bytes, no reset register. */
static void fadt_of_the_first_version(void **state)
{
	u8 *t = fadt(116);

	set32(t, 40, DSDT);
	set32(t, 64, 0x404);
	set32(t, 76, 0x408);
	set32(t, 112, BIT(10));
	table(DSDT, "DSDT", dsdt_s5, sizeof(dsdt_s5) - 1);
	parse_fadt(t);
	assert_true(platform.has_fadt);
	assert_int_equal(platform.pm1a_cnt, 0x404);
	assert_int_equal(platform.pm_timer, 0x408);
	assert_int_equal(platform.sci_irq, 9);
	assert_false(platform.has_reset_reg);
	assert_true(platform.has_s5);
	assert_int_equal(platform.s5_typ_a, 5);
	assert_int_equal(platform.s5_typ_b, 7);
}

/* Only the fields of 64 bits are filled in. */
static void fadt_with_new_fields_only(void **state)
{
	u8 *t = fadt(244);

	set64(t, 140, DSDT);
	t[172] = 1; /* PM1a control: I/O space */
	set64(t, 176, 0x1804);
	t[208] = 0; /* PM timer: in memory, which we do not use */
	set64(t, 212, 0xfed00000);
	set32(t, 112, BIT(10));
	t[116] = 1;
	set64(t, 120, 0xcf9);
	t[128] = 6;
	table(DSDT, "DSDT", dsdt_s5, sizeof(dsdt_s5) - 1);
	parse_fadt(t);
	assert_int_equal(platform.pm1a_cnt, 0x1804);
	assert_int_equal(platform.pm_timer, 0);
	assert_true(platform.has_s5);
	assert_true(platform.has_reset_reg);
	assert_int_equal(platform.reset_reg.address, 0xcf9);
	assert_int_equal(platform.reset_value, 6);
}

/* The 64-bit address of the DSDT is garbage, the old one is right. */
static void fadt_with_two_dsdts(void **state)
{
	u8 *t = fadt(244);

	set32(t, 40, DSDT);
	set64(t, 140, 0xffffffff7f010000);
	table(DSDT, "DSDT", dsdt_s5, sizeof(dsdt_s5) - 1);
	parse_fadt(t);
	assert_true(platform.has_s5);
}

static void fadt_truncated(void **state)
{
	u8 *t = fadt(80);

	set32(t, 64, 0x404);
	parse_fadt(t);
	assert_false(platform.has_fadt);
	assert_int_equal(platform.pm1a_cnt, 0);
	assert_int_equal(warnings, 1);
}

static void s5(const char *aml, size_t size)
{
	u8 *t = fadt(116);

	set32(t, 40, DSDT);
	table(DSDT, "DSDT", aml, size);
	parse_fadt(t);
}

/* The shortest package, in the last bytes of the DSDT. */
static void s5_at_the_end(void **state)
{
	s5("\x08_S5_\x12\x06\x02\x01\x00", 10);
	assert_true(platform.has_s5);
	assert_int_equal(platform.s5_typ_a, 1);
	assert_int_equal(platform.s5_typ_b, 0);
}

static void s5_with_a_long_package(void **state)
{
	s5("\x08\\_S5_\x12\x4a\x00\x04\x0a\x03\x0a\x03\x00\x00", 16);
	assert_true(platform.has_s5);
	assert_int_equal(platform.s5_typ_a, 3);
}

static void s5_cut_off(void **state)
{
	s5("\x08_S5_\x12\xca\x00\x00\x00", 10);
	assert_false(platform.has_s5);
}

static void s5_is_only_mentioned(void **state)
{
	s5("\x5b\x80_S5_\x12\x06\x04\x0a\x05\x0a\x05\x00\x00", 15);
	assert_false(platform.has_s5);
}

/* --- HPET and MCFG --- */

static void hpet_body(u8 *body, u8 space, u64 addr)
{
	memset(body, 0, 20);
	body[4] = space;
	memcpy(body + 8, &addr, 8);
}

static void hpets(void **state)
{
	u8 body[20];

	hpet_body(body, 1, 0x1000);
	table(TABLE3, "HPET", body, sizeof(body)); /* in I/O space */
	hpet_body(body, 0, 0xfed00000);
	table(TABLE4, "HPET", body, sizeof(body));
	table(FADT, "HPET", body, 10); /* too short */
	hpet_body(body, 0, 0xfed01000);
	table(MADT, "HPET", body, sizeof(body)); /* a second one */
	xsdt(TABLE3, FADT, TABLE4, MADT);
	parse_with(2, 0, XSDT);
	assert_int_equal(platform.hpet_addr, 0xfed00000);
}

static void no_hpet(void **state)
{
	madt_of_two_cpus(MADT);
	xsdt(MADT, 0, 0, 0);
	parse_with(2, 0, XSDT);
	assert_int_equal(platform.hpet_addr, 0);
}

static void mcfg_entry(u8 *to, u64 addr, u16 segment, u8 first, u8 last)
{
	memset(to, 0, 16);
	memcpy(to, &addr, 8);
	memcpy(to + 8, &segment, 2);
	to[10] = first;
	to[11] = last;
}

static void mcfg_entries(void **state)
{
	u8 body[8 + 20 * 16 + 5] = { 0 };

	mcfg_entry(body + 8, 0, 0, 0, 255);
	mcfg_entry(body + 24, 0xe0000000, 0, 64, 0);
	for (u16 i = 0; i < 18; i++)
		mcfg_entry(body + 40 + i * 16, 0x8000000000 + i * 0x10000000UL, i, 0, 127);
	table(TABLE3, "MCFG", body, sizeof(body));
	xsdt(TABLE3, 0, 0, 0);
	parse_with(2, 0, XSDT);
	assert_int_equal(platform.nr_mcfg, ARRAY_SIZE(platform.mcfg));
	assert_int_equal(platform.mcfg[1].segment, 1);
	assert_int_equal(platform.mcfg[1].end_bus, 127);
	assert_int_equal(warnings, 1);
}

static void mcfg_without_its_reserved_field(void **state)
{
	table(TABLE3, "MCFG", NULL, 0);
	xsdt(TABLE3, 0, 0, 0);
	parse_with(2, 0, XSDT);
	assert_int_equal(platform.nr_mcfg, 0);
}

/* --- whatever may be written there --- */

static void any_bytes(void **state)
{
	u64 seed = UNIT_SEED;

	for (unsigned int round = 0; round < 20000; round++) {
		u8 *t = fadt(244);

		memset(&platform, 0, sizeof(platform));
		set32(t, 40, DSDT);
		set64(t, 140, DSDT);
		table(DSDT, "DSDT", dsdt_s5, sizeof(dsdt_s5) - 1);
		madt_of_two_cpus(MADT);
		xsdt(FADT, MADT, RSDT, 0);
		rsdt(MADT, FADT);
		for (unsigned int i = 0; i < 3; i++) {
			unsigned int n = (unsigned int)(unit_random(&seed) % nr_pieces);

			pieces[n].bytes[unit_random(&seed) % pieces[n].size] =
				(u8)unit_random(&seed);
		}
		parse_with(2, RSDT, XSDT);
		end_machine(state);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, new_machine, end_machine)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(list_of_64_bits),
		T(root_in_the_bios_data_area),
		T(root_in_the_rom),
		T(root_with_a_decoy),
		T(no_root_anywhere),
		T(damaged_copy_of_the_root),
		T(null_entries_in_the_list),
		T(list_of_nothing_but_null),
		T(wide_list_unusable),
		T(old_root_with_garbage_behind),
		T(list_with_half_an_entry),
		T(tables_out_of_reach),
		T(madt_with_a_wrong_checksum),
		T(disabled_processors),
		T(both_kinds_of_processor_entries),
		T(two_madts),
		T(madt_entry_without_length),
		T(madt_ends_in_an_entry),
		T(madt_entries_too_short),
		T(madt_entries_unknown),
		T(madt_without_entries),
		T(huge_machine),
		T(overrides_of_isa_interrupts),
		T(fadt_of_the_first_version),
		T(fadt_with_new_fields_only),
		T(fadt_with_two_dsdts),
		T(fadt_truncated),
		T(s5_at_the_end),
		T(s5_with_a_long_package),
		T(s5_cut_off),
		T(s5_is_only_mentioned),
		T(hpets),
		T(no_hpet),
		T(mcfg_entries),
		T(mcfg_without_its_reserved_field),
		T(any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
