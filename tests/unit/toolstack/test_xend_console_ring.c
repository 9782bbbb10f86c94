/* SPDX-License-Identifier: MIT */
/* The ring that a guest shares with its console: order, wrap, nonsense indices. */
/* links: toolstack/xend/console/console_ring.c */
#include "xend/console/console_ring.h"
#include <stdint.h>
#include <string.h>
#include <xen/xen.h>
#include <xen/io/console.h>
#include "unit.h"

static void guest_writes(struct xencons_interface *page, const char *text)
{
	for (; *text; text++)
		page->out[page->out_prod++ & (sizeof(page->out) - 1)] = *text;
}

static void test_what_the_guest_writes_is_taken_in_order(void **state)
{
	struct xencons_interface page = { 0 };
	char to[16];

	guest_writes(&page, "hello world");
	assert_int_equal(console_ring_take(&page, to, 5), 5);
	assert_memory_equal(to, "hello", 5);
	assert_int_equal(console_ring_take(&page, to, sizeof(to)), 6);
	assert_memory_equal(to, " world", 6);
	assert_int_equal(console_ring_take(&page, to, sizeof(to)), 0);
}

static void test_indices_wrap(void **state)
{
	struct xencons_interface page = { 0 };
	char to[8];

	page.out_cons = page.out_prod = UINT32_MAX - 2;
	guest_writes(&page, "abcdef");
	assert_int_equal(console_ring_take(&page, to, sizeof(to)), 6);
	assert_memory_equal(to, "abcdef", 6);
	assert_int_equal(page.out_cons, 3);
}

static void test_nonsense_indices_are_begun_anew(void **state)
{
	struct xencons_interface page = { .out_cons = 5, .out_prod = 4 };
	char to[4096];

	assert_int_equal(console_ring_take(&page, to, sizeof(to)), 0);
	assert_int_equal(page.out_cons, 4);
	page.out_prod = 4 + sizeof(page.out) + 1;
	assert_int_equal(console_ring_take(&page, to, sizeof(to)), 0);
	guest_writes(&page, "x");
	assert_int_equal(console_ring_take(&page, to, sizeof(to)), 1);
	page.in_cons = 7;
	assert_int_equal(console_ring_give(&page, "x", 1), 0);
}

static void test_input_fills_the_ring_and_no_more(void **state)
{
	struct xencons_interface page = { 0 };
	char text[2 * sizeof(page.in)];

	memset(text, 'y', sizeof(text));
	assert_int_equal(console_ring_give(&page, text, sizeof(text)), sizeof(page.in));
	assert_int_equal(console_ring_give(&page, text, 1), 0);
	page.in_cons += 3;
	assert_int_equal(console_ring_give(&page, "abcd", 4), 3);
	assert_memory_equal(page.in, "abc", 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_the_guest_writes_is_taken_in_order),
		cmocka_unit_test(test_indices_wrap),
		cmocka_unit_test(test_nonsense_indices_are_begun_anew),
		cmocka_unit_test(test_input_fills_the_ring_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
