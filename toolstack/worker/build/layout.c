/* SPDX-License-Identifier: MIT */
/* Assigns frames in ascending order; the page tables are counted until they map themselves too. */
#include "worker/build/layout.h"

#include <errno.h>
#include <stdbool.h>

#define PTRS_PER_PAGE (KERNEL_PAGE / sizeof(uint64_t))
/* At least 512 KiB are mapped behind the last element, and the mapped range ends at a
 * multiple of 4 MiB. */
#define PADDING_PAGES 128ULL
#define ALIGN_PAGES   1024ULL
/* The most pages of the range that is mapped at the start: kernel, ramdisk, p2m list. */
#define MAPPED_MAX (1ULL << 24)

/* The number of page tables of levels 1 to 3 that map [start, start + size). */
static uint64_t tables_for(uint64_t start, uint64_t size)
{
	uint64_t count = 0;

	if (size == 0)
		return 0;
	for (unsigned int level = 1; level <= 3; level++) {
		unsigned int shift = 12 + 9 * level;

		count += ((start + size - 1) >> shift) - (start >> shift) + 1;
	}
	return count;
}

static uint64_t pages(uint64_t bytes)
{
	return bytes / KERNEL_PAGE + (bytes % KERNEL_PAGE != 0);
}

/* Places the page tables at `at`, and the rest of the mapped range behind them. The tables map
 * themselves too, so their number grows until it suffices. */
static void place_tables(struct layout *l, uint64_t at, uint64_t extra_tables)
{
	l->pt = at;
	l->nr_pt = 1;
	for (;;) {
		uint64_t need;

		l->stack = l->pt + l->nr_pt;
		l->mapped_end =
			(l->stack + 1 + PADDING_PAGES + ALIGN_PAGES - 1) & ~(ALIGN_PAGES - 1);
		need = 1 + tables_for(l->virt_base, l->mapped_end * KERNEL_PAGE) + extra_tables;
		if (need <= l->nr_pt)
			break;
		l->nr_pt = need;
	}
}

/* Whether the address space from virt_base on has room for `next` pages, the tables for them,
 * `extra` tables, and what follows. */
static bool fits_behind_base(uint64_t virt_base, uint64_t next, uint64_t extra)
{
	/* Pages up to the end of virt_base's canonical half; for the upper half, that is the end of
	 * the address space. */
	uint64_t room = ((1ULL << 47) - (virt_base & ((1ULL << 47) - 1))) / KERNEL_PAGE;

	return next <= MAPPED_MAX &&
	       next + next / PTRS_PER_PAGE * 2 + extra + 2 * ALIGN_PAGES <= room;
}

static bool list_off_kernel(const struct layout *l, const struct kernel_info *kernel)
{
	uint64_t last = layout_virt(l, l->mapped_end) - 1;

	return !(kernel->flags & KERNEL_HAS_INIT_P2M) || l->p2m_virt >> 39 < l->virt_base >> 39 ||
	       l->p2m_virt >> 39 > last >> 39;
}

int layout_make(struct layout *l, const struct kernel_info *kernel, uint64_t nr_pages,
		uint64_t ramdisk_size, uint64_t *need, const char **why)
{
	uint64_t next = (kernel->virt_end - kernel->virt_base) / KERNEL_PAGE, extra = 0;

	*l = (struct layout){ .virt_base = kernel->virt_base, .nr_pages = nr_pages };
	l->nr_ramdisk = pages(ramdisk_size);
	l->nr_p2m = pages(nr_pages * sizeof(uint64_t));
	if (nr_pages > LAYOUT_PAGES_MAX || l->nr_ramdisk > MAPPED_MAX) {
		*why = "more memory or a larger ramdisk than any guest can have";
		return -EINVAL;
	}
	if (!(kernel->flags & KERNEL_MOD_START_PFN)) {
		l->ramdisk = next;
		next += l->nr_ramdisk;
	}
	if (kernel->flags & KERNEL_HAS_INIT_P2M) {
		extra = tables_for(kernel->init_p2m, l->nr_p2m * KERNEL_PAGE);
	} else {
		l->p2m = next;
		l->p2m_virt = layout_virt(l, next);
		next += l->nr_p2m;
	}
	l->start_info = next++;
	l->store = next++;
	l->console = next++;
	if (!fits_behind_base(l->virt_base, next, extra)) {
		*why = "kernel and ramdisk do not fit behind the kernel's base address";
		return -EINVAL;
	}
	place_tables(l, next, extra);
	next = l->mapped_end;
	if (kernel->flags & KERNEL_MOD_START_PFN) {
		l->ramdisk = next;
		next += l->nr_ramdisk;
	}
	if (kernel->flags & KERNEL_HAS_INIT_P2M) {
		l->p2m = next;
		l->p2m_virt = kernel->init_p2m;
		next += l->nr_p2m;
	}
	if (!list_off_kernel(l, kernel)) {
		*why = "the kernel wants the list of its frames where the kernel itself lies";
		return -EINVAL;
	}
	/* More memory makes the p2m list longer, so *need allows for that. */
	*need = next;
	if (next > nr_pages) {
		*need +=
			pages(next * sizeof(uint64_t)) - l->nr_p2m + (extra != 0 ? 4 : ALIGN_PAGES);
		*why = "the guest's memory cannot hold its kernel and ramdisk";
		return -ENOMEM;
	}
	return 0;
}

_Static_assert(PTRS_PER_PAGE == 512, "9 bits of an address for each level");
