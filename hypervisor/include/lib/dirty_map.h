/* SPDX-License-Identifier: MIT */
/*
 * A bitmap of pages that were written to, by frame number, in leaves that are allocated one by one.
 * Setting a bit takes no lock: any CPU may do it, also while another CPU takes bits out.
 */
#ifndef LIB_DIRTY_MAP_H
#define LIB_DIRTY_MAP_H

#include "lib/types.h"

#define DIRTY_MAP_LEAF_WORDS 512UL /* a page */
#define DIRTY_MAP_LEAF_BITS  (DIRTY_MAP_LEAF_WORDS * 64)

struct dirty_map {
	u64 **leaves;
	unsigned long nr_leaves; /* those that exist */
	u32 count;		 /* bits set since dirty_map_take_count */
};

/* Sets a bit. A bit beyond the leaves is left alone: dirty_map_read always reports those. */
void dirty_map_set(struct dirty_map *m, unsigned long bit);
bool dirty_map_test(const struct dirty_map *m, unsigned long bit);
/* Copies words from `word` on; all bits are set in words beyond the leaves. */
void dirty_map_read(const struct dirty_map *m, unsigned long word, u64 *out, unsigned int n);
/* The same, and clears what it copies. A bit that is set meanwhile is in the copy or stays. */
void dirty_map_take(struct dirty_map *m, unsigned long word, u64 *out, unsigned int n);
/* Sets again what dirty_map_take has cleared. */
void dirty_map_give_back(struct dirty_map *m, unsigned long word, const u64 *in, unsigned int n);
/* Sets every bit of the words below `end`. */
void dirty_map_set_all(struct dirty_map *m, unsigned long end);

#endif
