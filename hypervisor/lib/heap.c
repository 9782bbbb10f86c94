/* SPDX-License-Identifier: MIT */
/* Binary heap with 1-based indices: the children of slot i are 2i and 2i + 1. */
#include "lib/heap.h"
#include "lib/errno.h"

void heap_init(struct heap *h, struct heap_node **array, u32 slots)
{
	h->nodes = array;
	h->nr = 0;
	h->capacity = slots ? slots - 1 : 0;
}

static void heap_place(struct heap *h, struct heap_node *n, u32 index)
{
	h->nodes[index] = n;
	n->index = index;
}

/*
 * Moves the free slot `index` towards the root until its parent's key is no larger than n's, and
 * puts `n` there.
 */
static void heap_sift_up(struct heap *h, struct heap_node *n, u32 index)
{
	while (index > 1 && h->nodes[index / 2]->key > n->key) {
		heap_place(h, h->nodes[index / 2], index);
		index /= 2;
	}
	heap_place(h, n, index);
}

/* Moves the free slot away from the root until no child's key is smaller, and puts `n` there. */
static void heap_sift_down(struct heap *h, struct heap_node *n, u32 index)
{
	while (index <= h->nr / 2) {
		u32 child = index * 2;

		if (child < h->nr && h->nodes[child + 1]->key < h->nodes[child]->key)
			child++;
		if (h->nodes[child]->key >= n->key)
			break;
		heap_place(h, h->nodes[child], index);
		index = child;
	}
	heap_place(h, n, index);
}

int heap_insert(struct heap *h, struct heap_node *n, u64 key)
{
	if (h->nr >= h->capacity)
		return -ENOSPC;
	n->key = key;
	heap_sift_up(h, n, ++h->nr);
	return 0;
}

void heap_remove(struct heap *h, struct heap_node *n)
{
	u32 index = n->index;
	struct heap_node *last;

	if (!index)
		return;
	n->index = 0;
	last = h->nodes[h->nr--];
	if (last == n)
		return;
	/* The last element comes from another branch, so it may belong above or below the hole. */
	if (index > 1 && h->nodes[index / 2]->key > last->key)
		heap_sift_up(h, last, index);
	else
		heap_sift_down(h, last, index);
}
