/* SPDX-License-Identifier: MIT */
/*
 * Bit arrays of unsigned longs. bitmap_* functions are plain; bit_*_atomic ones are single locked
 * instructions. Searches return `nbits` when nothing is found.
 */
#ifndef LIB_BITMAP_H
#define LIB_BITMAP_H

#include "lib/types.h"

#define BITS_PER_LONG	64
#define BITMAP_LONGS(n) DIV_ROUND_UP((size_t)(n), (size_t)BITS_PER_LONG)
#define BITMAP(name, n) unsigned long name[BITMAP_LONGS(n)]

static inline void bitmap_set_bit(unsigned long *map, unsigned int n)
{
	map[n / BITS_PER_LONG] |= BIT(n % BITS_PER_LONG);
}

static inline void bitmap_clear_bit(unsigned long *map, unsigned int n)
{
	map[n / BITS_PER_LONG] &= ~BIT(n % BITS_PER_LONG);
}

static inline bool bitmap_test_bit(const unsigned long *map, unsigned int n)
{
	return (READ_ONCE(map[n / BITS_PER_LONG]) >> (n % BITS_PER_LONG)) & 1;
}

static inline void bit_set_atomic(void *map, unsigned int n)
{
	__asm__ __volatile__("lock btsl %1, %0" : "+m"(*(u32(*)[])map) : "r"(n) : "memory");
}

static inline void bit_clear_atomic(void *map, unsigned int n)
{
	__asm__ __volatile__("lock btrl %1, %0" : "+m"(*(u32(*)[])map) : "r"(n) : "memory");
}

static inline bool bit_test_and_set_atomic(void *map, unsigned int n)
{
	bool old;

	__asm__ __volatile__("lock btsl %2, %0"
			     : "+m"(*(u32(*)[])map), "=@ccc"(old)
			     : "r"(n)
			     : "memory");
	return old;
}

static inline bool bit_test_and_clear_atomic(void *map, unsigned int n)
{
	bool old;

	__asm__ __volatile__("lock btrl %2, %0"
			     : "+m"(*(u32(*)[])map), "=@ccc"(old)
			     : "r"(n)
			     : "memory");
	return old;
}

unsigned int bitmap_first_set(const unsigned long *map, unsigned int nbits);
unsigned int bitmap_next_set(const unsigned long *map, unsigned int nbits, unsigned int from);
unsigned int bitmap_first_clear(const unsigned long *map, unsigned int nbits);
unsigned int bitmap_next_clear(const unsigned long *map, unsigned int nbits, unsigned int from);
unsigned int bitmap_weight(const unsigned long *map, unsigned int nbits);
bool bitmap_is_empty(const unsigned long *map, unsigned int nbits);
bool bitmap_intersects(const unsigned long *a, const unsigned long *b, unsigned int nbits);
void bitmap_and(unsigned long *dst, const unsigned long *a, const unsigned long *b,
		unsigned int nbits);
void bitmap_zero(unsigned long *map, unsigned int nbits);
/* Sets the first nbits, clears the rest. */
void bitmap_fill(unsigned long *map, unsigned int nbits);

#define bitmap_for_each(bit, map, nbits)                            \
	for ((bit) = bitmap_first_set(map, nbits); (bit) < (nbits); \
	     (bit) = bitmap_next_set(map, nbits, (bit) + 1))

#endif
