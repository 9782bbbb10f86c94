/* SPDX-License-Identifier: MIT */
/*
 * A set of unsigned longs, kept as sorted, disjoint, inclusive ranges [first, last] in one array.
 * The array grows through the caller's allocator, up to RANGESET_MAX ranges: no guest can grow it
 * without bound. Not locked.
 */
#ifndef LIB_RANGESET_H
#define LIB_RANGESET_H

#include "lib/types.h"

#define RANGESET_MAX 1024

struct range {
	unsigned long first, last;
};

struct rangeset {
	struct range *ranges;
	unsigned int nr, capacity;
	void *(*alloc)(size_t bytes); /* returns NULL when out of memory */
	void (*free)(void *p);
};

void rangeset_init(struct rangeset *r, void *(*alloc)(size_t), void (*free)(void *));
void rangeset_destroy(struct rangeset *r);
/*
 * Both: 0, -EINVAL (last < first), -ENOMEM, -E2BIG (too many ranges). On an error the set is
 * unchanged.
 */
int __must_check rangeset_add(struct rangeset *r, unsigned long first, unsigned long last);
int __must_check rangeset_remove(struct rangeset *r, unsigned long first, unsigned long last);
bool rangeset_contains(const struct rangeset *r, unsigned long first, unsigned long last);

#endif
