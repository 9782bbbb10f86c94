/* SPDX-License-Identifier: MIT */
/* links: toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c */
/* S-expressions, and xend's own configuration in them. What was read prints as what reads the same.
 */
#include "config/xend_config.h"
#include "lib/sexp.h"
#include "lib/str.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print(const struct sexp *all, struct str *out)
{
	for (size_t i = 0; i < all->nr; i++)
		sexp_print(all->items[i], out);
}

/* Empty atoms print as nothing, so only what has been through it once must stay as it is. */
static void check_again(const struct sexp *all)
{
	struct str texts[3] = { STR_INIT, STR_INIT, STR_INIT };

	print(all, &texts[0]);
	for (int i = 0; i < 2; i++) {
		unsigned int line, column;
		const char *why;
		struct sexp *again =
			sexp_parse(str_text(&texts[i]), texts[i].len, &line, &column, &why);

		if (!again)
			abort();
		print(again, &texts[i + 1]);
		sexp_free(again);
	}
	if (strcmp(str_text(&texts[1]), str_text(&texts[2])))
		abort();
	for (int i = 0; i < 3; i++)
		str_free(&texts[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int line, column;
	const char *why = NULL;
	struct sexp *all = sexp_parse((const char *)data, size, &line, &column, &why);
	struct config_diags diags = { 0 };
	struct xend_config *c = NULL;

	if (!all != !!why)
		abort();
	/* Only root writes that file, and glibc takes a{1000}{1000} for an order to build it. */
	if (!memchr(data, '{', size)) {
		c = xend_config_parse((const char *)data, size, "f", &diags);
		if ((!all && c) || !c != (diags.nr_errors > 0))
			abort();
	}
	if (all)
		check_again(all);
	if (c)
		xend_config_allows(c, "host.example");
	sexp_free(all);
	xend_config_free(c);
	config_diags_free(&diags);
	return 0;
}
