/* SPDX-License-Identifier: MIT */
/*
 * Diagnostics of a configuration's reader: errors and warnings with their places. A reader goes on
 * after an error, so that one run reports all of a file.
 */
#ifndef CONFIG_DIAG_H
#define CONFIG_DIAG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include "lib/error.h"
#include "lib/str.h"

/* Line and column count from 1; line 0 means the whole source. A column counts bytes. */
struct config_pos {
	unsigned int line;
	unsigned int column;
};

struct config_diag {
	bool is_error;
	/* The file's name, the argument that overrides a key, or an element in JSON ("disk[0]"). */
	char *source;
	struct config_pos pos;
	char *text;
};

/* All zeroes is an empty list. The caller may set the first members before it reads anything. */
struct config_diags {
	bool strict;	       /* what would be a warning is an error */
	const char *directory; /* a relative path is below it; NULL: it is an error */
	const char *scripts;   /* the directory of block scripts; NULL: the host's own */
	const char *name;      /* the domain's, if the text gives none; NULL: it must */
	bool only_known; /* an unknown key is an error: nobody sees the warnings of this text */
	struct config_diag *list; /* in the order of discovery, until config_diags_sort() */
	size_t nr;
	size_t nr_errors;
	size_t capacity;
};

enum { CONFIG_MAX_DIAGS = 100 }; /* further ones are counted only */

void config_error(struct config_diags *diags, const char *source, struct config_pos pos,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void config_warning(struct config_diags *diags, const char *source, struct config_pos pos,
		    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* A word that no table knows: a warning, unless the caller allows known ones only. */
void config_unknown(struct config_diags *diags, const char *source, struct config_pos pos,
		    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Sorts by line and column; those without a line come last. */
void config_diags_sort(struct config_diags *diags);

/* Adds "SOURCE:LINE:COLUMN: error: text\n" (or "warning") for each to s. */
void config_diags_print(const struct config_diags *diags, struct str *s);

/* Makes one error (EINVAL) of all errors and returns -EINVAL; returns 0 when there is none. */
int config_diags_to_error(const struct config_diags *diags, struct error **e);

void config_diags_free(struct config_diags *diags);

#endif
