/* SPDX-License-Identifier: MIT */
/*
 * The layout of a new PV guest's memory (xen/xen.h, "Start-of-day memory layout"), in the guest's
 * own frame numbers.
 *
 * Mapped at virt_base + frame * 4096: the gap below the kernel, the kernel, [ramdisk], [p2m list],
 * start info, xenstore page, console page, page tables, stack, padding.
 *
 * Not mapped there, behind that: [ramdisk], [p2m list], the rest. Ramdisk and p2m list go here if
 * the kernel's notes allow it. Pure.
 */
#ifndef WORKER_BUILD_LAYOUT_H
#define WORKER_BUILD_LAYOUT_H

#include <stdint.h>

#include "worker/build/kernel.h"

struct layout {
	uint64_t virt_base;
	uint64_t nr_pages;
	uint64_t ramdisk, nr_ramdisk; /* frames */
	uint64_t p2m, nr_p2m;	      /* frames of the p2m list */
	uint64_t p2m_virt;
	uint64_t start_info, store, console, stack;
	uint64_t pt, nr_pt;  /* page tables; the first is the root */
	uint64_t mapped_end; /* frames [0, mapped_end) are mapped at virt_base */
};

#define LAYOUT_PAGES_MAX (1ULL << 30) /* 4 TiB */

/* Places everything. ramdisk_size is in bytes. Returns 0; -ENOMEM when nr_pages are too few, with
 * *need set to how many it takes; or -EINVAL with *why, words for a person. */
int layout_make(struct layout *layout, const struct kernel_info *kernel, uint64_t nr_pages,
		uint64_t ramdisk_size, uint64_t *need, const char **why);

static inline uint64_t layout_virt(const struct layout *layout, uint64_t pfn)
{
	return layout->virt_base + pfn * KERNEL_PAGE;
}

#endif
