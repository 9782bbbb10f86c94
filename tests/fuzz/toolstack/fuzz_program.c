/* SPDX-License-Identifier: MIT */
/* links: toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c */
/*
 * The answer of a Python file, which the file can forge. What lies behind the last NUL is a word of
 * the command line.
 */
#include "config/config.h"
#include "lib/json.h"
#include "lib/str.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = memrchr(data, 0, size);
	size_t len = nul ? (size_t)(nul - data) : size;
	char *word = strndup(nul ? (const char *)nul + 1 : "", nul ? size - len - 1 : 0);
	const char *const words[] = { word };
	struct json_object *answer = json_parse((const char *)data, len, NULL);
	struct config_diags diags = { 0 };
	struct str out = STR_INIT;
	struct config *c = config_from_program(answer, "f", words, nul ? 1 : 0, &diags);

	if (!c != (diags.nr_errors > 0))
		abort();
	config_diags_print(&diags, &out);
	config_free(c);
	config_diags_free(&diags);
	json_object_put(answer);
	str_free(&out);
	free(word);
	return 0;
}
