/* SPDX-License-Identifier: MIT */
/* Bitmaps against a search that looks at each bit. */
/* links: hypervisor/lib/bitmap.c */
#include "lib/bitmap.h"
#include <string.h>
#include "unit.h"

enum { LONGS = 4 };

/* The obvious search, to compare with. */
static unsigned int slow_next(const unsigned long *map, unsigned int nbits, unsigned int from,
			      bool want)
{
	for (; from < nbits; from++)
		if (bitmap_test_bit(map, from) == want)
			return from;
	return nbits;
}

static void searches_agree_with_a_bit_by_bit_search(void **state)
{
	unsigned long map[LONGS];
	uint64_t seed = UNIT_SEED;

	for (int round = 0; round < 300; round++) {
		for (int i = 0; i < LONGS; i++) {
			map[i] = unit_random(&seed) & unit_random(&seed) & unit_random(&seed) &
				 unit_random(&seed);
			if (round % 3 == 1)
				map[i] = ~map[i];
			if (round % 5 == 0)
				map[i] = round % 2 ? ~0UL : 0;
		}
		for (unsigned int nbits = 0; nbits <= LONGS * 64; nbits += 1 + nbits % 7) {
			unsigned int weight = 0;

			for (unsigned int from = 0; from <= nbits + 2; from++) {
				unsigned int f = min(from, nbits);

				assert_int_equal(bitmap_next_set(map, nbits, from),
						 slow_next(map, nbits, f, true));
				assert_int_equal(bitmap_next_clear(map, nbits, from),
						 slow_next(map, nbits, f, false));
				weight += from < nbits && bitmap_test_bit(map, from);
			}
			assert_int_equal(bitmap_first_set(map, nbits),
					 slow_next(map, nbits, 0, true));
			assert_int_equal(bitmap_first_clear(map, nbits),
					 slow_next(map, nbits, 0, false));
			assert_int_equal(bitmap_weight(map, nbits), weight);
			assert_int_equal(bitmap_is_empty(map, nbits), weight == 0);
		}
	}
}

static void bits_beyond_the_end_do_not_count(void **state)
{
	unsigned long a[2] = { 0, ~0UL << 6 }, b[2] = { 0, ~0UL << 7 };

	assert_true(bitmap_is_empty(a, 70));
	assert_int_equal(bitmap_weight(a, 70), 0);
	assert_false(bitmap_intersects(a, b, 70));
	assert_false(bitmap_intersects(a, b, 71));
	assert_true(bitmap_intersects(a, b, 72));
	assert_true(!bitmap_intersects(a, b, 0) && bitmap_is_empty(a, 0));
}

static void fill_sets_exactly_the_map(void **state)
{
	for (unsigned int nbits = 0; nbits <= 192; nbits++) {
		unsigned long map[LONGS];

		memset(map, 0x5a, sizeof(map));
		bitmap_fill(map, nbits);
		assert_int_equal(bitmap_weight(map, (unsigned int)BITMAP_LONGS(nbits) * 64), nbits);
		assert_int_equal(map[BITMAP_LONGS(nbits)], 0x5a5a5a5a5a5a5a5aUL);
		bitmap_zero(map, nbits);
		assert_true(bitmap_is_empty(map, nbits));
		assert_int_equal(map[BITMAP_LONGS(nbits)], 0x5a5a5a5a5a5a5a5aUL);
	}
}

static void combines(void **state)
{
	unsigned long a[2] = { 0xf0, 3 }, b[2] = { 0x3c, 6 }, r[2];

	bitmap_and(r, a, b, 128);
	assert_true(r[0] == 0x30 && r[1] == 2);
}

static void atomic_bits_work_in_every_word(void **state)
{
	unsigned long map[LONGS] = { 0 };
	unsigned int bit, seen = 0;

	for (unsigned int i = 0; i < LONGS * 64; i += 5) {
		assert_false(bit_test_and_set_atomic(map, i));
		assert_true(bit_test_and_set_atomic(map, i));
		assert_true(bitmap_test_bit(map, i));
	}
	bitmap_for_each(bit, map, LONGS * 64)
		assert_int_equal(bit, 5 * seen++);
	for (unsigned int i = 0; i < LONGS * 64; i += 5) {
		assert_true(bit_test_and_clear_atomic(map, i));
		assert_false(bit_test_and_clear_atomic(map, i));
		bit_set_atomic(map, i);
		bit_clear_atomic(map, i);
		bitmap_set_bit(map, i);
		bitmap_clear_bit(map, i);
	}
	assert_true(bitmap_is_empty(map, LONGS * 64));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(searches_agree_with_a_bit_by_bit_search),
		cmocka_unit_test(bits_beyond_the_end_do_not_count),
		cmocka_unit_test(fill_sets_exactly_the_map),
		cmocka_unit_test(combines),
		cmocka_unit_test(atomic_bits_work_in_every_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
