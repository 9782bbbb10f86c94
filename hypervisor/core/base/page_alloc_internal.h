/* SPDX-License-Identifier: MIT */
/*
 * Private to page_alloc.c, page_ref.c, hv_heap.c and shared_page.c; memory_dump.c reads the counts.
 */
#ifndef CORE_BASE_PAGE_ALLOC_INTERNAL_H
#define CORE_BASE_PAGE_ALLOC_INTERNAL_H

#include "hv/frame.h"

/* page_assign for frames for which arch_page_reused was called already. */
int __must_check page_assign_prepared(struct domain *d, struct page_info *pg, unsigned int order,
				      unsigned int memf);
/*
 * Gives a frame back to the allocator. Its last reference is gone, and it is off the list of its
 * owner d.
 */
void page_alloc_release(struct page_info *pg, const struct domain *d);
/* Frames that page_alloc_hold_range still holds. */
unsigned long page_alloc_held_count(void);

/* Frames of the heap's chunks: the free ones, the used ones. */
unsigned long hv_heap_free_count(void);
unsigned long hv_heap_used_count(void);
/* The last reference to a shared page is gone. */
void shared_page_release(struct page_info *pg);

#endif
