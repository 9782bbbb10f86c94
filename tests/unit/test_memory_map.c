/* SPDX-License-Identifier: MIT */
/*
 * Memory maps of odd machines, each as firmware or a boot loader was seen to report it: what the
 * hypervisor takes for RAM, and that nothing else ever is.
 */
/* links: hypervisor/x86/boot/memory_map.c */
#include "x86/boot/memory_map.h"

#include "hv/config.h"
#include "hv/console.h"
#include "unit.h"
#include "x86/boot/sections.h"

unsigned long image_phys = IMAGE_PHYS;
static unsigned int warnings;

void hv_log(enum loglevel level, const char *fmt, ...)
{
	warnings += level == LOG_WARN;
}

struct entry {
	u64 start, end;
	u32 type;
};

static void report(const struct entry *e, unsigned int nr)
{
	boot_memory_map.nr = 0;
	warnings = 0;
	for (unsigned int i = 0; i < nr; i++)
		memory_map_add(e[i].start, e[i].end - e[i].start, e[i].type);
	memory_map_sanitize();
}

static void expect(const struct entry *e, unsigned int nr)
{
	assert_int_equal(boot_memory_map.nr, nr);
	for (unsigned int i = 0; i < nr; i++) {
		assert_int_equal(boot_memory_map.e[i].start, e[i].start);
		assert_int_equal(boot_memory_map.e[i].start + boot_memory_map.e[i].size, e[i].end);
		assert_int_equal(boot_memory_map.e[i].type, e[i].type);
	}
}

#define REPORT(...)                                               \
	do {                                                      \
		static const struct entry in[] = { __VA_ARGS__ }; \
		report(in, ARRAY_SIZE(in));                       \
	} while (0)
#define EXPECT(...)                                                \
	do {                                                       \
		static const struct entry out[] = { __VA_ARGS__ }; \
		expect(out, ARRAY_SIZE(out));                      \
	} while (0)

/* A BIOS that reports the whole of RAM, and then what it keeps of it. */
static void reserved_inside_ram(void **state)
{
	REPORT({ 0, 0xa0000, E820_RAM }, { 0x100000, 0x40000000, E820_RAM },
	       { 0x9c000, 0x9c800, E820_RESERVED }, { 0x3f000000, 0x3f800000, E820_NVS });
	EXPECT({ 0, 0x9c000, E820_RAM }, { 0x9c000, 0x9c800, E820_RESERVED },
	       { 0x9c800, 0xa0000, E820_RAM }, { 0x100000, 0x3f000000, E820_RAM },
	       { 0x3f000000, 0x3f800000, E820_NVS }, { 0x3f800000, 0x40000000, E820_RAM });
}

/* Pieces above 4 GiB first, then the first MiB, then the rest. */
static void unsorted(void **state)
{
	REPORT({ 0x100000000, 0x440000000, E820_RAM }, { 0, 0x9fc00, E820_RAM },
	       { 0xfec00000, 0xfec01000, E820_RESERVED }, { 0x100000, 0x80000000, E820_RAM });
	EXPECT({ 0, 0x9fc00, E820_RAM }, { 0x100000, 0x80000000, E820_RAM },
	       { 0xfec00000, 0xfec01000, E820_RESERVED }, { 0x100000000, 0x440000000, E820_RAM });
}

static void entries_of_no_length(void **state)
{
	REPORT({ 0, 0x9f000, E820_RAM }, { 0x9f000, 0x9f000, E820_RESERVED },
	       { 0, 0, E820_UNUSABLE }, { 0x100000, 0x200000, E820_RAM });
	EXPECT({ 0, 0x9f000, E820_RAM }, { 0x100000, 0x200000, E820_RAM });
}

/* The same list twice, by a boot loader that asked twice. */
static void duplicates(void **state)
{
	REPORT({ 0, 0x9f000, E820_RAM }, { 0x100000, 0x200000, E820_RAM },
	       { 0x200000, 0x300000, E820_ACPI }, { 0, 0x9f000, E820_RAM },
	       { 0x100000, 0x200000, E820_RAM }, { 0x200000, 0x300000, E820_ACPI });
	EXPECT({ 0, 0x9f000, E820_RAM }, { 0x100000, 0x200000, E820_RAM },
	       { 0x200000, 0x300000, E820_ACPI });
}

/* All memory but the first MiB lies above 4 GiB. */
static void ram_above_4g_only(void **state)
{
	REPORT({ 0, 0xa0000, E820_RAM }, { 0x100000000, 0x200000000, E820_RAM },
	       { 0x80000000, 0x100000000, E820_RESERVED });
	EXPECT({ 0, 0xa0000, E820_RAM }, { 0x80000000, 0x100000000, E820_RESERVED },
	       { 0x100000000, 0x200000000, E820_RAM });
	assert_true(memory_map_is_type(0x180000000, 0x180001000, E820_RAM));
	assert_false(memory_map_is_type(0x1ffffffff, 0x200000001, E820_RAM));
}

/* Three claims to one piece: the least usable type wins, whatever the order. */
static void three_types_for_one_piece(void **state)
{
	REPORT({ 0x7f000000, 0x80000000, E820_RESERVED }, { 0x100000, 0x80000000, E820_RAM },
	       { 0x7e000000, 0x7f800000, E820_ACPI }, { 0x7e800000, 0x7f100000, E820_NVS });
	EXPECT({ 0x100000, 0x7e000000, E820_RAM }, { 0x7e000000, 0x7e800000, E820_ACPI },
	       { 0x7e800000, 0x7f000000, E820_NVS }, { 0x7f000000, 0x80000000, E820_RESERVED });
}

/* Persistent memory is type 7 or 12, and a maker's own types begin at 0xf0000000. */
static void unknown_types_are_not_ram(void **state)
{
	REPORT({ 0x100000, 0x40000000, E820_RAM }, { 0x20000000, 0x20001000, 12 },
	       { 0x30000000, 0x30001000, 0xfffffff0 }, { 0x38000000, 0x38001000, 0 });
	EXPECT({ 0x100000, 0x20000000, E820_RAM }, { 0x20000000, 0x20001000, 12 },
	       { 0x20001000, 0x30000000, E820_RAM }, { 0x30000000, 0x30001000, 0xfffffff0 },
	       { 0x30001000, 0x38000000, E820_RAM }, { 0x38000000, 0x38001000, 0 },
	       { 0x38001000, 0x40000000, E820_RAM });
}

/* Reserved "to the end": start plus length is 2^64, or more. */
static void entries_beyond_all_memory(void **state)
{
	boot_memory_map.nr = 0;
	memory_map_add(0x100000, 0x100000, E820_RAM);
	memory_map_add(0xfd00000000, 0 - 0xfd00000000UL, E820_RESERVED);
	memory_map_add(0xfe00000000, ~0UL, E820_UNUSABLE);
	memory_map_add(1UL << 60, 0x1000, E820_RAM);
	memory_map_sanitize();
	EXPECT({ 0x100000, 0x200000, E820_RAM }, { 0xfd00000000, 0xfe00000000, E820_RESERVED },
	       { 0xfe00000000, 1UL << 52, E820_UNUSABLE });
}

/* UEFI has a descriptor for each use: several hundred, of which many are RAM side by side. */
static void hundreds_of_pieces_of_ram(void **state)
{
	warnings = 0;
	boot_memory_map.nr = 0;
	for (u64 i = 0; i < 5000; i++)
		memory_map_add(0x100000 + i * 0x3000, 0x3000, E820_RAM);
	memory_map_sanitize();
	EXPECT({ 0x100000, 0x100000 + 5000 * 0x3000, E820_RAM });
	assert_int_equal(warnings, 0);
}

static void hundreds_of_holes(void **state)
{
	warnings = 0;
	boot_memory_map.nr = 0;
	for (u64 i = 0; i < 400; i++)
		memory_map_add(0x100000 + i * 0x20000, 0x20000, i % 2 ? E820_RAM : E820_RESERVED);
	memory_map_sanitize();
	assert_int_equal(boot_memory_map.nr, 400);
	assert_int_equal(warnings, 0);
	for (u64 i = 0; i < 400; i++)
		assert_true(memory_map_is_type(0x100000 + i * 0x20000, 0x120000 + i * 0x20000,
					       i % 2 ? E820_RAM : E820_RESERVED));
}

/* --- pieces for the allocator --- */

static struct entry pieces[32];
static unsigned int nr_pieces;

static void keep_piece(paddr_t start, paddr_t end)
{
	assert_true(nr_pieces < ARRAY_SIZE(pieces));
	pieces[nr_pieces++] = (struct entry){ start, end, E820_RAM };
}

/* Bounds in the middle of a page, and RAM of less than a page: only whole pages are RAM. */
static void only_whole_pages(void **state)
{
	REPORT({ 0x100000, 0x1f0c00, E820_RAM }, { 0x1f0c00, 0x1f1000, E820_RESERVED },
	       { 0x300400, 0x300c00, E820_RAM }, { 0x400001, 0x402fff, E820_RAM });
	nr_pieces = 0;
	memory_map_for_each_free(keep_piece);
	assert_int_equal(nr_pieces, 2);
	assert_int_equal(pieces[0].start, 0x100000);
	assert_int_equal(pieces[0].end, 0x1f0000);
	assert_int_equal(pieces[1].start, 0x401000);
	assert_int_equal(pieces[1].end, 0x402000);
}

/* --- the page that starts processors --- */

static void low_page_of_a_pc(void **state)
{
	REPORT({ 0, 0x9fc00, E820_RAM }, { 0x9fc00, 0xa0000, E820_RESERVED });
	assert_int_equal(memory_map_find_low_page(), 0x8000);
}

/* Firmware that keeps everything up to 0x57fff for itself, as some UEFI machines do. */
static void low_page_beside_firmware(void **state)
{
	REPORT({ 0, 0xa0000, E820_RAM }, { 0x1000, 0x58000, E820_NVS });
	assert_int_equal(memory_map_find_low_page(), 0x58000);
}

static void low_page_below_the_usual_one(void **state)
{
	REPORT({ 0, 0x3800, E820_RAM }, { 0x100000, 0x200000, E820_RAM });
	assert_int_equal(memory_map_find_low_page(), 0x1000);
}

static void low_page_does_not_exist(void **state)
{
	REPORT({ 0, 0x1000, E820_RAM }, { 0x1000, 0xa0000, E820_RESERVED },
	       { 0xa0000, 0x200000, E820_RAM });
	assert_int_equal(memory_map_find_low_page(), 0);
}

/* The last tests: what is reserved stays so. */
static void low_page_beside_the_loaders_data(void **state)
{
	memory_map_reserve(0x7e00, 0x8010);
	memory_map_reserve(0x9000, 0xb234);
	REPORT({ 0, 0x9fc00, E820_RAM });
	assert_int_equal(memory_map_find_low_page(), 0xc000);
}

static void what_does_not_fit_is_said(void **state)
{
	warnings = 0;
	boot_memory_map.nr = 0;
	for (u64 i = 0; i < MEMORY_MAP_MAX + 10; i++)
		memory_map_add(0x100000 + i * 0x4000, 0x2000, E820_RAM);
	memory_map_sanitize();
	assert_int_equal(boot_memory_map.nr, MEMORY_MAP_MAX);
	assert_int_equal(warnings, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reserved_inside_ram),
		cmocka_unit_test(unsorted),
		cmocka_unit_test(entries_of_no_length),
		cmocka_unit_test(duplicates),
		cmocka_unit_test(ram_above_4g_only),
		cmocka_unit_test(three_types_for_one_piece),
		cmocka_unit_test(unknown_types_are_not_ram),
		cmocka_unit_test(entries_beyond_all_memory),
		cmocka_unit_test(hundreds_of_pieces_of_ram),
		cmocka_unit_test(hundreds_of_holes),
		cmocka_unit_test(only_whole_pages),
		cmocka_unit_test(low_page_of_a_pc),
		cmocka_unit_test(low_page_beside_firmware),
		cmocka_unit_test(low_page_below_the_usual_one),
		cmocka_unit_test(low_page_does_not_exist),
		cmocka_unit_test(low_page_beside_the_loaders_data),
		cmocka_unit_test(what_does_not_fit_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
