/* SPDX-License-Identifier: MIT */
/* Between page_alloc.c, page_ref.c and hv_heap.c. */
#ifndef CORE_BASE_PAGE_ALLOC_H
#define CORE_BASE_PAGE_ALLOC_H

#include "hv/mm.h"

/* page_assign of frames that arch_page_reused was called for. */
int __must_check page_assign_prepared(struct domain *d, struct page_info *pg, unsigned int order,
				      unsigned int memf);
/* Back to the allocator: a frame whose last reference is gone, off the list of d, its owner. */
void page_alloc_release(struct page_info *pg, const struct domain *d);
/* Frames of page_alloc_hold_range that are still held. */
unsigned long page_alloc_held_count(void);

/* Frames of the heap's chunks that are not in use. */
unsigned long hv_heap_free_count(void);
unsigned long hv_heap_used_count(void);
/* The last reference to a shared page is gone. */
void shared_page_release(struct page_info *pg);

#endif
