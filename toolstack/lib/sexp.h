/* SPDX-License-Identifier: MIT */
/* S-expressions: what xend-config.sxp is written in, and what `xm list -l` prints. */
#ifndef LIB_SEXP_H
#define LIB_SEXP_H

#include <stdbool.h>
#include <stddef.h>
#include "lib/error.h"
#include "lib/str.h"

/* An atom (text != NULL) or a list of nr items. Line and column (from 1) are those of a read file,
 * else 0. */
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
 * Reads expressions until the text ends: a list of them. Atoms are words, or '...' and "..." with
 * \ before a character that means itself, \n and \t; # begins a comment. NULL on an error: *line
 * and *column say where, *why (a constant) what was expected.
 */
struct sexp *sexp_parse(const char *text, size_t len, unsigned int *line, unsigned int *column,
			const char **why);

struct sexp *sexp_new_atom(const char *text);
struct sexp *sexp_new_list(void);
/* (head) for sexp_add() and sexp_set() to go on with. */
struct sexp *sexp_new(const char *head);
/* item belongs to list from now on; returns item. */
struct sexp *sexp_add(struct sexp *list, struct sexp *item);
/* Adds (key value) to the list; NULL adds nothing. */
void sexp_set(struct sexp *list, const char *key, const char *value);
void sexp_set_printf(struct sexp *list, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The first item of a list when it is an atom, else NULL. */
const char *sexp_head(const struct sexp *s);
/* The first list in `list` that begins with the atom `key`, NULL without one. */

/* Adds it to out as xm prints it: a list of atoms in one line, what holds lists in lines of their
 * own, 4 blanks deeper. */
void sexp_print(const struct sexp *s, struct str *out);

void sexp_free(struct sexp *s);

#endif
