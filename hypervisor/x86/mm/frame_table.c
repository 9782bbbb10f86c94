/* SPDX-License-Identifier: MIT */
/*
 * The frame table and the machine-to-phys table: which memory they describe, and their first
 * contents at boot.
 */
#include "x86/mm/frame_table.h"

#include "hv/arch/frame.h"
#include "hv/console.h"
#include "hv/page_alloc.h"
#include "lib/string.h"
#include "x86/boot/memory_map.h"
#include "x86/mm/boot_alloc.h"
#include "x86/mm/paging.h"

/* Used by the firmware and the trampoline: never RAM to us. Domain-0 sees it as device memory. */
#define LOW_MEMORY MiB(1)

unsigned long max_page, total_pages;

static BITMAP(gibs, MAX_GIBS); /* GiB with RAM */

#define m2p_rw ((unsigned long *)M2P_RW_VIRT)

bool gib_has_ram(unsigned long gib)
{
	return gib < MAX_GIBS && bitmap_test_bit(gibs, (unsigned int)gib);
}

bool mfn_valid(mfn_t mfn)
{
	return mfn_x(mfn) < max_page &&
	       bitmap_test_bit(gibs, (unsigned int)(mfn_x(mfn) / GIB_FRAMES)) &&
	       !(READ_ONCE(mfn_to_page(mfn)->count_info) & PGC_RESERVED);
}

void m2p_set(mfn_t mfn, unsigned long pfn)
{
	if (mfn_x(mfn) < max_page && gib_has_ram(mfn_x(mfn) / GIB_FRAMES))
		WRITE_ONCE(m2p_rw[mfn_x(mfn)], pfn);
}

unsigned long m2p_get(mfn_t mfn)
{
	if (mfn_x(mfn) >= max_page || !gib_has_ram(mfn_x(mfn) / GIB_FRAMES))
		return M2P_INVALID;
	return READ_ONCE(m2p_rw[mfn_x(mfn)]);
}

mfn_t arch_m2p_extent(unsigned long index)
{
	if (!gib_has_ram(index))
		return INVALID_MFN;
	return pte_mfn(hv_lookup_pte(M2P_RW_VIRT + index * M2P_PER_GIB));
}

void m2p_share(void)
{
	for (unsigned long gib = 0; gib * GIB_FRAMES < max_page; gib++) {
		mfn_t first = arch_m2p_extent(gib);

		if (mfn_eq(first, INVALID_MFN))
			continue;
		for (unsigned long i = 0; i < M2P_PER_GIB / PAGE_SIZE; i++) {
			struct page_info *pg = mfn_to_page(mfn_add(first, i));

			arch_page_share(pg, false);
			pg->owner = domain_to_owner(dom_xen);
			pg->count_info = (u32)(PGC_HV | PGC_ALLOCATED | 1);
		}
	}
}

/* The frames of entry i of the memory map that we use as RAM; false: none. */
static bool __init ram_entry(unsigned int i, unsigned long *first, unsigned long *end)
{
	const struct memory_map *m = &boot_memory_map;
	paddr_t start = max(m->e[i].start, (u64)LOW_MEMORY), stop = m->e[i].start + m->e[i].size;

	*first = ROUND_UP(start, PAGE_SIZE) >> PAGE_SHIFT;
	*end = min(stop >> PAGE_SHIFT, MAX_FRAMES);
	return m->e[i].type == E820_RAM && *first < *end;
}

void __init frame_table_probe(void)
{
	unsigned long first, end;

	for (unsigned int i = 0; i < boot_memory_map.nr; i++) {
		if (!ram_entry(i, &first, &end))
			continue;
		total_pages += end - first;
		max_page = max(max_page, end);
		for (unsigned long gib = first / GIB_FRAMES; gib <= (end - 1) / GIB_FRAMES; gib++)
			bitmap_set_bit(gibs, (unsigned int)gib);
	}
}

/* The frames between two free pieces: either RAM that boot uses, or no RAM. */
static void __init gap_init(unsigned long first, unsigned long end)
{
	unsigned long from, to;

	for (unsigned long mfn = first; mfn < end; mfn++) {
		if (gib_has_ram(mfn / GIB_FRAMES))
			mfn_to_page(MFN(mfn))->count_info = (u32)PGC_RESERVED;
		else
			mfn |= GIB_FRAMES - 1;
	}
	for (unsigned int i = 0; i < boot_memory_map.nr; i++) {
		if (!ram_entry(i, &from, &to))
			continue;
		from = max(from, first);
		to = min(to, end);
		if (from < to)
			page_alloc_hold_range(from << PAGE_SHIFT, to << PAGE_SHIFT);
	}
}

static unsigned long gap_start __initdata; /* frame number; all frames below are initialised */

static void __init free_piece_init(paddr_t start, paddr_t end)
{
	start = max(start, (paddr_t)LOW_MEMORY);
	if (start >= end)
		return;
	gap_init(gap_start, start >> PAGE_SHIFT);
	page_alloc_add_range(start, end);
	gap_start = end >> PAGE_SHIFT;
}

void __init frame_table_init(void)
{
	for (unsigned long gib = 0; gib * GIB_FRAMES < max_page; gib++) {
		if (!gib_has_ram(gib))
			continue;
		memset((char *)M2P_RW_VIRT + gib * M2P_PER_GIB, 0xff, M2P_PER_GIB);
		memset((char *)FRAME_TABLE_VIRT + gib * FRAME_TABLE_PER_GIB, 0,
		       FRAME_TABLE_PER_GIB);
	}
	boot_alloc_for_each_free(free_piece_init);
	gap_init(gap_start, ROUND_UP(max_page, GIB_FRAMES));
}
