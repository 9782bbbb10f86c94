/* SPDX-License-Identifier: MIT */
/* Texts of configurations, for the tests of what becomes of them. */
#ifndef TESTS_CONFIG_TEXT_H
#define TESTS_CONFIG_TEXT_H

#include "config/config.h"
#include "lib/json.h"
#include "lib/str.h"
#include <string.h>
#include "unit.h"

#define BASE "name = \"g\"\nkernel = \"/k\"\n"

/* The configuration; what is said about it must be `said`. */
static inline struct config *parse_with(const char *text, const char *const *arguments, size_t nr,
					const char *said)
{
	struct config_diags diags = { 0 };
	struct config *c = config_parse(text, strlen(text), "f", arguments, nr, &diags);
	struct str s = STR_INIT;

	config_diags_print(&diags, &s);
	assert_string_equal(str_text(&s), said);
	assert_non_null(c);
	str_free(&s);
	config_diags_free(&diags);
	return c;
}

static inline struct config *parse(const char *text)
{
	return parse_with(text, NULL, 0, "");
}

/* The JSON form of the file must be this. */
static inline void check_json(const char *text, const char *json)
{
	struct config *c = parse(text);
	struct json_object *o = config_to_json(c);
	struct str s = STR_INIT;

	json_print(o, &s);
	assert_string_equal(str_text(&s), json);
	str_free(&s);
	json_object_put(o);
	config_free(c);
}

#endif
