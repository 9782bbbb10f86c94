/* SPDX-License-Identifier: MIT */
/* The memory layout of a new PV guest, and page tables that match it. */
/* links: toolstack/worker/build/layout.c toolstack/worker/build/tables.c */
#include "worker/build/layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "worker/build/tables.h"
#include "unit.h"

#define MIB 256ULL /* pages */

static struct kernel_info linux_kernel(void)
{
	struct kernel_info k = {
		.virt_base = 0xffffffff80000000ULL,
		.virt_start = 0xffffffff81000000ULL,
		.virt_end = 0xffffffff84000000ULL,
		.init_p2m = 0x8000000000ULL,
		.flags = KERNEL_HAS_INIT_P2M | KERNEL_MOD_START_PFN,
	};

	return k;
}

/* Like GRUB's PV image: at address 0, without optional notes. */
static struct kernel_info grub(void)
{
	struct kernel_info k = { .virt_base = 0, .virt_start = 0x100000, .virt_end = 0x180000 };

	return k;
}

static void expect_order(const struct layout *l, uint64_t kernel_end)
{
	assert_true(l->start_info >= kernel_end && l->store == l->start_info + 1 &&
		    l->console == l->store + 1);
	assert_true(l->pt == l->console + 1 && l->stack == l->pt + l->nr_pt);
	/* 512 KiB of padding, and an end at a multiple of 4 MiB. */
	assert_true(l->mapped_end >= l->stack + 1 + 128 && l->mapped_end % 1024 == 0);
}

static void linux_has_ramdisk_and_list_outside_of_what_is_mapped(void **state)
{
	struct kernel_info k = linux_kernel();
	const char *why = NULL;
	struct layout l;
	uint64_t need;

	assert_int_equal(layout_make(&l, &k, 256 * MIB, 8 << 20, &need, &why), 0);
	expect_order(&l, 64 * MIB);
	assert_true(l.start_info == 64 * MIB);
	assert_true(l.ramdisk == l.mapped_end && l.nr_ramdisk == 8 * MIB);
	assert_true(l.p2m == l.ramdisk + l.nr_ramdisk && l.nr_p2m == 128);
	assert_true(l.p2m_virt == k.init_p2m);
	assert_true(need == l.p2m + l.nr_p2m);
}

static void without_notes_all_is_mapped(void **state)
{
	struct kernel_info k = grub();
	const char *why = NULL;
	struct layout l;
	uint64_t need;

	assert_int_equal(layout_make(&l, &k, 64 * MIB, 5000, &need, &why), 0);
	expect_order(&l, 0x180);
	assert_true(l.ramdisk == 0x180 && l.nr_ramdisk == 2);
	assert_true(l.p2m == 0x182 && l.nr_p2m == 32 && l.p2m_virt == 0x182000);
	assert_true(l.start_info == 0x1a2);
}

static void too_little_memory_says_how_much_it_takes(void **state)
{
	struct kernel_info k = linux_kernel();
	const char *why = NULL;
	struct layout l;
	uint64_t need = 0;

	assert_int_equal(layout_make(&l, &k, 64 * MIB, 8 << 20, &need, &why), -ENOMEM);
	assert_true(need > 72 * MIB && need < 80 * MIB);
	assert_int_equal(layout_make(&l, &k, need, 8 << 20, &need, &why), 0);
}

static void what_does_not_fit_the_address_space_is_refused(void **state)
{
	struct kernel_info k = linux_kernel();
	const char *why = NULL;
	struct layout l;
	uint64_t need;

	assert_int_equal(layout_make(&l, &k, LAYOUT_PAGES_MAX + 1, 0, &need, &why), -EINVAL);
	assert_int_equal(layout_make(&l, &k, 1 << 20, 1ULL << 40, &need, &why), -EINVAL);
	/* A mapped ramdisk of 2 GiB would pass the end of the address space. */
	k.flags = KERNEL_HAS_INIT_P2M;
	assert_int_equal(layout_make(&l, &k, 1 << 20, 2ULL << 30, &need, &why), -EINVAL);
	/* The kernel wants its p2m list where it is itself. */
	k = linux_kernel();
	k.init_p2m = 0xffffff8000000000ULL;
	assert_int_equal(layout_make(&l, &k, 1 << 20, 0, &need, &why), -EINVAL);
	assert_non_null(why);
}

/* Finds the frame at an address; machine frame = guest frame + 1000. *writable: of the
 * last level. */
static uint64_t walk(const struct layout *l, const uint64_t *tables, uint64_t virt, int *writable)
{
	const uint64_t *table = tables;
	uint64_t entry = 0;

	for (int shift = 39; shift >= 12; shift -= 9) {
		entry = table[(virt >> shift) & 511];
		if (!(entry & 1))
			return UINT64_MAX;
		if (shift > 12)
			table = tables + ((entry >> 12 & 0xffffffffff) - 1000 - l->pt) * 512;
	}
	*writable = (entry & 2) != 0;
	return (entry >> 12 & 0xffffffffff) - 1000;
}

static void check_tables(struct kernel_info k, uint64_t nr_pages)
{
	const char *why = NULL;
	struct layout l;
	uint64_t need, *p2m, *tables;
	int writable;

	assert_int_equal(layout_make(&l, &k, nr_pages, 3 << 20, &need, &why), 0);
	p2m = malloc(nr_pages * sizeof(*p2m));
	tables = calloc(l.nr_pt, 4096);
	for (uint64_t i = 0; i < nr_pages; i++)
		p2m[i] = i + 1000;
	tables_make(&l, p2m, tables);
	for (uint64_t pfn = 0; pfn < l.mapped_end; pfn++) {
		assert_true(walk(&l, tables, layout_virt(&l, pfn), &writable) == pfn);
		assert_int_equal(writable, pfn < l.pt || pfn >= l.pt + l.nr_pt);
	}
	assert_true(walk(&l, tables, layout_virt(&l, l.mapped_end), &writable) == UINT64_MAX);
	for (uint64_t i = 0; i < l.nr_p2m; i++) {
		assert_true(walk(&l, tables, l.p2m_virt + i * 4096, &writable) == l.p2m + i);
		assert_int_equal(writable, 1);
	}
	/* No table that was counted is empty. */
	for (uint64_t i = 0; i < l.nr_pt; i++) {
		uint64_t any = 0;

		for (int j = 0; j < 512; j++)
			any |= tables[i * 512 + j];
		assert_true(any != 0);
	}
	free(tables);
	free(p2m);
}

static void tables_map_what_the_layout_says(void **state)
{
	check_tables(linux_kernel(), 256 * MIB);
	check_tables(linux_kernel(), 3000 * MIB + 77);
	check_tables(grub(), 64 * MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(linux_has_ramdisk_and_list_outside_of_what_is_mapped),
		cmocka_unit_test(without_notes_all_is_mapped),
		cmocka_unit_test(too_little_memory_says_how_much_it_takes),
		cmocka_unit_test(what_does_not_fit_the_address_space_is_refused),
		cmocka_unit_test(tables_map_what_the_layout_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
