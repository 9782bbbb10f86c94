/* SPDX-License-Identifier: MIT */
/* links: toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c */
/* What a Python file has computed, and answers that it forged: it can write into the channel
 * itself. */
#include "config/config.h"
#include "lib/json.h"
#include "lib/str.h"
#include <stdlib.h>
#include <string.h>
#include "unit.h"

#define ITEM(l, c, value) "{\"line\":" #l ",\"column\":" #c ",\"value\":" value "}"
#define NAME		  "{\"key\":\"name\",\"line\":1,\"column\":1,\"item\":" ITEM(1, 8, "\"g1\"") "}"
#define KERNEL		  "{\"key\":\"kernel\",\"line\":2,\"column\":1,\"item\":" ITEM(2, 10, "\"/k\"") "}"

static struct config *read(const char *answer, const char *word, struct str *said)
{
	struct json_object *o = json_parse(answer, strlen(answer), NULL);
	struct config_diags diags = { 0 };
	struct config *c = config_from_program(o, "f", &word, word ? 1 : 0, &diags);

	assert_int_equal(!c, diags.nr_errors > 0);
	config_diags_print(&diags, said);
	config_diags_free(&diags);
	json_object_put(o);
	return c;
}

static void says(const char *answer, const char *word, const char *line)
{
	struct str said = STR_INIT;

	config_free(read(answer, word, &said));
	if (!strstr(str_text(&said), line))
		print_message("%s\n", str_text(&said));
	assert_non_null(strstr(str_text(&said), line));
	str_free(&said);
}

static void values_become_keys(void **state)
{
	struct str said = STR_INIT;
	struct config *c =
		read("{\"words\":[],\"values\":[" NAME "," KERNEL ",{\"key\":\"i\",\"helper\":true,"
		     "\"item\":" ITEM(3, 1,
				      "7") "},{\"key\":\"vif\",\"line\":4,\"column\":1,"
					   "\"item\":" ITEM(4, 7,
							    "[" ITEM(4, 8,
								     "\"bridge=b\"") "]") "}]}",
		     NULL, &said);

	assert_non_null(c);
	assert_string_equal(str_text(&said), "");
	assert_string_equal(c->name, "g1");
	assert_string_equal(c->kernel, "/k");
	assert_int_equal(c->nr_vif, 1);
	assert_string_equal(c->vif[0].bridge, "b");
	config_free(c);
}

static void the_last_value_of_a_name_counts(void **state)
{
	says("{\"words\":[],\"values\":[" NAME "," NAME "," KERNEL
	     ",{\"key\":\"memory\",\"line\":9,"
	     "\"item\":" ITEM(9, 5, "-1") "}]}",
	     NULL, "f:9:5: error: memory: ");
}

static void words_override_unless_they_are_variables(void **state)
{
	struct str said = STR_INIT;
	struct config *c;

	c = read("{\"words\":[\"name\"],\"values\":[" NAME "," KERNEL "]}", "name=g2", &said);
	assert_string_equal(c->name, "g2");
	config_free(c);
	c = read("{\"words\":[\"variable\"],\"values\":[" NAME "," KERNEL "]}", "name=g2", &said);
	assert_string_equal(c->name, "g1");
	config_free(c);
	c = read("{\"words\":[\"name\"],\"values\":[" NAME "," KERNEL "]}", "vmid=3", &said);
	assert_non_null(c);
	config_free(c);
	assert_string_equal(str_text(&said), "");
	says("{\"words\":[\"key\"],\"values\":[" NAME "," KERNEL "]}", "vcpu=3",
	     "did you mean vcpus?");
}

static void forged_answers_are_refused(void **state)
{
	static const char none[] = "the program gave a result that is none";

	says("{}", NULL, none);
	says("[]", NULL, none);
	says("7", NULL, none);
	says("null", NULL, none);
	says("{\"values\":{},\"words\":[]}", NULL, none);
	says("{\"values\":[],\"words\":[]}", "a=b", none);
	says("{\"values\":[],\"words\":[7]}", "vcpu=b", "error: ");
	says("{\"values\":[null,7,[],{}],\"words\":[]}", NULL, "error: ");
	says("{\"values\":[{\"key\":7}],\"words\":[]}", NULL, "error: ");
	says("{\"values\":[{\"key\":\"name\"}],\"words\":[]}", NULL, "error: name: ");
	says("{\"values\":[{\"key\":\"name\",\"item\":{\"other\":7}}],\"words\":[]}", NULL,
	     "error: name: ");
	says("{\"values\":[{\"key\":\"disk\",\"item\":{\"value\":[null,[],7]}}],\"words\":[]}",
	     NULL, "error: disk");
	says("{\"values\":[{\"key\":\"disk\",\"item\":{\"value\":[{\"value\":{\"x\":null}}]}}],"
	     "\"words\":[]}",
	     NULL, "error: ");
	says("{\"values\":[{\"key\":\"name\",\"line\":-1,\"item\":{\"line\":1e300,\"column\":\"a\","
	     "\"plain\":7,\"value\":\"a/b\"}}],\"words\":[]}",
	     NULL, "f: error: name: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_become_keys),
		cmocka_unit_test(the_last_value_of_a_name_counts),
		cmocka_unit_test(words_override_unless_they_are_variables),
		cmocka_unit_test(forged_answers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
