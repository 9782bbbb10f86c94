/* SPDX-License-Identifier: MIT */
/* What a new PV guest finds in its memory: the plan, page tables that match it, start info. */
/* links: hypervisor/lib/pv_start.c hypervisor/lib/string.c */
#include "lib/pv_start.h"

#include <stdlib.h>
#include <xen/xen.h>
#include "lib/errno.h"
#include "lib/string.h"
#include "unit.h"

#define PAGES_MIB 256UL
#define L1_BYTES  MiB(2) /* what one table maps */

/* What the walk finds where nothing is mapped. */
#define NOTHING (~0UL)
/* The machine frame of the guest's frame 0. */
#define MFN_BASE 1000UL

static struct pv_start linux_kernel(u64 nr_pages, u64 ramdisk_size)
{
	struct pv_start s = {
		.virt_base = 0xffffffff80000000UL,
		.virt_end = 0xffffffff84000000UL,
		.init_p2m = 0x8000000000UL,
		.flags = PV_START_INIT_P2M | PV_START_MOD_PFN | PV_START_SERVICES,
		.nr_pages = nr_pages,
		.ramdisk_size = ramdisk_size,
	};

	return s;
}

/* Like GRUB's PV image: at address 0, without optional notes. */
static struct pv_start grub(u64 nr_pages, u64 ramdisk_size)
{
	struct pv_start s = {
		.virt_base = 0,
		.virt_end = 0x180000,
		.flags = PV_START_SERVICES,
		.nr_pages = nr_pages,
		.ramdisk_size = ramdisk_size,
	};

	return s;
}

static int plan(struct pv_start *s)
{
	const char *why = NULL;
	u64 need = 0;
	int err = pv_start_plan(s, &need, &why);

	assert_true(!err == !why);
	return err;
}

/* --- the plan --- */

static void expect_order(const struct pv_start *s, u64 kernel_end)
{
	assert_true(s->info >= kernel_end && s->store == s->info + 1 && s->console == s->store + 1);
	assert_true(s->pt == s->console + 1 && s->stack == s->pt + s->nr_pt);
	/* 512 KiB of padding, and an end at a multiple of 4 MiB. */
	assert_true(s->mapped_end >= s->stack + 1 + 128 && s->mapped_end % 1024 == 0);
}

static void linux_has_ramdisk_and_list_outside_of_what_is_mapped(void **state)
{
	struct pv_start s = linux_kernel(256 * PAGES_MIB, MiB(8));

	assert_int_equal(plan(&s), 0);
	expect_order(&s, 64 * PAGES_MIB);
	assert_true(s.info == 64 * PAGES_MIB);
	assert_true(s.ramdisk == s.mapped_end && s.nr_ramdisk == 8 * PAGES_MIB);
	assert_true(s.p2m == s.ramdisk + s.nr_ramdisk && s.nr_p2m == 128);
	assert_true(s.p2m_virt == s.init_p2m);
}

static void without_notes_all_is_mapped(void **state)
{
	struct pv_start s = grub(64 * PAGES_MIB, 5000);

	assert_int_equal(plan(&s), 0);
	expect_order(&s, 0x180);
	assert_true(s.ramdisk == 0x180 && s.nr_ramdisk == 2);
	assert_true(s.p2m == 0x182 && s.nr_p2m == 32 && s.p2m_virt == 0x182000);
	assert_true(s.info == 0x1a2);
}

static void domain_0_has_no_pages_for_services(void **state)
{
	struct pv_start s = linux_kernel(256 * PAGES_MIB, 0);

	s.flags &= ~(u32)PV_START_SERVICES;
	assert_int_equal(plan(&s), 0);
	assert_true(s.pt == s.info + 1);
	assert_true(s.nr_ramdisk == 0 && s.p2m == s.mapped_end);
}

/* The tables are exactly as many as their own mapping takes. */
static void tables_grow_with_what_they_map(void **state)
{
	/* 4 MiB are the least that is mapped: root, one table each of levels 3 and 2, two of
	 * level 1. */
	struct pv_start s = grub(64 * PAGES_MIB, 0);

	s.virt_end = 0;
	assert_int_equal(plan(&s), 0);
	assert_true(s.mapped_end == 1024 && s.nr_pt == 5);
	/* A kernel with whose tables and padding 4 MiB are just full, and one of a page more. */
	s = grub(64 * PAGES_MIB, 0);
	s.virt_end = (1024 - 128 - 1 - 5 - 3 - 32) * PV_START_PAGE;
	assert_int_equal(plan(&s), 0);
	assert_true(s.mapped_end == 1024 && s.nr_pt == 5);
	s.virt_end += PV_START_PAGE;
	assert_int_equal(plan(&s), 0);
	assert_true(s.mapped_end == 2048 && s.nr_pt == 7);
	/* A base in the middle of what a table of level 1, 2 or 3 maps: one table more of it. */
	s = grub(64 * PAGES_MIB, 0);
	s.virt_end = s.virt_base = L1_BYTES / 2;
	assert_int_equal(plan(&s), 0);
	assert_true(s.mapped_end == 1024 && s.nr_pt == 6);
	s.virt_end = s.virt_base = GiB(1) - L1_BYTES / 2;
	assert_int_equal(plan(&s), 0);
	assert_true(s.nr_pt == 7);
	s.virt_end = s.virt_base = GiB(512) - L1_BYTES / 2;
	assert_int_equal(plan(&s), 0);
	assert_true(s.nr_pt == 8);
}

static void list_has_as_many_frames_as_its_entries_fill(void **state)
{
	struct pv_start s = linux_kernel(256 * PAGES_MIB, 0);

	assert_int_equal(plan(&s), 0);
	assert_true(s.nr_p2m == 128);
	s.nr_pages++;
	assert_int_equal(plan(&s), 0);
	assert_true(s.nr_p2m == 129);
	/* 512 frames of the list need one table, one more frame needs two. */
	s.nr_pages = 512 * 512;
	assert_int_equal(plan(&s), 0);
	assert_true(s.nr_pt == 1 + 1 + 1 + s.mapped_end / 512 + 1 + 1 + 1);
	s.nr_pages++;
	assert_int_equal(plan(&s), 0);
	assert_true(s.nr_p2m == 513);
	assert_true(s.nr_pt == 1 + 1 + 1 + s.mapped_end / 512 + 1 + 1 + 2);
}

static void too_little_memory_says_how_much_it_takes(void **state)
{
	static const u64 ramdisks[] = { 0, 1, MiB(8), GiB(3) + 1 };

	for (unsigned int i = 0; i < 2 * ARRAY_SIZE(ramdisks); i++) {
		u64 size = ramdisks[i / 2], need = 0;
		struct pv_start s = i % 2 ? linux_kernel(PAGES_MIB, size) : grub(PAGES_MIB, size);
		const char *why = NULL;

		assert_int_equal(pv_start_plan(&s, &need, &why), -ENOMEM);
		assert_true(need > size / PV_START_PAGE);
		/* Not far too much: tables, lists and paddings of what it takes. */
		assert_true(need < size / PV_START_PAGE + size / GiB(1) * 2048 + 80 * PAGES_MIB);
		s.nr_pages = need;
		assert_int_equal(plan(&s), 0);
	}
}

/* --- the address space --- */

static void a_huge_ramdisk_need_not_be_mapped(void **state)
{
	struct pv_start s = linux_kernel(20 * 1024 * PAGES_MIB, GiB(16) + 1);

	assert_int_equal(plan(&s), 0);
	assert_true(s.nr_ramdisk == 16 * 1024 * PAGES_MIB + 1);
	assert_true(s.mapped_end < 80 * PAGES_MIB);
	/* Mapped, 2 GiB of it would pass the end of the address space. */
	s = linux_kernel(20 * 1024 * PAGES_MIB, GiB(2));
	s.flags &= ~(u32)PV_START_MOD_PFN;
	assert_int_equal(plan(&s), -EINVAL);
	/* Just below, it is: kernel, ramdisk, tables and padding end at the last address. */
	s.ramdisk_size = GiB(2) - MiB(64) - MiB(20);
	assert_int_equal(plan(&s), 0);
	assert_true(pv_start_virt(&s, s.mapped_end) == 0 ||
		    pv_start_virt(&s, s.mapped_end) > s.virt_base);
}

static void numbers_that_overflow_are_refused(void **state)
{
	struct pv_start s = linux_kernel(PV_START_PAGES_MAX + 1, 0);

	assert_int_equal(plan(&s), -EINVAL);
	s = linux_kernel(~0UL, 0);
	assert_int_equal(plan(&s), -EINVAL);
	s = linux_kernel(1 << 20, ~0UL);
	assert_int_equal(plan(&s), -EINVAL);
	s = linux_kernel(1 << 20, 1UL << 40);
	assert_int_equal(plan(&s), -EINVAL);
	/* The kernel ends below its base. */
	s = linux_kernel(1 << 20, 0);
	s.virt_end = s.virt_base - PV_START_PAGE;
	assert_int_equal(plan(&s), -EINVAL);
	/* The list of 4 TiB, without a place of its own, behind a base near the end of the low
	 * half. */
	s = grub(1UL << 30, 0);
	s.virt_base = BIT(47) - GiB(1);
	s.virt_end = s.virt_base + MiB(1);
	assert_int_equal(plan(&s), -EINVAL);
}

static void list_has_an_entry_of_the_root_for_itself(void **state)
{
	struct pv_start s = linux_kernel(1 << 20, 0);

	/* Where the kernel is. */
	s.init_p2m = 0xffffff8000000000UL;
	assert_int_equal(plan(&s), -EINVAL);
	/* In the middle of an entry, so that it could reach into the next. */
	s.init_p2m = 0x8000001000UL;
	assert_int_equal(plan(&s), -EINVAL);
	/* In the entry in which the mapped range ends. */
	s.virt_base = GiB(512) - MiB(8);
	s.virt_end = s.virt_base + MiB(1);
	s.init_p2m = GiB(512);
	assert_int_equal(plan(&s), 0);
	s.virt_end = s.virt_base + MiB(8);
	assert_int_equal(plan(&s), -EINVAL);
	s.init_p2m = 0;
	assert_int_equal(plan(&s), -EINVAL);
	s.init_p2m = 2 * GiB(512);
	assert_int_equal(plan(&s), 0);
}

static void the_largest_list_fills_its_entry(void **state)
{
	struct pv_start s = linux_kernel(PV_START_PAGES_MAX, 0);

	/* At Linux' base there is no room for the tables of such a list. */
	assert_int_equal(plan(&s), 0);
	assert_true(s.nr_p2m == GiB(512) / PV_START_PAGE);
	assert_true(s.nr_pt > s.nr_p2m / 512);
}

/* --- page tables --- */

static u64 mfn_of(const void *base, u64 pfn)
{
	return *(const u64 *)base + pfn;
}

/* Finds the frame at an address. *writable: of the last level. */
static u64 walk(const struct pv_start *s, const u64 *tables, u64 virt, bool *writable)
{
	const u64 *table = tables;
	u64 entry = 0;

	for (int shift = 39; shift >= 12; shift -= 9) {
		entry = table[(virt >> shift) & 511];
		if (!(entry & 1))
			return NOTHING;
		assert_true((entry & ~(0x000ffffffffff000UL | 0x42)) == 0x25);
		if (shift > 12) {
			assert_true(entry & 2);
			table = tables + ((entry >> 12) - MFN_BASE - s->pt) * 512;
		}
	}
	*writable = (entry & 2) != 0;
	return (entry >> 12) - MFN_BASE;
}

static void check_tables(struct pv_start s)
{
	u64 base = MFN_BASE, *tables, mapped = 0, present = 0;
	bool writable = false;

	assert_int_equal(plan(&s), 0);
	tables = malloc(s.nr_pt * PV_START_PAGE);
	memset(tables, 0xa5, s.nr_pt * PV_START_PAGE);
	for (u64 i = 0; i < s.nr_pt; i++)
		pv_start_fill_table(&s, i, tables + i * 512, mfn_of, &base);
	for (u64 pfn = 0; pfn < s.mapped_end; pfn++, mapped++) {
		assert_true(walk(&s, tables, pv_start_virt(&s, pfn), &writable) == pfn);
		assert_int_equal(writable, pfn < s.pt || pfn >= s.pt + s.nr_pt);
	}
	assert_true(walk(&s, tables, s.virt_base - PV_START_PAGE, &writable) == NOTHING);
	assert_true(walk(&s, tables, pv_start_virt(&s, s.mapped_end), &writable) == NOTHING);
	for (u64 i = 0; i < s.nr_p2m; i++) {
		assert_true(walk(&s, tables, s.p2m_virt + i * PV_START_PAGE, &writable) ==
			    s.p2m + i);
		assert_true(writable);
		mapped += s.p2m >= s.mapped_end;
	}
	/* Each table but the root has one entry that leads to it, and no table is empty. */
	for (u64 i = 0; i < s.nr_pt; i++) {
		u64 before = present;

		for (unsigned int j = 0; j < 512; j++)
			present += tables[i * 512 + j] & 1;
		assert_true(present != before);
	}
	assert_true(present == mapped + s.nr_pt - 1);
	free(tables);
}

static void tables_map_what_the_plan_says(void **state)
{
	struct pv_start s;

	check_tables(linux_kernel(256 * PAGES_MIB, MiB(3)));
	check_tables(linux_kernel(3000 * PAGES_MIB + 77, MiB(3)));
	check_tables(linux_kernel(512 * 512 + 1, 0));
	check_tables(grub(64 * PAGES_MIB, MiB(3)));
	/* Ranges that begin and end within tables of each level. */
	for (unsigned int shift = 21; shift <= 39; shift += 9) {
		s = grub(64 * PAGES_MIB, 0);
		s.virt_base = BIT(shift) - MiB(1);
		s.virt_end = s.virt_base + MiB(1);
		check_tables(s);
		s.flags |= PV_START_INIT_P2M;
		s.init_p2m = BIT(45);
		check_tables(s);
	}
	/* The last pages of the low half, and of the address space. */
	s = grub(64 * PAGES_MIB, 0);
	s.virt_base = BIT(47) - MiB(16);
	s.virt_end = s.virt_base + MiB(1);
	check_tables(s);
	s.virt_base = 0 - MiB(16);
	s.virt_end = s.virt_base + MiB(1);
	check_tables(s);
}

/* --- start info --- */

static void start_info_says_what_was_planned(void **state)
{
	struct pv_start s = linux_kernel(256 * PAGES_MIB, 12345);
	struct start_info si = { 0 };

	assert_int_equal(plan(&s), 0);
	pv_start_fill_info(&s, &si);
	assert_string_equal(si.magic, "xen-3.0-x86_64");
	assert_true(si.nr_pages == 256 * PAGES_MIB);
	assert_true(si.pt_base == pv_start_virt(&s, s.pt) && si.nr_pt_frames == s.nr_pt);
	assert_true(si.mfn_list == s.init_p2m);
	assert_true(si.first_p2m_pfn == s.p2m && si.nr_p2m_frames == s.nr_p2m);
	assert_true(si.mod_start == s.ramdisk && si.mod_len == 12345);
	assert_true(si.flags == SIF_MOD_START_PFN);

	s = grub(64 * PAGES_MIB, 12345);
	memset(&si, 0, sizeof(si));
	assert_int_equal(plan(&s), 0);
	pv_start_fill_info(&s, &si);
	assert_true(si.mfn_list == s.p2m_virt && !si.first_p2m_pfn && !si.nr_p2m_frames);
	assert_true(si.mod_start == pv_start_virt(&s, s.ramdisk) && !si.flags);

	s = linux_kernel(256 * PAGES_MIB, 0);
	memset(&si, 0, sizeof(si));
	assert_int_equal(plan(&s), 0);
	pv_start_fill_info(&s, &si);
	assert_true(!si.mod_start && !si.mod_len && !si.flags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(linux_has_ramdisk_and_list_outside_of_what_is_mapped),
		cmocka_unit_test(without_notes_all_is_mapped),
		cmocka_unit_test(domain_0_has_no_pages_for_services),
		cmocka_unit_test(tables_grow_with_what_they_map),
		cmocka_unit_test(list_has_as_many_frames_as_its_entries_fill),
		cmocka_unit_test(too_little_memory_says_how_much_it_takes),
		cmocka_unit_test(a_huge_ramdisk_need_not_be_mapped),
		cmocka_unit_test(numbers_that_overflow_are_refused),
		cmocka_unit_test(list_has_an_entry_of_the_root_for_itself),
		cmocka_unit_test(the_largest_list_fills_its_entry),
		cmocka_unit_test(tables_map_what_the_plan_says),
		cmocka_unit_test(start_info_says_what_was_planned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
