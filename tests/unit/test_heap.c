/* SPDX-License-Identifier: MIT */
/* The heap: its order, removal of any element, and its bounds. */
/* links: hypervisor/lib/heap.c */
#include "lib/heap.h"
#include "lib/errno.h"
#include "unit.h"

enum { SLOTS = 200 };

static struct heap_node *array[SLOTS];
static struct heap_node nodes[SLOTS];

static void check_order(const struct heap *h)
{
	for (u32 i = 1; i <= h->nr; i++) {
		assert_int_equal(h->nodes[i]->index, i);
		if (i > 1)
			assert_true(h->nodes[i / 2]->key <= h->nodes[i]->key);
	}
}

static void yields_elements_in_order(void **state)
{
	uint64_t seed = UNIT_SEED, last = 0;
	struct heap h;

	heap_init(&h, array, SLOTS);
	assert_null(heap_min(&h));
	for (int i = 0; i < SLOTS - 1; i++) {
		nodes[i] = (struct heap_node){ 0 };
		assert_int_equal(heap_insert(&h, &nodes[i], unit_random(&seed) % 100), 0);
		check_order(&h);
	}
	while (heap_min(&h)) {
		struct heap_node *n = heap_min(&h);

		assert_true(n->key >= last);
		last = n->key;
		heap_remove(&h, n);
		assert_int_equal(n->index, 0);
		check_order(&h);
	}
}

static void removes_any_element(void **state)
{
	uint64_t seed = UNIT_SEED;
	struct heap h;

	heap_init(&h, array, SLOTS);
	for (int i = 0; i < SLOTS; i++)
		nodes[i] = (struct heap_node){ 0 };
	for (int round = 0; round < 20000; round++) {
		struct heap_node *n = &nodes[unit_random(&seed) % (SLOTS - 1)];

		if (n->index)
			heap_remove(&h, n);
		else
			assert_int_equal(heap_insert(&h, n, unit_random(&seed)), 0);
		check_order(&h);
	}
}

static void a_full_heap_refuses(void **state)
{
	struct heap_node *small[3], a = { 0 }, b = { 0 }, c = { 0 };
	struct heap h;

	heap_init(&h, small, 3);
	assert_int_equal(heap_insert(&h, &a, 2), 0);
	assert_int_equal(heap_insert(&h, &b, 1), 0);
	assert_int_equal(heap_insert(&h, &c, 0), -ENOSPC);
	assert_int_equal(c.index, 0);
	assert_ptr_equal(heap_min(&h), &b);
	heap_init(&h, NULL, 0);
	assert_int_equal(heap_insert(&h, &c, 0), -ENOSPC);
}

static void removing_an_element_that_is_in_no_heap_does_nothing(void **state)
{
	struct heap_node *small[3], a = { 0 }, b = { 0 };
	struct heap h;

	heap_init(&h, small, 3);
	assert_int_equal(heap_insert(&h, &a, 2), 0);
	heap_remove(&h, &b);
	assert_int_equal(h.nr, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(yields_elements_in_order),
		cmocka_unit_test(removes_any_element),
		cmocka_unit_test(a_full_heap_refuses),
		cmocka_unit_test(removing_an_element_that_is_in_no_heap_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
