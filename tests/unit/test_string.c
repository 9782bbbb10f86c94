/* SPDX-License-Identifier: MIT */
/* The hypervisor's string functions against the C library's. They get other names here, so that
 * they do not replace the C library's in the sanitizer's own code. */
#define memcpy	hv_memcpy
#define memmove hv_memmove
#define memset	hv_memset
#define memcmp	hv_memcmp
#define strlen	hv_strlen
#define strnlen hv_strnlen
#define strcmp	hv_strcmp
#define strncmp hv_strncmp
#define strchr	hv_strchr
#include "lib/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#include <stdlib.h>
#include "unit.h"

enum { AREA = 400 };

static void fill(u8 *p, size_t n)
{
	uint64_t seed = UNIT_SEED;

	for (size_t i = 0; i < n; i++)
		p[i] = (u8)unit_random(&seed);
}

static void copies_every_length_and_alignment(void **state)
{
	u8 src[AREA], dst[AREA], want[AREA];

	fill(src, AREA);
	for (size_t n = 0; n < 200; n++)
		for (size_t so = 0; so < 9; so++)
			for (size_t to = 0; to < 9; to++) {
				for (size_t i = 0; i < AREA; i++)
					dst[i] = want[i] = 0xa5;
				for (size_t i = 0; i < n; i++)
					want[to + i] = src[so + i];
				assert_ptr_equal(hv_memcpy(dst + to, src + so, n), dst + to);
				assert_memory_equal(dst, want, AREA);
			}
}

static void moves_overlapping_areas_both_ways(void **state)
{
	u8 buf[AREA], want[AREA], tmp[AREA];

	for (size_t n = 0; n < 150; n++)
		for (size_t so = 0; so < 120; so += 3)
			for (size_t to = 0; to < 120; to += 7) {
				fill(buf, AREA);
				fill(want, AREA);
				for (size_t i = 0; i < n; i++)
					tmp[i] = buf[so + i];
				for (size_t i = 0; i < n; i++)
					want[to + i] = tmp[i];
				assert_ptr_equal(hv_memmove(buf + to, buf + so, n), buf + to);
				assert_memory_equal(buf, want, AREA);
			}
}

static void sets_every_length_and_touches_nothing_else(void **state)
{
	u8 buf[AREA], want[AREA];

	for (size_t n = 0; n < 200; n++)
		for (size_t to = 0; to < 9; to++) {
			for (size_t i = 0; i < AREA; i++)
				buf[i] = want[i] = 0x11;
			for (size_t i = 0; i < n; i++)
				want[to + i] = 0xc3;
			assert_ptr_equal(hv_memset(buf + to, 0x1c3, n), buf + to);
			assert_memory_equal(buf, want, AREA);
		}
}

static void stays_inside_heap_blocks(void **state)
{
	for (size_t n = 0; n < 100; n++) {
		u8 *a = malloc(n),
		   *b = malloc(n); /* the sanitizer catches an access one byte past the end */

		hv_memset(a, 1, n);
		hv_memcpy(b, a, n);
		hv_memmove(a, b, n);
		assert_int_equal(hv_memcmp(a, b, n), 0);
		free(a);
		free(b);
	}
}

static void compares_as_unsigned_bytes(void **state)
{
	u8 a[40] = { 0 }, b[40] = { 0 };

	for (size_t i = 0; i < sizeof(a); i++) {
		a[i] = 0x80;
		b[i] = 0x7f;
		assert_true(hv_memcmp(a, b, sizeof(a)) > 0);
		assert_true(hv_memcmp(b, a, sizeof(a)) < 0);
		assert_int_equal(hv_memcmp(a, b, i), 0);
		a[i] = b[i] = 7;
	}
	assert_true(hv_strcmp("\xff", "a") > 0);
	assert_true(hv_strncmp("abc", "abd", 3) < 0);
	assert_int_equal(hv_strncmp("abc", "abd", 2), 0);
	assert_int_equal(hv_strncmp("ab", "ab", 9), 0);
	assert_true(hv_strcmp("ab", "a") > 0 && hv_strcmp("a", "ab") < 0 && !hv_strcmp("", ""));
}

static void finds_characters_and_substrings(void **state)
{
	const char *s = "dom0_mem=512M";

	assert_int_equal(hv_strlen(s), 13);
	assert_int_equal(hv_strnlen(s, 4), 4);
	assert_int_equal(hv_strnlen(s, 40), 13);
	assert_ptr_equal(hv_strchr(s, '='), s + 8);
	assert_ptr_equal(hv_strchr(s, 0), s + 13);
	assert_null(hv_strchr(s, 'z'));
}

static void str_copy_cuts_and_terminates(void **state)
{
	char buf[6] = "xxxxx";

	assert_int_equal(str_copy(buf, "abc", sizeof(buf)), 3);
	assert_string_equal(buf, "abc");
	assert_int_equal(str_copy(buf, "abcdefgh", sizeof(buf)), 8);
	assert_string_equal(buf, "abcde");
	assert_int_equal(str_copy(buf, "q", 0), 1);
	assert_string_equal(buf, "abcde");
}

static void reads_numbers(void **state)
{
	static const struct {
		const char *text;
		unsigned int base;
		u64 value;
		size_t used;
	} cases[] = {
		{ "123M", 0, 123, 3 },
		{ "0x1fG", 0, 0x1f, 4 },
		{ "0X1f", 16, 0x1f, 4 },
		{ "1f", 16, 0x1f, 2 },
		{ "0x", 0, 0, 1 },
		{ "0xg", 0, 0, 1 },
		{ "017", 0, 17, 3 },
		{ "017", 8, 15, 3 },
		{ "", 0, 0, 0 },
		{ "-1", 0, 0, 0 },
		{ "z", 10, 0, 0 },
		{ "18446744073709551615", 10, ~0UL, 20 },
		{ "18446744073709551616", 10, ~0UL, 20 },
		{ "99999999999999999999999", 10, ~0UL, 23 },
		{ "0xffffffffffffffff", 0, ~0UL, 18 },
	};
	const char *end;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(str_to_u64(cases[i].text, &end, cases[i].base), cases[i].value);
		assert_int_equal(end - cases[i].text, cases[i].used);
	}
	assert_int_equal(str_to_u64("5", NULL, 0), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_every_length_and_alignment),
		cmocka_unit_test(moves_overlapping_areas_both_ways),
		cmocka_unit_test(sets_every_length_and_touches_nothing_else),
		cmocka_unit_test(stays_inside_heap_blocks),
		cmocka_unit_test(compares_as_unsigned_bytes),
		cmocka_unit_test(finds_characters_and_substrings),
		cmocka_unit_test(str_copy_cuts_and_terminates),
		cmocka_unit_test(reads_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
