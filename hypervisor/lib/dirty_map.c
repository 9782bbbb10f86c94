/* SPDX-License-Identifier: MIT */
#include "lib/dirty_map.h"

#include "lib/types.h"

static u64 *word_of(const struct dirty_map *m, unsigned long word)
{
	unsigned long leaf = word / DIRTY_MAP_LEAF_WORDS;

	return leaf < m->nr_leaves ? &m->leaves[leaf][word % DIRTY_MAP_LEAF_WORDS] : NULL;
}

void dirty_map_set(struct dirty_map *m, unsigned long bit)
{
	u64 *word = word_of(m, bit / 64), mask = BIT(bit % 64);

	/* Most often the bit is set already. The order is the caller's: see x86/mm/log_dirty.c. */
	if (word && !(__atomic_load_n(word, __ATOMIC_SEQ_CST) & mask) &&
	    !(__atomic_fetch_or(word, mask, __ATOMIC_SEQ_CST) & mask))
		__atomic_fetch_add(&m->count, 1, __ATOMIC_RELAXED);
}

bool dirty_map_test(const struct dirty_map *m, unsigned long bit)
{
	const u64 *word = word_of(m, bit / 64);

	return word && (READ_ONCE(*word) & BIT(bit % 64));
}

void dirty_map_read(const struct dirty_map *m, unsigned long word, u64 *out, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		const u64 *w = word_of(m, word + i);

		out[i] = w ? READ_ONCE(*w) : ~0UL;
	}
}

void dirty_map_take(struct dirty_map *m, unsigned long word, u64 *out, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		u64 *w = word_of(m, word + i);

		if (!w)
			out[i] = ~0UL;
		else
			out[i] = READ_ONCE(*w) ? __atomic_exchange_n(w, 0, __ATOMIC_SEQ_CST) : 0;
	}
}

void dirty_map_give_back(struct dirty_map *m, unsigned long word, const u64 *in, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		u64 *w = word_of(m, word + i);

		if (w && in[i])
			__atomic_fetch_or(w, in[i], __ATOMIC_SEQ_CST);
	}
}

void dirty_map_set_all(struct dirty_map *m, unsigned long end)
{
	for (unsigned long i = 0; i < end; i++) {
		u64 *w = word_of(m, i);

		if (w)
			__atomic_store_n(w, ~0UL, __ATOMIC_SEQ_CST);
	}
}
