/* SPDX-License-Identifier: MIT */
/* Range sets against a bit for each number. */
/* links: hypervisor/lib/rangeset.c */
#include "lib/rangeset.h"
#include "lib/errno.h"
#include <stdlib.h>
#include "unit.h"

static bool out_of_memory;

static void *test_alloc(size_t size)
{
	return out_of_memory ? NULL : malloc(size);
}

static int setup(void **state)
{
	struct rangeset *r = malloc(sizeof(*r));

	rangeset_init(r, test_alloc, free);
	out_of_memory = false;
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	rangeset_destroy(*state);
	free(*state);
	return 0;
}

static void check_shape(const struct rangeset *r)
{
	for (unsigned int i = 0; i < r->nr; i++) {
		assert_true(r->ranges[i].first <= r->ranges[i].last);
		/* Ranges neither overlap nor touch. */
		if (i)
			assert_true(r->ranges[i].first > r->ranges[i - 1].last + 1);
	}
	assert_true(r->nr <= r->capacity);
}

static void agrees_with_a_bit_for_each_number(void **state)
{
	enum { N = 160 };
	struct rangeset *r = *state;
	bool in[N] = { false };
	uint64_t seed = UNIT_SEED;

	for (int round = 0; round < 20000; round++) {
		unsigned long first = unit_random(&seed) % N,
			      last = first + unit_random(&seed) % 12;
		bool add = unit_random(&seed) & 1, all = true;

		last = min(last, N - 1UL);
		assert_int_equal(add ? rangeset_add(r, first, last) :
				       rangeset_remove(r, first, last),
				 0);
		for (unsigned long i = first; i <= last; i++)
			in[i] = add;
		check_shape(r);
		first = unit_random(&seed) % N;
		last = min(first + unit_random(&seed) % 12, N - 1UL);
		for (unsigned long i = first; i <= last; i++)
			all &= in[i];
		assert_int_equal(rangeset_contains(r, first, last), all);
	}
}

static void merges_neighbours_and_splits(void **state)
{
	struct rangeset *r = *state;

	assert_int_equal(rangeset_add(r, 10, 19), 0);
	assert_int_equal(rangeset_add(r, 30, 39), 0);
	assert_int_equal(rangeset_add(r, 20, 29), 0);
	assert_int_equal(r->nr, 1);
	assert_int_equal(rangeset_remove(r, 15, 24), 0);
	assert_int_equal(r->nr, 2);
	assert_true(rangeset_contains(r, 10, 14) && rangeset_contains(r, 25, 39));
	for (unsigned long i = 15; i <= 24; i++)
		assert_false(rangeset_contains(r, i, i));
}

static void works_at_both_ends_of_the_numbers(void **state)
{
	struct rangeset *r = *state;

	assert_int_equal(rangeset_add(r, 0, ~0UL), 0);
	assert_true(rangeset_contains(r, 0, ~0UL));
	assert_int_equal(rangeset_add(r, 5, ~0UL), 0);
	assert_int_equal(r->nr, 1);
	assert_int_equal(rangeset_remove(r, 0, 0), 0);
	assert_int_equal(rangeset_remove(r, ~0UL, ~0UL), 0);
	assert_true(rangeset_contains(r, 1, ~0UL - 1));
	assert_false(rangeset_contains(r, 0, 0) || rangeset_contains(r, ~0UL, ~0UL));
	assert_int_equal(rangeset_add(r, ~0UL, ~0UL), 0);
	assert_int_equal(rangeset_add(r, 0, 0), 0);
	assert_int_equal(r->nr, 1);
	assert_int_equal(rangeset_remove(r, 0, ~0UL), 0);
	assert_int_equal(r->nr, 0);
}

static void refuses_reversed_ranges(void **state)
{
	struct rangeset *r = *state;

	assert_int_equal(rangeset_add(r, 2, 1), -EINVAL);
	assert_int_equal(rangeset_remove(r, 2, 1), -EINVAL);
	assert_int_equal(rangeset_add(r, 0, 9), 0);
	assert_false(rangeset_contains(r, 2, 1));
}

static void fails_unchanged_without_memory(void **state)
{
	struct rangeset *r = *state;

	for (unsigned long i = 0; i < 8; i++)
		assert_int_equal(rangeset_add(r, i * 10, i * 10 + 4), 0);
	out_of_memory = true;
	assert_int_equal(rangeset_add(r, 200, 200), -ENOMEM);
	assert_int_equal(rangeset_remove(r, 12, 12), -ENOMEM);
	assert_int_equal(r->nr, 8);
	assert_true(rangeset_contains(r, 10, 14));
	assert_int_equal(rangeset_remove(r, 12, 14), 0);
}

static void is_bounded(void **state)
{
	struct rangeset *r = *state;

	for (unsigned long i = 0; i < RANGESET_MAX; i++)
		assert_int_equal(rangeset_add(r, i * 4, i * 4 + 2), 0);
	assert_int_equal(rangeset_add(r, RANGESET_MAX * 4, RANGESET_MAX * 4), -E2BIG);
	assert_int_equal(rangeset_remove(r, 1, 1), -E2BIG);
	assert_int_equal(r->nr, RANGESET_MAX);
	assert_int_equal(rangeset_add(r, 3, 3), 0);
	assert_int_equal(r->nr, RANGESET_MAX - 1);
	check_shape(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(agrees_with_a_bit_for_each_number, setup, teardown),
		cmocka_unit_test_setup_teardown(merges_neighbours_and_splits, setup, teardown),
		cmocka_unit_test_setup_teardown(works_at_both_ends_of_the_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_reversed_ranges, setup, teardown),
		cmocka_unit_test_setup_teardown(fails_unchanged_without_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(is_bounded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
