/* SPDX-License-Identifier: MIT */
/* Bit arrays: the searches and set operations work a long at a time. */
#include "lib/bitmap.h"

/* The bits of the last long of an nbits map that belong to the map. */
static unsigned long bitmap_last_mask(unsigned int nbits)
{
	unsigned int rest = nbits % BITS_PER_LONG;

	return rest ? BIT(rest) - 1 : ~0UL;
}

/*
 * The first position at or after `from` with a set bit (`invert` 0) or a clear bit (`invert` ~0).
 */
static unsigned int bitmap_search(const unsigned long *map, unsigned int nbits, unsigned int from,
				  unsigned long invert)
{
	unsigned long word;
	size_t i, last;
	unsigned int bit;

	if (from >= nbits)
		return nbits;
	last = BITMAP_LONGS(nbits) - 1;
	i = from / BITS_PER_LONG;
	word = (READ_ONCE(map[i]) ^ invert) & (~0UL << (from % BITS_PER_LONG));
	while (!word) {
		if (i == last)
			return nbits;
		i++;
		word = READ_ONCE(map[i]) ^ invert;
	}
	bit = (unsigned int)(i * BITS_PER_LONG) + (unsigned int)__builtin_ctzl(word);
	return min(bit, nbits);
}

unsigned int bitmap_first_set(const unsigned long *map, unsigned int nbits)
{
	return bitmap_search(map, nbits, 0, 0);
}

unsigned int bitmap_next_set(const unsigned long *map, unsigned int nbits, unsigned int from)
{
	return bitmap_search(map, nbits, from, 0);
}

unsigned int bitmap_first_clear(const unsigned long *map, unsigned int nbits)
{
	return bitmap_search(map, nbits, 0, ~0UL);
}

unsigned int bitmap_next_clear(const unsigned long *map, unsigned int nbits, unsigned int from)
{
	return bitmap_search(map, nbits, from, ~0UL);
}

/*
 * Counts the bits in parallel within the long: without POPCNT the compiler would call a library
 * function.
 */
static unsigned int long_weight(unsigned long w)
{
	w -= (w >> 1) & 0x5555555555555555UL;
	w = (w & 0x3333333333333333UL) + ((w >> 2) & 0x3333333333333333UL);
	w = (w + (w >> 4)) & 0x0f0f0f0f0f0f0f0fUL;
	return (unsigned int)((w * 0x0101010101010101UL) >> 56);
}

unsigned int bitmap_weight(const unsigned long *map, unsigned int nbits)
{
	size_t longs = BITMAP_LONGS(nbits);
	unsigned int weight = 0;

	if (!longs)
		return 0;
	for (size_t i = 0; i < longs - 1; i++)
		weight += long_weight(map[i]);
	return weight + long_weight(map[longs - 1] & bitmap_last_mask(nbits));
}

bool bitmap_is_empty(const unsigned long *map, unsigned int nbits)
{
	return bitmap_search(map, nbits, 0, 0) == nbits;
}

bool bitmap_intersects(const unsigned long *a, const unsigned long *b, unsigned int nbits)
{
	size_t longs = BITMAP_LONGS(nbits);

	if (!longs)
		return false;
	for (size_t i = 0; i < longs - 1; i++)
		if (a[i] & b[i])
			return true;
	return a[longs - 1] & b[longs - 1] & bitmap_last_mask(nbits);
}

void bitmap_and(unsigned long *dst, const unsigned long *a, const unsigned long *b,
		unsigned int nbits)
{
	for (size_t i = 0; i < BITMAP_LONGS(nbits); i++)
		dst[i] = a[i] & b[i];
}

void bitmap_zero(unsigned long *map, unsigned int nbits)
{
	for (size_t i = 0; i < BITMAP_LONGS(nbits); i++)
		map[i] = 0;
}

void bitmap_fill(unsigned long *map, unsigned int nbits)
{
	size_t longs = BITMAP_LONGS(nbits);

	if (!longs)
		return;
	for (size_t i = 0; i < longs - 1; i++)
		map[i] = ~0UL;
	map[longs - 1] = bitmap_last_mask(nbits);
}
