/* SPDX-License-Identifier: MIT */
/* links: toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c */
/*
 * Each case of tests/config/bad.txt is a test: it gives exactly these messages, and no
 * configuration unless all of them are warnings. A strict reader refuses that too.
 */
#include "config/config.h"
#include "lib/alloc.h"
#include "lib/file.h"
#include "lib/str.h"
#include <stdlib.h>
#include <string.h>
#include "unit.h"

enum { MAX_CASES = 1000, MAX_ARGUMENTS = 8 };

struct bad_case {
	const char *title;
	bool verbatim;
	struct str file;
	const char *arguments[MAX_ARGUMENTS];
	size_t nr_arguments;
	struct str messages;
};

static struct bad_case cases[MAX_CASES];
static struct CMUnitTest tests[MAX_CASES + 2];

static void check_case(const struct bad_case *bad, bool strict, bool taken, const char *messages)
{
	struct config_diags diags = { .strict = strict };
	struct config *config = config_parse(str_text(&bad->file), bad->file.len, "f",
					     bad->arguments, bad->nr_arguments, &diags);
	struct str said = STR_INIT;

	config_diags_print(&diags, &said);
	assert_string_equal(str_text(&said), messages);
	assert_int_equal(config != NULL, taken);
	assert_int_equal(diags.nr_errors == 0, taken);
	config_diags_free(&diags);
	config_free(config);
	str_free(&said);
}

static void messages_are_exactly_these(void **state)
{
	struct bad_case *bad = *state;
	char *rest = bad->messages.text, *warning;
	struct str strict = STR_INIT;

	assert_true(bad->messages.len > 0);
	check_case(bad, false, !strstr(rest, ": error: "), rest);
	while ((warning = strstr(rest, ": warning: "))) {
		str_printf(&strict, "%.*s: error: ", (int)(warning - rest), rest);
		rest = warning + strlen(": warning: ");
	}
	str_add(&strict, rest);
	check_case(bad, true, false, str_text(&strict));
	str_free(&strict);
}

/* Bytes that a text file cannot contain. */
static void bytes_of_no_text_are_refused(void **state)
{
	static const char nul[] = "name = \"a\0b\"\nkernel = \"/k\"\n\0\n\x80 = 1\n";
	struct config_diags diags = { 0 };
	struct str said = STR_INIT;

	assert_null(config_parse(nul, sizeof(nul) - 1, "f", NULL, 0, &diags));
	config_diags_print(&diags, &said);
	assert_string_equal(
		str_text(&said),
		"f:1:10: error: a string cannot hold a NUL character\n"
		"f:3:1: error: the byte 0x00 cannot stand outside of a string or a comment\n"
		"f:4:1: error: the byte 0x80 cannot stand outside of a string or a comment\n");
	config_diags_free(&diags);
	str_free(&said);
}

static void a_file_that_is_too_large_is_refused(void **state)
{
	char *text = xcalloc(CONFIG_MAX_TEXT + 1, 1);
	struct config_diags diags = { 0 };

	memset(text, '\n', CONFIG_MAX_TEXT + 1);
	assert_null(config_parse(text, CONFIG_MAX_TEXT + 1, "f", NULL, 0, &diags));
	assert_string_equal(diags.list[0].text, "expected at most 1048576 bytes, found 1048577");
	config_diags_free(&diags);
	free(text);
}

/* Adds a line of the file to the given case, or starts a new case with it. */
static struct bad_case *read_line(char *line, struct bad_case *bad)
{
	if (str_starts(line, "==")) {
		bad = bad ? bad + 1 : cases;
		assert_true(bad < cases + MAX_CASES);
		bad->verbatim = line[2] == '!';
		bad->title = line + (bad->verbatim ? 4 : 3);
	} else if (!bad) {
		return NULL;
	} else if (str_starts(line, "-> ")) {
		str_printf(&bad->messages, "%s\n", line + 3);
	} else if (str_starts(line, "<- ")) {
		assert_true(bad->nr_arguments < MAX_ARGUMENTS);
		bad->arguments[bad->nr_arguments++] = line + 3;
	} else {
		str_printf(&bad->file, "%s\n", line);
	}
	return bad;
}

static size_t read_cases(struct str *all)
{
	struct bad_case *bad = NULL;
	char *rest = all->text, *line;

	while ((line = strsep(&rest, "\n")) && (rest || *line))
		bad = read_line(line, bad);
	for (size_t i = 0; bad && cases + i <= bad; i++) {
		if (!cases[i].verbatim)
			str_add(&cases[i].file, "name=\"g\"\nkernel=\"/k\"\n");
	}
	return bad ? (size_t)(bad - cases) + 1 : 0;
}

int main(void)
{
	struct CMUnitTest others[] = {
		cmocka_unit_test(bytes_of_no_text_are_refused),
		cmocka_unit_test(a_file_that_is_too_large_is_refused),
	};
	struct str all = STR_INIT;
	size_t nr;
	int rc;

	if (file_read("tests/config/bad.txt", 1 << 20, &all, NULL))
		return 1;
	nr = read_cases(&all);
	for (size_t i = 0; i < nr; i++) {
		tests[i].name = cases[i].title;
		tests[i].test_func = messages_are_exactly_these;
		tests[i].initial_state = &cases[i];
	}
	memcpy(tests + nr, others, sizeof(others));
	rc = _cmocka_run_group_tests("bad configuration files", tests, nr + 2, NULL, NULL);
	for (size_t i = 0; i < nr; i++) {
		str_free(&cases[i].file);
		str_free(&cases[i].messages);
	}
	str_free(&all);
	return rc;
}
