/* SPDX-License-Identifier: MIT */
/* Parsing JSON and reading members: what is accepted, and each error. */
/* links: toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/json.c toolstack/lib/str.c */
/* libs: -ljson-c */
#include "lib/json.h"
#include <errno.h>
#include <string.h>
#include "unit.h"

static struct json_object *parse(const char *text, struct error **e)
{
	return json_parse(text, strlen(text), e);
}

static void whole_values_are_parsed(void **state)
{
	static const char *const good[] = { "{}",   " [1, 2] \n",	  "17",	 "\"x\"",
					    "true", "{\"a\":{\"b\":[]}}", "-1.5" };
	struct error *e = NULL;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct json_object *o = parse(good[i], &e);

		assert_non_null(o);
		assert_null(e);
		json_object_put(o);
	}
	assert_null(parse("null", &e));
	assert_null(e);
}

static void broken_text_is_refused(void **state)
{
	static const char *const bad[] = { "",	       " ",	  "{",	 "{\"a\":1", "[1,]",
					   "{} x",     "1 2",	  "tru", "\"open",   "{\"a\":1,}",
					   "\"\xff\"", "[1] [2]", "nul" };
	struct error *e = NULL;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_null(parse(bad[i], &e));
		assert_non_null(e);
		assert_true(!strncmp(error_text(e), "Not valid JSON at byte ", 23));
		error_free(&e);
	}
	/* A NUL does not silently end a value. */
	assert_null(json_parse("{}\0{}", 5, &e));
	assert_non_null(e);
	error_free(&e);
}

static void depth_is_limited(void **state)
{
	struct error *e = NULL;
	char deep[201];

	memset(deep, '[', 100);
	memset(deep + 100, ']', 100);
	deep[200] = '\0';
	assert_null(parse(deep, &e));
	assert_int_equal(error_errno(e), EINVAL);
	error_free(&e);
}

static void an_object_is_asked_for(void **state)
{
	struct error *e = NULL;

	assert_null(json_parse_object("[1]", 3, &e));
	assert_string_equal(error_text(e), "A JSON object was expected, this is a list.");
	assert_null(json_parse_object("null", 4, &e));
	assert_string_equal(error_text(e), "A JSON object was expected, this is null.");
	error_free(&e);
}

static void members_have_types_and_ranges(void **state)
{
	struct error *e = NULL;
	struct json_object *o = parse("{\"s\":\"x\",\"n\":5,\"b\":true,\"l\":[],\"z\":null,"
				      "\"big\":99999999999999999999,\"nul\":\"a\\u0000b\"}",
				      &e);
	struct json_object *list;
	const char *s;
	int64_t n;
	bool b;

	assert_int_equal(json_get_string(o, "s", &s, &e), 0);
	assert_string_equal(s, "x");
	assert_int_equal(json_get_int(o, "n", 5, 5, &n, &e), 0);
	assert_int_equal(n, 5);
	assert_int_equal(json_get_bool(o, "b", &b, &e), 0);
	assert_true(b);
	assert_int_equal(json_get_typed(o, "l", json_type_array, &list, &e), 0);

	assert_int_equal(json_get_string(o, "none", &s, &e), -ENOENT);
	assert_string_equal(error_text(e), "\"none\" is missing, it must be a string.");
	assert_int_equal(json_get_string(o, "z", &s, &e), -ENOENT);
	assert_int_equal(json_get_string(o, "n", &s, &e), -EINVAL);
	assert_string_equal(error_text(e), "\"n\" must be a string, it is a whole number.");
	assert_int_equal(json_get_int(o, "n", 6, 9, &n, &e), -EINVAL);
	assert_string_equal(error_text(e), "\"n\" must lie between 6 and 9, it is 5.");
	assert_int_equal(json_get_int(o, "big", 0, 1000, &n, &e), -EINVAL);
	assert_int_equal(json_get_string(o, "nul", &s, &e), -EINVAL);

	assert_int_equal(json_opt_string(o, "none", "d", &s, &e), 0);
	assert_string_equal(s, "d");
	assert_int_equal(json_opt_int(o, "none", 0, 1, -4, &n, &e), 0);
	assert_int_equal(n, -4);
	assert_int_equal(json_opt_bool(o, "n", false, &b, &e), -EINVAL);
	error_free(&e);
	json_object_put(o);
}

static void objects_print_on_one_line(void **state)
{
	struct json_object *o = json_new_object();
	struct str s = STR_INIT;

	json_set_string(o, "path", "/a\n");
	json_set_string(o, "nothing", NULL);
	json_set_int(o, "n", INT64_MAX);
	json_set_bool(o, "b", false);
	json_set_printf(o, "f", "%d%%", 50);
	json_set(o, "l", json_new_array());
	json_append(json_find(o, "l"), json_new_int(1));
	json_print(o, &s);
	assert_string_equal(
		str_text(&s),
		"{\"path\":\"/"
		"a\\n\",\"n\":9223372036854775807,\"b\":false,\"f\":\"50%\",\"l\":[1]}");
	json_object_put(o);
	str_free(&s);
}

static void what_is_no_utf8_becomes_a_question_mark(void **state)
{
	struct json_object *o = json_new_object();
	struct str s = STR_INIT;

	json_set_string(o, "a", "\xc3\xa4\n\xc3");
	json_set_printf(o, "b", "%.2s", "\xe2\x82\xac");
	json_print(o, &s);
	assert_string_equal(str_text(&s), "{\"a\":\"\xc3\xa4\\n?\",\"b\":\"??\"}");
	json_object_put(o);
	str_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_values_are_parsed),
		cmocka_unit_test(broken_text_is_refused),
		cmocka_unit_test(depth_is_limited),
		cmocka_unit_test(an_object_is_asked_for),
		cmocka_unit_test(what_is_no_utf8_becomes_a_question_mark),
		cmocka_unit_test(members_have_types_and_ranges),
		cmocka_unit_test(objects_print_on_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
