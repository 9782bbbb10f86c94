/* SPDX-License-Identifier: MIT */
/* A recursive reader of S-expressions, with places for its errors, and a printer in xm's layout. */
#include "lib/sexp.h"
#include "lib/alloc.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	const char *p, *end;
	unsigned int line, column;
	/* The first error: its place, and what was expected there. */
	unsigned int bad_line, bad_column;
	const char *why;
};

struct sexp *sexp_new_list(void)
{
	return xcalloc(1, sizeof(struct sexp));
}

struct sexp *sexp_new_atom(const char *text)
{
	struct sexp *s = sexp_new_list();

	s->text = xstrdup(text);
	return s;
}

struct sexp *sexp_new(const char *head)
{
	struct sexp *s = sexp_new_list();

	sexp_add(s, sexp_new_atom(head));
	return s;
}

struct sexp *sexp_add(struct sexp *list, struct sexp *item)
{
	if (list->nr == list->capacity) {
		list->capacity = list->capacity ? 2 * list->capacity : 4;
		list->items = xreallocarray(list->items, list->capacity, sizeof(struct sexp *));
	}
	list->items[list->nr++] = item;
	return item;
}

void sexp_set(struct sexp *list, const char *key, const char *value)
{
	if (value)
		sexp_add(sexp_add(list, sexp_new(key)), sexp_new_atom(value));
}

void sexp_set_printf(struct sexp *list, const char *key, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	sexp_set(list, key, text);
	free(text);
}

const char *sexp_head(const struct sexp *s)
{
	return s->nr ? s->items[0]->text : NULL;
}

void sexp_free(struct sexp *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->nr; i++)
		sexp_free(s->items[i]);
	free(s->items);
	free(s->text);
	free(s);
}

/* --- reading --- */

static void step(struct reader *r)
{
	if (*r->p++ == '\n') {
		r->line++;
		r->column = 1;
	} else {
		r->column++;
	}
}

static void skip_blanks(struct reader *r)
{
	while (r->p < r->end && (isspace((unsigned char)*r->p) || *r->p == '#')) {
		if (*r->p == '#') {
			while (r->p < r->end && *r->p != '\n')
				step(r);
		} else {
			step(r);
		}
	}
}

static struct sexp *at_reader(struct sexp *s, const struct reader *r)
{
	s->line = r->line;
	s->column = r->column;
	return s;
}

static struct sexp *fail(struct reader *r, const struct sexp *at, const char *why)
{
	r->bad_line = at ? at->line : r->line;
	r->bad_column = at ? at->column : r->column;
	r->why = why;
	return NULL;
}

static struct sexp *read_quoted(struct reader *r)
{
	struct sexp *s = at_reader(sexp_new_list(), r);
	struct str text = STR_INIT;
	char quote = *r->p;

	step(r);
	while (r->p < r->end && *r->p != quote && *r->p) {
		char c = *r->p;

		if (c == '\\' && r->p + 1 < r->end && r->p[1]) {
			step(r);
			c = *r->p;
			if (c == 'n')
				c = '\n';
			else if (c == 't')
				c = '\t';
		}
		str_add_char(&text, c);
		step(r);
	}
	s->text = str_steal(&text);
	if (r->p == r->end || *r->p != quote) {
		fail(r, s, "this string has no end: expected the same quote after it");
		sexp_free(s);
		return NULL;
	}
	step(r);
	return s;
}

static struct sexp *read_word(struct reader *r)
{
	struct sexp *s = at_reader(sexp_new_list(), r);
	const char *from = r->p;

	while (r->p < r->end && !isspace((unsigned char)*r->p) && !strchr("()'\"#", *r->p))
		step(r);
	s->text = xstrndup(from, (size_t)(r->p - from));
	return s;
}

static struct sexp *read_one(struct reader *r, unsigned int depth);

static struct sexp *read_list(struct reader *r, unsigned int depth)
{
	struct sexp *list = at_reader(sexp_new_list(), r);

	step(r);
	for (;;) {
		struct sexp *item;

		skip_blanks(r);
		if (r->p == r->end) {
			fail(r, list, "this list has no end: expected )");
			break;
		}
		if (*r->p == ')') {
			step(r);
			return list;
		}
		item = read_one(r, depth + 1);
		if (!item)
			break;
		sexp_add(list, item);
	}
	sexp_free(list);
	return NULL;
}

static struct sexp *read_one(struct reader *r, unsigned int depth)
{
	if (!*r->p)
		return fail(r, NULL, "the file holds a NUL byte: expected text");
	if (*r->p == ')')
		return fail(r, NULL, "there is nothing to close here: expected ( or a word");
	if (*r->p == '\'' || *r->p == '"')
		return read_quoted(r);
	if (*r->p != '(')
		return read_word(r);
	if (depth >= SEXP_MAX_DEPTH)
		return fail(r, NULL, "lists lie too deep in each other");
	return read_list(r, depth);
}

struct sexp *sexp_parse(const char *text, size_t len, unsigned int *line, unsigned int *column,
			const char **why)
{
	struct reader r = { .p = text, .end = text + len, .line = 1, .column = 1 };
	struct sexp *all = sexp_new_list();

	for (skip_blanks(&r); r.p < r.end; skip_blanks(&r)) {
		struct sexp *item = read_one(&r, 0);

		if (!item) {
			*line = r.bad_line;
			*column = r.bad_column;
			*why = r.why;
			sexp_free(all);
			return NULL;
		}
		sexp_add(all, item);
	}
	return all;
}

/* --- printing --- */

static bool holds_lists(const struct sexp *s)
{
	for (size_t i = 0; i < s->nr; i++) {
		if (!s->items[i]->text)
			return true;
	}
	return false;
}

static void print_atom(const char *text, struct str *out)
{
	bool plain = true;

	for (const char *p = text; *p; p++)
		plain &= *p > ' ' && *p != 127 && !strchr("()'\"#\\", *p);
	/* An empty atom prints as nothing, as in (bootloader_args ): xm printed it so. */
	if (plain) {
		str_add(out, text);
		return;
	}
	str_add_char(out, '\'');
	for (const char *p = text; *p; p++) {
		if (*p == '\n') {
			str_add(out, "\\n");
			continue;
		}
		if (*p == '\'' || *p == '\\')
			str_add_char(out, '\\');
		str_add_char(out, *p);
	}
	str_add_char(out, '\'');
}

static void print(const struct sexp *s, unsigned int indent, struct str *out)
{
	bool deep = holds_lists(s);

	if (s->text) {
		print_atom(s->text, out);
		return;
	}
	str_add_char(out, '(');
	for (size_t i = 0; i < s->nr; i++) {
		if (deep && !s->items[i]->text)
			str_printf(out, "\n%*s", (int)indent + 4, "");
		else if (i)
			str_add_char(out, ' ');
		print(s->items[i], indent + 4, out);
	}
	if (deep)
		str_printf(out, "\n%*s", (int)indent, "");
	str_add_char(out, ')');
}

void sexp_print(const struct sexp *s, struct str *out)
{
	print(s, 0, out);
	str_add_char(out, '\n');
}
