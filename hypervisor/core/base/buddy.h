/* SPDX-License-Identifier: MIT */
/*
 * Free blocks of 2^order aligned frames, split and merged with their buddies: the machine's RAM,
 * one struct buddy for each zone of it (page_alloc.c), and the free parts of the hypervisor's
 * chunks (hv_heap.c).
 *
 * Every frame of a free block has PGC_STATE_FREE. The first one, its head, is on a list and keeps
 * in the bits of count_info that count references elsewhere:
 *
 *   4..0	order + 1, so never 0; the other frames have 0 there
 *   23..5	index + 1 of the first frame of the block that may be dirty (PGC_SCRUB); 0: none is
 *
 * No locks here: the caller's lock covers a struct buddy and all frames in it.
 */
#ifndef CORE_BASE_BUDDY_H
#define CORE_BASE_BUDDY_H

#include "hv/mm.h"

#define BUDDY_CLEAN (~0U) /* as a `first_dirty`: no frame is dirty */

struct buddy {
	struct page_list
		free[MAX_ORDER + 1]; /* possibly dirty blocks at the front, clean ones at the end */
	u32 nonempty;		     /* bit for each order */
	unsigned int max_order;
	u32 flags;	       /* PGC_HV or 0: what its frames have besides PGC_STATE_FREE */
	unsigned long nr_free; /* frames */
};

enum buddy_preference { BUDDY_PREFER_CLEAN, BUDDY_PREFER_DIRTY };

void buddy_init(struct buddy *b, unsigned int max_order, u32 flags);
/*
 * Adds a block; its frames have PGC_STATE_FREE | b->flags and nothing in the count bits (PGC_SCRUB
 * as may be). `first_dirty` is an index in the block. The block merges as far as it can.
 */
void buddy_insert(struct buddy *b, struct page_info *pg, unsigned int order,
		  unsigned int first_dirty);
/* Takes a block of `order` out, or NULL. Its frames keep their flags; the head's count bits are
 * cleared. */
struct page_info *buddy_take(struct buddy *b, unsigned int order, enum buddy_preference prefer);
/*
 * Takes out a block of at most `max_order` that begins at or right below a frame that may be dirty,
 * and sets *order; NULL when all is clean.
 */
struct page_info *buddy_take_dirty(struct buddy *b, unsigned int max_order, unsigned int *order);

#endif
