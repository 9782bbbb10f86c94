/* SPDX-License-Identifier: MIT */
/* What a configuration's reader has to say: errors and warnings, each with its place. All of a file
 * are collected. */
#ifndef CONFIG_DIAG_H
#define CONFIG_DIAG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include "lib/error.h"
#include "lib/str.h"

/* Line and column count from 1; line 0: the whole source. A column is a byte of its line. */
struct config_pos {
	unsigned int line;
	unsigned int column;
};

struct config_diag {
	bool is_error;
	char *source; /* the file's name, or the argument that overrides a key, or an element in
			 JSON ("disk[0]") */
	struct config_pos pos;
	char *text;
};

/* All zeroes is an empty one. */
struct config_diags {
	struct config_diag *list; /* in the order in which they were found */
	size_t nr;
	size_t nr_errors;
	size_t capacity;
};

enum { CONFIG_MAX_DIAGS = 100 }; /* More are counted, not kept. */

void config_error(struct config_diags *diags, const char *source, struct config_pos pos,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void config_warning(struct config_diags *diags, const char *source, struct config_pos pos,
		    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* By line and column; what has no line comes last. */
void config_diags_sort(struct config_diags *diags);

/* Adds "SOURCE:LINE:COLUMN: error: text\n" (or "warning") for each to s. */
void config_diags_print(const struct config_diags *diags, struct str *s);

/* All errors as one error (EINVAL) for a person; 0 when there is none. */
int config_diags_to_error(const struct config_diags *diags, struct error **e);

void config_diags_free(struct config_diags *diags);

#endif
