/* SPDX-License-Identifier: MIT */
/* links: toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c */
/*
 * A domain's configuration file. What lies behind the last NUL is an argument that overrides. A
 * file without errors must come through JSON unchanged, and its S-expression must be one.
 */
#include "config/config.h"
#include "lib/json.h"
#include "lib/str.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print_json(const struct config *c, struct str *s)
{
	struct json_object *o = config_to_json(c);

	json_print(o, s);
	json_object_put(o);
}

static void check_json(const struct config *c)
{
	struct str first = STR_INIT, second = STR_INIT;
	struct error *e = NULL;
	struct json_object *o;
	struct config *again;

	print_json(c, &first);
	o = json_parse_object(str_text(&first), first.len, &e);
	again = o ? config_from_json(o, &e) : NULL;
	if (!again)
		abort();
	print_json(again, &second);
	if (strcmp(str_text(&first), str_text(&second)))
		abort();
	config_free(again);
	json_object_put(o);
	str_free(&first);
	str_free(&second);
}

static void check_sexp(const struct config *c)
{
	struct sexp *s = config_to_sexp(c, NULL), *again;
	struct str out = STR_INIT;
	unsigned int line, column;
	const char *why;

	sexp_print(s, &out);
	again = sexp_parse(str_text(&out), out.len, &line, &column, &why);
	if (!again || again->nr != 1 || again->items[0]->nr != s->nr)
		abort();
	sexp_free(again);
	sexp_free(s);
	str_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = memrchr(data, 0, size);
	size_t len = nul ? (size_t)(nul - data) : size;
	char *text = malloc(len + 1),
	     *argument = strndup(nul ? (const char *)nul + 1 : "", nul ? size - len - 1 : 0);
	const char *const arguments[] = { argument };
	struct config_diags diags = { 0 };
	struct str out = STR_INIT;
	struct config *c;

	/* Exactly so many bytes, so that reading beyond them is seen. */
	memcpy(text, data, len);
	text = realloc(text, len ? len : 1);
	c = config_parse(text, len, "f", arguments, nul ? 1 : 0, &diags);
	if (!c != (diags.nr_errors > 0))
		abort();
	config_diags_print(&diags, &out);
	if (c) {
		free(config_cmdline(c));
		check_json(c);
		check_sexp(c);
	}
	config_free(c);
	config_diags_free(&diags);
	str_free(&out);
	free(text);
	free(argument);
	return 0;
}
