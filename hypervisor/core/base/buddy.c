/* SPDX-License-Identifier: MIT */
/*
 * The buddy allocator: takes, splits and merges free blocks, and keeps track of where in a block
 * the first dirty frame may be.
 */
#include "core/base/buddy.h"

#define HEAD_ORDER_MASK	 0x1fU
#define HEAD_DIRTY_SHIFT 5
#define HEAD_MASK	 0xffffffU
_Static_assert(HEAD_MASK <= PGC_COUNT_MASK, "a head's order and dirty index lie in the count bits");
_Static_assert((2UL << MAX_ORDER << HEAD_DIRTY_SHIFT) - 1 <= HEAD_MASK,
	       "index + 1 of any frame of a block fits");
_Static_assert(MAX_ORDER + 1 <= HEAD_ORDER_MASK, "order + 1 fits");

void buddy_init(struct buddy *b, unsigned int max_order, u32 flags)
{
	for (unsigned int i = 0; i <= MAX_ORDER; i++)
		b->free[i] = (struct page_list)PAGE_LIST_INIT;
	b->nonempty = 0;
	b->max_order = max_order;
	b->flags = flags;
	b->nr_free = 0;
}

static unsigned int head_first_dirty(const struct page_info *pg)
{
	/* 0, "none", becomes BUDDY_CLEAN. */
	return ((pg->count_info & HEAD_MASK) >> HEAD_DIRTY_SHIFT) - 1;
}

static void block_link(struct buddy *b, struct page_info *pg, unsigned int order,
		       unsigned int first_dirty)
{
	pg->count_info = (u32)(pg->count_info & ~PGC_COUNT_MASK) | (order + 1) |
			 ((first_dirty + 1) << HEAD_DIRTY_SHIFT);
	if (first_dirty == BUDDY_CLEAN)
		page_list_add_tail(pg, &b->free[order]);
	else
		page_list_add(pg, &b->free[order]);
	b->nonempty |= 1U << order;
}

/* Returns what head_first_dirty was. */
static unsigned int block_unlink(struct buddy *b, struct page_info *pg, unsigned int order)
{
	unsigned int first_dirty = head_first_dirty(pg);

	page_list_del(pg, &b->free[order]);
	if (!b->free[order].nr)
		b->nonempty &= ~(1U << order);
	pg->count_info &= ~(u32)PGC_COUNT_MASK;
	return first_dirty;
}

/*
 * The buddy of a block, or NULL if it is not free as a whole. Only for orders below MAX_ORDER: both
 * lie then in one aligned group of 2^MAX_ORDER frames, whose frame table entries all exist or all
 * do not. A block at frame 0 does not merge upward: its buddy belongs to another zone.
 */
static struct page_info *block_free_buddy(const struct buddy *b, unsigned long mfn,
					  unsigned int order)
{
	unsigned long other = mfn ^ (1UL << order);
	struct page_info *pg = mfn_to_page(MFN(other));
	u32 wanted = (u32)PGC_STATE_FREE | b->flags | (order + 1);

	if (!mfn || !other)
		return NULL;
	return (pg->count_info & (PGC_STATE_FREE | PGC_HV | HEAD_ORDER_MASK)) == wanted ? pg : NULL;
}

void buddy_insert(struct buddy *b, struct page_info *pg, unsigned int order,
		  unsigned int first_dirty)
{
	b->nr_free += 1UL << order;
	for (; order < b->max_order; order++) {
		struct page_info *other = block_free_buddy(b, mfn_x(page_to_mfn(pg)), order);
		unsigned int other_dirty, half = 1U << order;

		if (!other)
			break;
		other_dirty = block_unlink(b, other, order);
		if (other < pg) {
			if (other_dirty == BUDDY_CLEAN && first_dirty != BUDDY_CLEAN)
				other_dirty = first_dirty + half;
			pg = other;
			first_dirty = other_dirty;
		} else if (first_dirty == BUDDY_CLEAN && other_dirty != BUDDY_CLEAN) {
			first_dirty = other_dirty + half;
		}
	}
	block_link(b, pg, order, first_dirty);
}

/*
 * The first_dirty of a block's two halves. If the lower half has a dirty frame, nothing is known of
 * the upper half, so all of it may be dirty.
 */
static unsigned int lower_dirty(unsigned int first_dirty, unsigned int half)
{
	return first_dirty < half ? first_dirty : BUDDY_CLEAN;
}

static unsigned int upper_dirty(unsigned int first_dirty, unsigned int half)
{
	if (first_dirty == BUDDY_CLEAN)
		return BUDDY_CLEAN;
	return first_dirty < half ? 0 : first_dirty - half;
}

struct page_info *buddy_take(struct buddy *b, unsigned int order, enum buddy_preference prefer)
{
	u32 orders = order > b->max_order ? 0 : b->nonempty >> order << order;
	unsigned int from, first_dirty;
	struct page_info *pg;

	if (!orders)
		return NULL;
	from = (unsigned int)__builtin_ctz(orders);
	pg = frame_table + (prefer == BUDDY_PREFER_CLEAN ? b->free[from].tail : b->free[from].head);
	first_dirty = block_unlink(b, pg, from);
	while (from > order) {
		unsigned int half = 1U << --from;

		block_link(b, pg + half, from, upper_dirty(first_dirty, half));
		first_dirty = lower_dirty(first_dirty, half);
	}
	b->nr_free -= 1UL << order;
	return pg;
}

struct page_info *buddy_take_dirty(struct buddy *b, unsigned int max_order, unsigned int *order)
{
	for (u32 orders = b->nonempty; orders; orders &= orders - 1) {
		unsigned int from = (unsigned int)__builtin_ctz(orders), first_dirty;
		struct page_info *pg = page_list_first(&b->free[from]);

		if (head_first_dirty(pg) == BUDDY_CLEAN)
			continue;
		first_dirty = block_unlink(b, pg, from);
		while (from > max_order) {
			unsigned int half = 1U << --from;

			if (first_dirty < half) {
				block_link(b, pg + half, from, upper_dirty(first_dirty, half));
			} else {
				block_link(b, pg, from, BUDDY_CLEAN);
				pg += half;
				first_dirty -= half;
			}
		}
		b->nr_free -= 1UL << from;
		*order = from;
		return pg;
	}
	return NULL;
}
