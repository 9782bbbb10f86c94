/* SPDX-License-Identifier: MIT */
/*
 * Assigns a new PV guest's frames in ascending order. The page tables are counted until they map
 * themselves too; each table's entries then follow from its number alone.
 */
#include "lib/pv_start.h"

#include <xen/xen.h>
#include "lib/errno.h"
#include "lib/string.h"

#define PAGE_BITS  12
#define INDEX_BITS 9
#define ENTRIES	   (1U << INDEX_BITS)
#define ROOT_LEVEL 4
#define ROOT_SHIFT 39 /* of an address: its index in the root */
/* At least 512 KiB are mapped behind the last element, and the mapped range ends at 4 MiB. */
#define PADDING_PAGES (KiB(512) / PV_START_PAGE)
#define ALIGN_PAGES   (MiB(4) / PV_START_PAGE)
/* The most pages of the range that is mapped at the start. */
#define MAPPED_MAX BIT(24)

/* Intel SDM 3, 4.5: present, user, accessed; writable, dirty. A PV kernel runs in user mode. */
#define PTE_READ  0x25UL
#define PTE_WRITE 0x42UL

/* --- the plan --- */

/* How many tables of `level` map [start, start + size). */
static u64 tables_of_level(u64 start, u64 size, unsigned int level)
{
	unsigned int shift = PAGE_BITS + INDEX_BITS * level;

	return size ? ((start + size - 1) >> shift) - (start >> shift) + 1 : 0;
}

/* The number of page tables below the root that map [start, start + size). */
static u64 tables_for(u64 start, u64 size)
{
	u64 count = 0;

	for (unsigned int level = 1; level < ROOT_LEVEL; level++)
		count += tables_of_level(start, size, level);
	return count;
}

static u64 pages(u64 bytes)
{
	return bytes / PV_START_PAGE + (bytes % PV_START_PAGE != 0);
}

/*
 * Places the page tables at `at`, and the rest of the mapped range behind them. The tables map
 * themselves too, so their number grows until it suffices.
 */
static void place_tables(struct pv_start *s, u64 at, u64 extra_tables)
{
	u64 need = 1;

	s->pt = at;
	do {
		s->nr_pt = need;
		s->stack = s->pt + s->nr_pt;
		s->mapped_end = ROUND_UP(s->stack + 1 + PADDING_PAGES, ALIGN_PAGES);
		need = 1 + tables_for(s->virt_base, s->mapped_end * PV_START_PAGE) + extra_tables;
	} while (need > s->nr_pt);
}

/*
 * Has the address space from virt_base on room for `next` pages, the tables for them, `extra`
 * tables, and what follows?
 */
static bool fits_behind_base(u64 virt_base, u64 next, u64 extra)
{
	/*
	 * Pages up to the end of virt_base's canonical half; for the upper half, that is the end of
	 * the address space.
	 */
	u64 room = (BIT(47) - (virt_base & (BIT(47) - 1))) / PV_START_PAGE;

	return next <= MAPPED_MAX && next + next / ENTRIES * 2 + extra + 2 * ALIGN_PAGES <= room;
}

/* The list has an entry of the root for itself. */
static bool list_off_kernel(const struct pv_start *s)
{
	u64 last = pv_start_virt(s, s->mapped_end) - 1, entry = s->init_p2m >> ROOT_SHIFT;

	return !(s->flags & PV_START_INIT_P2M) ||
	       (!(s->init_p2m & (BIT(ROOT_SHIFT) - 1)) &&
		(entry < s->virt_base >> ROOT_SHIFT || entry > last >> ROOT_SHIFT));
}

int pv_start_plan(struct pv_start *s, u64 *need, const char **why)
{
	u64 next = (s->virt_end - s->virt_base) / PV_START_PAGE, extra = 0;

	if (s->nr_pages > PV_START_PAGES_MAX || pages(s->ramdisk_size) > MAPPED_MAX) {
		*why = "more memory or a larger ramdisk than any guest can have";
		return -EINVAL;
	}
	s->nr_ramdisk = pages(s->ramdisk_size);
	s->nr_p2m = pages(s->nr_pages * sizeof(u64));
	if (!(s->flags & PV_START_MOD_PFN)) {
		s->ramdisk = next;
		next += s->nr_ramdisk;
	}
	if (s->flags & PV_START_INIT_P2M) {
		extra = tables_for(s->init_p2m, s->nr_p2m * PV_START_PAGE);
	} else {
		s->p2m = next;
		s->p2m_virt = pv_start_virt(s, next);
		next += s->nr_p2m;
	}
	s->info = next++;
	if (s->flags & PV_START_SERVICES) {
		s->store = next++;
		s->console = next++;
	}
	if (!fits_behind_base(s->virt_base, next, extra)) {
		*why = "kernel and ramdisk do not fit behind the kernel's base address";
		return -EINVAL;
	}
	place_tables(s, next, extra);
	next = s->mapped_end;
	if (s->flags & PV_START_MOD_PFN) {
		s->ramdisk = next;
		next += s->nr_ramdisk;
	}
	if (s->flags & PV_START_INIT_P2M) {
		s->p2m = next;
		s->p2m_virt = s->init_p2m;
		next += s->nr_p2m;
	}
	if (!list_off_kernel(s)) {
		*why = "the kernel wants the list of its frames where the kernel itself lies";
		return -EINVAL;
	}
	*need = next;
	if (next > s->nr_pages) {
		/* More memory makes the p2m list longer, so *need allows for that. */
		*need += pages(next * sizeof(u64)) - s->nr_p2m + (extra ? 4 : ALIGN_PAGES);
		*why = "the guest's memory cannot hold its kernel and ramdisk";
		return -ENOMEM;
	}
	return 0;
}

/* --- page tables --- */

/*
 * A mapped range of the address space, the frames from pfn on. No two ranges share a table below
 * the root. Its tables have successive numbers: level by level, and in each by address.
 */
struct range {
	u64 virt, size, pfn;
	u64 first_table[ROOT_LEVEL]; /* by level */
};

static unsigned int ranges_get(const struct pv_start *s, struct range ranges[2])
{
	unsigned int nr = s->p2m >= s->mapped_end ? 2 : 1;
	u64 next = 1;

	ranges[0] = (struct range){ s->virt_base, s->mapped_end * PV_START_PAGE, 0, { 0 } };
	ranges[1] = (struct range){ s->p2m_virt, s->nr_p2m * PV_START_PAGE, s->p2m, { 0 } };
	for (unsigned int i = 0; i < nr; i++) {
		for (unsigned int level = ROOT_LEVEL - 1; level; level--) {
			ranges[i].first_table[level] = next;
			next += tables_of_level(ranges[i].virt, ranges[i].size, level);
		}
	}
	return nr;
}

/*
 * Writes the range's entries in one of its tables, or in the root. table: its place among the
 * range's tables of that level.
 */
static void range_fill(const struct pv_start *s, const struct range *r, unsigned int level,
		       u64 table, u64 *entries, pv_start_mfn_fn *mfn_of, const void *ctx)
{
	unsigned int shift = PAGE_BITS + INDEX_BITS * (level - 1);
	/* Numbers of entries, counted through the whole address space. */
	u64 first = r->virt >> shift, last = (r->virt + r->size - 1) >> shift;
	u64 at = ROUND_DOWN(first, ENTRIES) + table * ENTRIES, end = at + ENTRIES - 1;
	u64 pfn = level > 1 ? s->pt + r->first_table[level - 1] : r->pfn;

	end = min(end, last);
	for (at = max(at, first); at <= end; at++) {
		u64 to = pfn + at - first;
		bool writable = level > 1 || to < s->pt || to >= s->pt + s->nr_pt;

		entries[at % ENTRIES] =
			mfn_of(ctx, to) << PAGE_BITS | PTE_READ | (writable ? PTE_WRITE : 0);
	}
}

void pv_start_fill_table(const struct pv_start *s, u64 number, u64 *entries,
			 pv_start_mfn_fn *mfn_of, const void *ctx)
{
	struct range ranges[2];
	unsigned int nr = ranges_get(s, ranges);

	memset(entries, 0, PV_START_PAGE);
	for (unsigned int i = 0; i < nr; i++) {
		const struct range *r = &ranges[i];

		if (number == 0)
			range_fill(s, r, ROOT_LEVEL, 0, entries, mfn_of, ctx);
		for (unsigned int level = 1; level < ROOT_LEVEL; level++)
			if (number >= r->first_table[level] &&
			    number - r->first_table[level] <
				    tables_of_level(r->virt, r->size, level))
				range_fill(s, r, level, number - r->first_table[level], entries,
					   mfn_of, ctx);
	}
}

/* --- start info --- */

void pv_start_fill_info(const struct pv_start *s, struct start_info *si)
{
	memcpy(si->magic, "xen-3.0-x86_64", sizeof("xen-3.0-x86_64"));
	si->nr_pages = s->nr_pages;
	si->pt_base = pv_start_virt(s, s->pt);
	si->nr_pt_frames = s->nr_pt;
	si->mfn_list = s->p2m_virt;
	if (s->flags & PV_START_INIT_P2M) {
		si->first_p2m_pfn = s->p2m;
		si->nr_p2m_frames = s->nr_p2m;
	}
	if (s->ramdisk_size) {
		si->mod_len = s->ramdisk_size;
		si->mod_start =
			s->flags & PV_START_MOD_PFN ? s->ramdisk : pv_start_virt(s, s->ramdisk);
		if (s->flags & PV_START_MOD_PFN)
			si->flags |= SIF_MOD_START_PFN;
	}
}
