/* SPDX-License-Identifier: MIT */
/*
 * A binary min-heap, ordered by a u64 key. Elements embed a struct heap_node, which knows its
 * place, so removing an element is O(log n). The caller owns the array; heap_insert fails with
 * -ENOSPC when it is full.
 */
#ifndef LIB_HEAP_H
#define LIB_HEAP_H

#include "lib/types.h"

struct heap_node {
	u64 key;
	u32 index; /* 1-based place in the array; 0: in no heap */
};

struct heap {
	struct heap_node **nodes; /* nodes[1 .. nr]; nodes[0] unused */
	u32 nr, capacity;	  /* elements held; elements that fit: one less than slots */
};

void heap_init(struct heap *h, struct heap_node **array, u32 slots);
int __must_check heap_insert(struct heap *h, struct heap_node *n, u64 key);
void heap_remove(struct heap *h, struct heap_node *n);
static inline struct heap_node *heap_min(const struct heap *h)
{
	return h->nr ? h->nodes[1] : NULL;
}

#endif
