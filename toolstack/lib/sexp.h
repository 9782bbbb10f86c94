/* SPDX-License-Identifier: MIT */
/* S-expressions: the syntax of xend-config.sxp, and the output of `xm list -l`. */
#ifndef LIB_SEXP_H
#define LIB_SEXP_H

#include <stdbool.h>
#include <stddef.h>
#include "lib/error.h"
#include "lib/str.h"

/*
 * An atom (text != NULL), or a list of nr items. line and column count from 1; they are 0 when the
 * expression was not read from a file.
 */
struct sexp {
	char *text;
	struct sexp **items;
	size_t nr;
	size_t capacity;
	unsigned int line;
	unsigned int column;
};

enum { SEXP_MAX_DEPTH = 32 };

/*
 * Reads expressions up to the end of the text and returns the list of them. An atom is a word, or
 * a string in '...' or "...". In a string, \n and \t are newline and tab, and \ before any other
 * character is that character. # begins a comment.
 *
 * Returns NULL on an error: *line and *column say where, *why (a constant string) what was
 * expected.
 */
struct sexp *sexp_parse(const char *text, size_t len, unsigned int *line, unsigned int *column,
			const char **why);

struct sexp *sexp_new_atom(const char *text);
struct sexp *sexp_new_list(void);
/* A new list (head), to which sexp_add() and sexp_set() append. */
struct sexp *sexp_new(const char *head);
/* Appends item, which belongs to the list afterwards. Returns item. */
struct sexp *sexp_add(struct sexp *list, struct sexp *item);
/* Appends (key value); does nothing when value is NULL. */
void sexp_set(struct sexp *list, const char *key, const char *value);
void sexp_set_printf(struct sexp *list, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The list's first item if it is an atom, else NULL. */
const char *sexp_head(const struct sexp *s);

/*
 * Adds the expression to out as xm prints it: a list of atoms on one line; lists inside a list on
 * lines of their own, indented by 4 more blanks.
 */
void sexp_print(const struct sexp *s, struct str *out);

void sexp_free(struct sexp *s);

#endif
