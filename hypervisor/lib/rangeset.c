/* SPDX-License-Identifier: MIT */
/*
 * A sorted array of ranges, searched by bisection; adding merges every range that overlaps or
 * touches.
 */
#include "lib/rangeset.h"
#include "lib/errno.h"
#include "lib/string.h"

void rangeset_init(struct rangeset *r, void *(*alloc)(size_t), void (*free)(void *))
{
	*r = (struct rangeset){ .alloc = alloc, .free = free };
}

void rangeset_destroy(struct rangeset *r)
{
	if (r->ranges)
		r->free(r->ranges);
	r->ranges = NULL;
	r->nr = r->capacity = 0;
}

/* Index of the first range that ends at or after `value`; nr if there is none. */
static unsigned int rangeset_find(const struct rangeset *r, unsigned long value)
{
	unsigned int low = 0, high = r->nr;

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (r->ranges[mid].last < value)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int rangeset_grow(struct rangeset *r)
{
	unsigned int capacity;
	struct range *bigger;

	if (r->nr < r->capacity)
		return 0;
	if (r->nr >= RANGESET_MAX)
		return -E2BIG;
	capacity = min(r->capacity ? r->capacity * 2 : 8U, (unsigned int)RANGESET_MAX);
	bigger = r->alloc(capacity * sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	if (r->ranges) {
		memcpy(bigger, r->ranges, r->nr * sizeof(*bigger));
		r->free(r->ranges);
	}
	r->ranges = bigger;
	r->capacity = capacity;
	return 0;
}

/*
 * Replaces the `old` slots at index `at` by `new` ones. If that is more, rangeset_grow() has made
 * room.
 */
static void rangeset_resize_at(struct rangeset *r, unsigned int at, unsigned int old,
			       unsigned int new)
{
	memmove(&r->ranges[at + new], &r->ranges[at + old],
		(r->nr - at - old) * sizeof(r->ranges[0]));
	r->nr = r->nr - old + new;
}

int rangeset_add(struct rangeset *r, unsigned long first, unsigned long last)
{
	unsigned int at, end;
	int err;

	if (last < first)
		return -EINVAL;
	/*
	 * All ranges become one, from the one that touches `first` from below to the one that
	 * touches `last` from above.
	 */
	at = rangeset_find(r, first ? first - 1 : 0);
	for (end = at; end < r->nr && (last == ~0UL || r->ranges[end].first <= last + 1); end++)
		;
	if (end == at) {
		err = rangeset_grow(r);
		if (err)
			return err;
		rangeset_resize_at(r, at, 0, 1);
	} else {
		first = min(first, r->ranges[at].first);
		last = max(last, r->ranges[end - 1].last);
		rangeset_resize_at(r, at, end - at, 1);
	}
	r->ranges[at] = (struct range){ first, last };
	return 0;
}

int rangeset_remove(struct rangeset *r, unsigned long first, unsigned long last)
{
	unsigned int at, end;
	int err;

	if (last < first)
		return -EINVAL;
	at = rangeset_find(r, first);
	if (at == r->nr)
		return 0;
	if (r->ranges[at].first < first && r->ranges[at].last > last) {
		err = rangeset_grow(r);
		if (err)
			return err;
		/*
		 * Split in two: the upper part keeps the old end, and the lower part gets a slot
		 * before it.
		 */
		rangeset_resize_at(r, at, 0, 1);
		r->ranges[at] = (struct range){ r->ranges[at + 1].first, first - 1 };
		r->ranges[at + 1].first = last + 1;
		return 0;
	}
	if (r->ranges[at].first < first)
		r->ranges[at++].last = first - 1;
	for (end = at; end < r->nr && r->ranges[end].last <= last; end++)
		;
	if (end < r->nr && r->ranges[end].first <= last)
		r->ranges[end].first = last + 1;
	if (end != at)
		rangeset_resize_at(r, at, end - at, 0);
	return 0;
}

bool rangeset_contains(const struct rangeset *r, unsigned long first, unsigned long last)
{
	unsigned int at = rangeset_find(r, first);

	return first <= last && at < r->nr && r->ranges[at].first <= first &&
	       r->ranges[at].last >= last;
}
