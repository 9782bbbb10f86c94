/* SPDX-License-Identifier: MIT */
/* Text on a screen: what is drawn is what is kept, wherever lines end. */
/* links: hypervisor/lib/text_screen.c */
#include "lib/text_screen.h"

#include <string.h>
#include "unit.h"

static struct text_screen screen;
static char shown[SCREEN_ROWS_MAX][SCREEN_COLUMNS_MAX + 1];
static unsigned int drawn;

static void draw(unsigned int x, unsigned int y, char c)
{
	assert_true(x < screen.columns && y < screen.rows);
	assert_true(c >= ' ' && c <= '~');
	shown[y][x] = c;
	drawn++;
}

static void start(unsigned int columns, unsigned int rows)
{
	memset(shown, 0, sizeof(shown));
	text_screen_init(&screen, columns, rows, draw);
	text_screen_redraw(&screen);
	drawn = 0;
}

static void put(const char *text)
{
	text_screen_put(&screen, text, strlen(text));
}

static void lines(void **state)
{
	start(10, 4);
	put("one\r\ntwo");
	put(" more\nx\ty\n");
	assert_string_equal(shown[0], "one       ");
	assert_string_equal(shown[1], "two more  ");
	assert_string_equal(shown[2], "x       y ");
	assert_string_equal(shown[3], "          ");
}

static void a_long_line_wraps(void **state)
{
	start(10, 4);
	put("0123456789abc\n0123456789\nnext\n");
	assert_string_equal(shown[0], "0123456789");
	assert_string_equal(shown[1], "abc       ");
	assert_string_equal(shown[2], "0123456789");
	assert_string_equal(shown[3], "next      ");
}

/* The last row is used, and the screen moves up by half when one more line comes. */
static void a_full_screen_moves_up(void **state)
{
	start(10, 4);
	put("1\n2\n3\n4\n");
	assert_string_equal(shown[0], "1         ");
	assert_string_equal(shown[3], "4         ");
	put("5\n");
	assert_string_equal(shown[0], "3         ");
	assert_string_equal(shown[1], "4         ");
	assert_string_equal(shown[2], "5         ");
	assert_string_equal(shown[3], "          ");
	put("6\n\n7");
	assert_string_equal(shown[0], "5         ");
	assert_string_equal(shown[1], "6         ");
	assert_string_equal(shown[2], "          ");
	assert_string_equal(shown[3], "7         ");
}

static void what_stays_is_not_drawn_again(void **state)
{
	start(80, 25);
	for (unsigned int i = 0; i < 25; i++)
		put("the same words\n");
	drawn = 0;
	put("x\n");
	assert_true(drawn <= 12 * 14 + 1);
}

static void strange_characters(void **state)
{
	start(10, 2);
	put("\x1b[1m\x80\xff\x7f");
	assert_string_equal(shown[0], "?[1m???   ");
}

static void clear_draws_all(void **state)
{
	start(10, 3);
	put("text\n");
	memset(shown, '#', sizeof(shown));
	text_screen_clear(&screen);
	assert_memory_equal(shown[0], "          ", 10);
	assert_memory_equal(shown[2], "          ", 10);
	put("at the top");
	assert_memory_equal(shown[0], "at the top", 10);
}

static void a_huge_screen_is_used_in_part(void **state)
{
	start(480, 135);
	assert_int_equal(screen.columns, SCREEN_COLUMNS_MAX);
	assert_int_equal(screen.rows, SCREEN_ROWS_MAX);
	for (unsigned int i = 0; i < 300; i++)
		put("line\n");
}

static void the_smallest_screen(void **state)
{
	start(1, 1);
	put("ab\ncd\te\n");
	assert_string_equal(shown[0], "e");
}

/* Whatever is written, the screen shows what it keeps. */
static void any_text(void **state)
{
	u64 seed = UNIT_SEED;
	char text[64];

	for (unsigned int round = 0; round < 2000; round++) {
		if (round % 100 == 0)
			start((unsigned int)(unit_random(&seed) % 90) + 1,
			      (unsigned int)(unit_random(&seed) % 30) + 1);
		for (unsigned int i = 0; i < sizeof(text); i++)
			text[i] = (char)(unit_random(&seed) % 4 ? unit_random(&seed) : '\n');
		text_screen_put(&screen, text, sizeof(text));
		for (unsigned int y = 0; y < screen.rows; y++)
			assert_memory_equal(shown[y], screen.cells[y], screen.columns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(a_long_line_wraps),
		cmocka_unit_test(a_full_screen_moves_up),
		cmocka_unit_test(what_stays_is_not_drawn_again),
		cmocka_unit_test(strange_characters),
		cmocka_unit_test(clear_draws_all),
		cmocka_unit_test(a_huge_screen_is_used_in_part),
		cmocka_unit_test(the_smallest_screen),
		cmocka_unit_test(any_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
