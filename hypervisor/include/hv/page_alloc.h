/* SPDX-License-Identifier: MIT */
/*
 * The allocator of RAM (core/base/page_alloc.c): it gives frames to domains and to the hypervisor's
 * own heap, clears them, and takes them back.
 */
#ifndef HV_PAGE_ALLOC_H
#define HV_PAGE_ALLOC_H

#include "hv/frame.h"
#include "lib/types.h"

struct domain;

#define MAX_ORDER	 18
#define MEMF_NO_SCRUB	 BIT(0) /* the caller overwrites all of it before anyone reads it */
#define MEMF_NO_ASSIGN	 BIT(1) /* page_alloc: owner is left NULL, no accounting */
#define MEMF_NO_REFCOUNT BIT(2) /* assigned, but not counted in d->memory.tot_pages */
#define MEMF_BITS(n)	 ((unsigned int)(n) << 8) /* machine addresses below 2^n only; 0: any */
#define MEMF_GET_BITS(f) (((f) >> 8) & 0xff)

/* Boot: gives the range to the allocator. */
void page_alloc_add_range(paddr_t start, paddr_t end);
/*
 * Boot: marks RAM that the hypervisor keeps (PGC_HV). page_alloc_add_range may give it to the
 * allocator later.
 */
void page_alloc_hold_range(paddr_t start, paddr_t end);
/*
 * Allocates 2^order contiguous, aligned frames for `d` (NULL: for nobody), zeroed unless
 * MEMF_NO_SCRUB. No CPU has a stale translation to them. They count against d->memory.max_pages.
 * Each frame of a domain has PGC_ALLOCATED | 1.
 *
 * NULL: out of memory, or over d's limit. Interrupts on, no lock (arch_page_reused).
 */
struct page_info *page_alloc(struct domain *d, unsigned int order, unsigned int memf);
/*
 * Unowned frames (no `d`, or MEMF_NO_ASSIGN) have no reference, and page_get cannot take one. A
 * domain's frames stay on d->memory.pages until the last reference is dropped. Code that walks the
 * list may take frames off it only to put them back.
 */
/*
 * Frees unowned frames (page_alloc without owner). A domain's frame is freed when page_put drops
 * its last reference.
 */
void page_free(struct page_info *pg, unsigned int order);
/*
 * Gives unowned frames to `d`, with PGC_ALLOCATED | 1. -E2BIG: over max_pages (not checked with
 * MEMF_NO_REFCOUNT). -EINVAL: d is dying.
 */
int __must_check page_assign(struct domain *d, struct page_info *pg, unsigned int order,
			     unsigned int memf);
/*
 * Takes a frame away from its owner `d`. The frame must have only the allocation reference, and no
 * type reference. On success the frame is unowned and off d's list, and d's page count is lowered
 * unless MEMF_NO_REFCOUNT. -EINVAL: not d's, or the hypervisor's. -EBUSY: it has other references.
 */
int __must_check __nonnull_arg(1)
	page_steal(struct domain *d, struct page_info *pg, unsigned int memf);
/* Free frames, with the free parts of the heap's chunks. */
unsigned long page_alloc_free_count(void);
/* Free frames whose address width in bits is in the range (max_bits 0: no limit), for availheap. */
unsigned long page_alloc_free_in(unsigned int min_bits, unsigned int max_bits);
/* Free frames that are still to be scrubbed. */
unsigned long page_alloc_dirty_count(void);
/*
 * Idle work, for one CPU at a time: scrubs a bounded amount. False: nothing is left, or what is
 * left has to wait. Interrupts on, no lock, as for page_alloc.
 */
bool page_alloc_scrub_some(void);
/*
 * Claims (XENMEM_claim_pages): sets frames aside for d, so that allocations for others leave them
 * free. `pages`: d's total that the claim is for; 0 drops the claim. 0, -ENOMEM, -EINVAL.
 */
int page_claim(struct domain *d, unsigned long pages);
unsigned long page_claimed_total(void);

#endif
