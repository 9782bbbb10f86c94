/* SPDX-License-Identifier: MIT */
/*
 * What a new PV guest finds in its memory (xen/xen.h, "Start-of-day memory layout"), in the guest's
 * own frame numbers. Pure code, used for Domain-0 and by the toolstack for all other guests.
 *
 * Mapped at virt_base + frame * PAGE_SIZE: the gap below the kernel, the kernel, [ramdisk], [p2m
 * list], start info, [xenstore page, console page], page tables, stack, padding.
 *
 * Behind that, not mapped there: [ramdisk], [p2m list], the rest. Ramdisk and p2m list go here if
 * the kernel's notes allow it; the list is then mapped at init_p2m.
 */
#ifndef LIB_PV_START_H
#define LIB_PV_START_H

#include "lib/types.h"

#define PV_START_PAGE 4096UL
/* Frames: their p2m list fills the one entry of a top-level page table that a kernel gives it. */
#define PV_START_PAGES_MAX BIT(36)

enum {
	PV_START_INIT_P2M = 1, /* the kernel has the note INIT_P2M */
	PV_START_MOD_PFN = 2,  /* MOD_START_PFN: the ramdisk need not be mapped */
	PV_START_SERVICES = 4, /* the guest shares pages with xenstore and a console */
};

struct pv_start {
	/* Known before, page-aligned: frame 0's address; the end of the kernel; the list's address.
	 */
	u64 virt_base, virt_end, init_p2m;
	u64 nr_pages, ramdisk_size; /* ramdisk: bytes */
	u32 flags;

	/* Planned; frame numbers, and how many frames. */
	u64 ramdisk, nr_ramdisk;
	u64 p2m, nr_p2m;
	u64 info, store, console, stack;
	u64 pt, nr_pt;	/* page tables; the first is the root */
	u64 mapped_end; /* frames [0, mapped_end) are mapped at virt_base */
	u64 p2m_virt;
};

/*
 * Plans where everything lies. 0; -ENOMEM: nr_pages are too few; *need is a number that suffices.
 * -EINVAL: the address space is too small. On an error *why has words for a person.
 */
int __must_check pv_start_plan(struct pv_start *s, u64 *need, const char **why);

static inline u64 pv_start_virt(const struct pv_start *s, u64 pfn)
{
	return s->virt_base + pfn * PV_START_PAGE;
}

/* The machine frame of the guest's frame pfn. */
typedef u64 pv_start_mfn_fn(const void *ctx, u64 pfn);

/*
 * Writes all entries of page table `number`, which lies in frame pt + number. The page tables
 * themselves are mapped read-only, everything else writable.
 */
void pv_start_fill_table(const struct pv_start *s, u64 number, u64 *entries,
			 pv_start_mfn_fn *mfn_of, const void *ctx);

struct start_info;
/* Writes what follows from the plan to a zeroed start info page. */
void pv_start_fill_info(const struct pv_start *s, struct start_info *si);

#endif
