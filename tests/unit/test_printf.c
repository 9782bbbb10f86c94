/* SPDX-License-Identifier: MIT */
/* printf() against the C library's. */
/* links: hypervisor/lib/printf.c */
#include "lib/printf.h"
#include <stdio.h>
#include <string.h>
#include "unit.h"

#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-overflow"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"

/* Prints by our function and by the C library's, and compares text and length. */
#define same_as_libc(...)                                         \
	do {                                                      \
		char a[512], b[512];                              \
		int la = fmt_snprintf(a, sizeof(a), __VA_ARGS__); \
		int lb = snprintf(b, sizeof(b), __VA_ARGS__);     \
		assert_string_equal(a, b);                        \
		assert_int_equal(la, lb);                         \
	} while (0)

static void prints_integers_as_the_c_library_does(void **state)
{
	static const char *const flags[] = { "",   "-",	 "0",  "+",  " ",  "#",
					     "-#", "0#", "+0", "-+", " 0", "#+ 0" };
	static const char *const widths[] = { "", "1", "5", "12", "25" };
	static const char *const precisions[] = { "", ".", ".0", ".1", ".4", ".24" };
	static const char *const lengths[] = { "", "hh", "h", "l", "ll", "z" };
	static const unsigned long values[] = { 0,	    1,		9,	    0x7f,
						0x80,	    0xff,	0xffff,	    0x8000,
						0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
						~0UL,	    1UL << 63,	~0UL >> 1 };

	for (size_t f = 0; f < ARRAY_SIZE(flags); f++)
		for (size_t w = 0; w < ARRAY_SIZE(widths); w++)
			for (size_t p = 0; p < ARRAY_SIZE(precisions); p++)
				for (size_t l = 0; l < ARRAY_SIZE(lengths); l++)
					for (const char *c = "diuxXo"; *c; c++)
						for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
							char fmt[64];

							snprintf(fmt, sizeof(fmt), "<%%%s%s%s%s%c>",
								 flags[f], widths[w], precisions[p],
								 lengths[l], *c);
							if (l >= 3)
								same_as_libc(fmt, values[v]);
							else
								same_as_libc(fmt, (int)values[v]);
						}
}

static void prints_text_as_the_c_library_does(void **state)
{
	same_as_libc("%s|%10s|%-10s|%.2s|%.10s|%*.*s|%-*s", "abc", "abc", "abc", "abc", "abc", 6, 1,
		     "abc", 5, "x");
	same_as_libc("%c%5c%-5c|%%|%d%s", 'a', 'b', 'c', -5, "");
	same_as_libc("%*d|%*d|%.*d", 8, 42, -8, 42, -1, 42);
	same_as_libc("%p", (void *)0xffff828000001234UL);
	same_as_libc("plain");
	same_as_libc("%.3s",
		     (const char[]){ 'a', 'b', 'c' }); /* no terminator within the precision */
}

static void shows_null_strings_and_pointers(void **state)
{
	char buf[32];

	fmt_snprintf(buf, sizeof(buf), "%s %p", NULL, NULL);
	assert_string_equal(buf, "(null) 0x0");
}

static void shows_unknown_and_cut_off_conversions(void **state)
{
	char buf[32];

	fmt_snprintf(buf, sizeof(buf), "a%qb");
	assert_string_equal(buf, "a%qb");
	fmt_snprintf(buf, sizeof(buf), "a%");
	assert_string_equal(buf, "a%");
	fmt_snprintf(buf, sizeof(buf), "a%-5l");
	assert_string_equal(buf, "a%");
}

static void cuts_at_the_buffer_and_returns_the_full_length(void **state)
{
	for (size_t size = 0; size < 12; size++) {
		char buf[16];

		memset(buf, 'X', sizeof(buf));
		assert_int_equal(fmt_snprintf(buf, size, "%s", "123456789"), 9);
		if (size) {
			size_t kept = size > 10 ? 9 : size - 1;

			assert_int_equal(strlen(buf), kept);
			assert_memory_equal(buf, "123456789", kept);
		}
		for (size_t i = size; i < sizeof(buf); i++)
			assert_int_equal(buf[i], 'X');
	}
	assert_int_equal(fmt_snprintf(NULL, 0, "%d", 12345), 5);
}

static void bounds_widths(void **state)
{
	assert_int_equal(fmt_snprintf(NULL, 0, "%99999999999d", 1), 4096);
	assert_int_equal(fmt_snprintf(NULL, 0, "%*d", -2147483647 - 1, 1), 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_integers_as_the_c_library_does),
		cmocka_unit_test(prints_text_as_the_c_library_does),
		cmocka_unit_test(shows_null_strings_and_pointers),
		cmocka_unit_test(shows_unknown_and_cut_off_conversions),
		cmocka_unit_test(cuts_at_the_buffer_and_returns_the_full_length),
		cmocka_unit_test(bounds_widths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
