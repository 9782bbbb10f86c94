/* SPDX-License-Identifier: MIT */
/* S-expressions: reading, places of errors, and xm's layout. */
/* links: toolstack/lib/alloc.c toolstack/lib/sexp.c toolstack/lib/str.c */
#include "lib/sexp.h"
#include <stdlib.h>
#include <string.h>
#include "unit.h"

static void check_read(const char *text, const char *printed)
{
	unsigned int line, column;
	const char *why;
	struct sexp *s = sexp_parse(text, strlen(text), &line, &column, &why);
	struct str out = STR_INIT;

	assert_non_null(s);
	for (size_t i = 0; i < s->nr; i++)
		sexp_print(s->items[i], &out);
	assert_string_equal(str_text(&out), printed);
	str_free(&out);
	sexp_free(s);
}

static void lists_words_and_strings_are_read(void **state)
{
	check_read("", "");
	check_read("# nothing\n", "");
	check_read("(a b)\n(c 'd e' \"f\")", "(a b)\n(c 'd e' f)\n");
	check_read("(a(b)c)", "(a\n    (b) c\n)\n");
	check_read("(a '') # comment (\n", "(a )\n");
	check_read("(x 'it\\'s \\\\ \\n')", "(x 'it\\'s \\\\ \\n')\n");
	check_read("(x \"it's\")", "(x 'it\\'s')\n");
}

static void places_are_kept(void **state)
{
	unsigned int line, column;
	const char *why;
	struct sexp *s = sexp_parse("\n (a\n  b)", 9, &line, &column, &why);

	assert_int_equal(s->items[0]->line, 2);
	assert_int_equal(s->items[0]->column, 2);
	assert_int_equal(s->items[0]->items[1]->line, 3);
	assert_int_equal(s->items[0]->items[1]->column, 3);
	sexp_free(s);
}

static void check_fails(const char *text, size_t len, const char *message)
{
	unsigned int line, column;
	struct str found = STR_INIT;
	const char *why;

	assert_null(sexp_parse(text, len, &line, &column, &why));
	str_printf(&found, "f:%u:%u: error: %s.", line, column, why);
	assert_string_equal(str_text(&found), message);
	str_free(&found);
}

static void errors_name_the_place(void **state)
{
	char deep[100];

	check_fails("\n(a (b)", 7, "f:2:1: error: this list has no end: expected ).");
	check_fails("(a))", 4,
		    "f:1:4: error: there is nothing to close here: expected ( or a word.");
	check_fails("(a 'b)", 6,
		    "f:1:4: error: this string has no end: expected the same quote after it.");
	check_fails("(a 'b\\", 6,
		    "f:1:4: error: this string has no end: expected the same quote after it.");
	check_fails("(a \0 b)", 7, "f:1:4: error: the file holds a NUL byte: expected text.");
	memset(deep, '(', sizeof(deep));
	check_fails(deep, sizeof(deep), "f:1:33: error: lists lie too deep in each other.");
}

static void a_domain_looks_as_xm_printed_it(void **state)
{
	struct sexp *domain = sexp_new("domain"), *linux_image = sexp_new("linux");
	struct str out = STR_INIT;

	sexp_set_printf(domain, "domid", "%d", 3);
	sexp_set(domain, "name", "g1");
	sexp_set(domain, "nothing", NULL);
	sexp_add(sexp_add(domain, sexp_new("image")), linux_image);
	sexp_set(linux_image, "kernel", "/boot/vmlinuz");
	sexp_set(linux_image, "args", "root=/dev/xvda ro");
	sexp_print(domain, &out);
	assert_string_equal(str_text(&out), "(domain\n"
					    "    (domid 3)\n"
					    "    (name g1)\n"
					    "    (image\n"
					    "        (linux\n"
					    "            (kernel /boot/vmlinuz)\n"
					    "            (args 'root=/dev/xvda ro')\n"
					    "        )\n"
					    "    )\n"
					    ")\n");
	str_free(&out);
	sexp_free(domain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_words_and_strings_are_read),
		cmocka_unit_test(places_are_kept),
		cmocka_unit_test(errors_name_the_place),
		cmocka_unit_test(a_domain_looks_as_xm_printed_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
