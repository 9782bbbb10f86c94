/* SPDX-License-Identifier: MIT */
/*
 * Free blocks of 2^order aligned frames, split and merged with their buddies. Each zone of the
 * machine's RAM is a struct buddy (page_alloc.c), and so are the free parts of the hypervisor's
 * chunks (hv_heap.c).
 *
 * Every frame of a free block has PGC_STATE_FREE. The first frame, the block's head, is on a list.
 * The bits of count_info that count references in a used frame hold in a head:
 *
 *   4..0   order + 1, so never 0; the other frames have 0 there
 *   23..5  index + 1 of the block's first frame that may be dirty (PGC_SCRUB); 0: none is
 *
 * No locks here: the caller's lock covers a struct buddy and all its frames.
 */
#ifndef CORE_BASE_BUDDY_H
#define CORE_BASE_BUDDY_H

#include "hv/frame.h"
#include "hv/page_alloc.h"

#define BUDDY_CLEAN (~0U) /* as a `first_dirty`: no frame is dirty */

struct buddy {
	/* Possibly dirty blocks are at the front, clean ones at the end. */
	struct page_list free[MAX_ORDER + 1];
	u32 nonempty; /* bit N: free[N] is not empty */
	unsigned int max_order;
	u32 flags;	       /* PGC_HV or 0: set in its frames besides PGC_STATE_FREE */
	unsigned long nr_free; /* frames */
};

enum buddy_preference { BUDDY_PREFER_CLEAN, BUDDY_PREFER_DIRTY };

void buddy_init(struct buddy *b, unsigned int max_order, u32 flags);
/*
 * Adds a block and merges it as far as possible. Its frames have PGC_STATE_FREE | b->flags, nothing
 * in the count bits, and PGC_SCRUB where they are dirty. first_dirty: an index in the block, or
 * BUDDY_CLEAN.
 */
void buddy_insert(struct buddy *b, struct page_info *pg, unsigned int order,
		  unsigned int first_dirty);
/*
 * Takes out a block of `order`; NULL: there is none. Its frames keep their flags; the head's count
 * bits are cleared.
 */
struct page_info *buddy_take(struct buddy *b, unsigned int order, enum buddy_preference prefer);
/*
 * Takes out a block of at most `max_order` with a frame that may be dirty, and sets *order. NULL:
 * all frames are clean.
 */
struct page_info *buddy_take_dirty(struct buddy *b, unsigned int max_order, unsigned int *order);

#endif
