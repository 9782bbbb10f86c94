/* SPDX-License-Identifier: MIT */
/* Recursive descent over the lexer's tokens. After an error it goes on with the next statement. */
#include "config/parser.h"
#include "config/lexer.h"
#include "lib/alloc.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 8 };

struct parser {
	struct lexer lx;
	struct token tok;
	const struct parser_keys *keys;
	unsigned int depth; /* how many lists are open */
	bool lost;	    /* the rest of the statement is unreadable: recover() skips it */
	struct config_diags *diags;
};

static void next(struct parser *p)
{
	p->tok = lexer_next(&p->lx, p->depth > 0);
}

static bool is_char(const struct parser *p, char c)
{
	return p->tok.type == TOKEN_CHAR && p->tok.c == c;
}

/* Reports what was expected here, unless the lexer has already reported this token. */
static void expected(struct parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void expected(struct parser *p, const char *fmt, ...)
{
	struct str found = STR_INIT;
	va_list ap;
	char *what;

	if (p->tok.type == TOKEN_BAD)
		return;
	va_start(ap, fmt);
	what = xvasprintf(fmt, ap);
	va_end(ap);
	token_describe(&p->tok, &found);
	config_error(p->diags, p->lx.source, p->tok.pos, "expected %s, found %s", what,
		     str_text(&found));
	str_free(&found);
	free(what);
}

/* Skips to the start of the next statement, out of all open lists. */
static void recover(struct parser *p)
{
	while (p->tok.type != TOKEN_END && p->tok.type != TOKEN_NEWLINE &&
	       (p->depth || !is_char(p, ';'))) {
		if (is_char(p, '['))
			p->depth++;
		else if (is_char(p, ']') && p->depth)
			p->depth--;
		next(p);
	}
	p->depth = 0;
	p->lost = false;
}

static struct value *parse_value(struct parser *p);

static bool begins_value(const struct parser *p)
{
	return p->tok.type == TOKEN_STRING || p->tok.type == TOKEN_NUMBER ||
	       p->tok.type == TOKEN_BAD || is_char(p, '[');
}

/* Reads what follows an element. Reports a missing comma and goes on with the list. */
static void parse_comma(struct parser *p, struct value *list)
{
	if (is_char(p, ',')) {
		next(p);
	} else if (!is_char(p, ']')) {
		if (list->pos.line)
			expected(p, "a comma or the ] of the list that begins in line %u",
				 list->pos.line);
		else
			expected(p, "a comma or ]");
		p->lost = !begins_value(p);
	}
}

/* Reads a list; the current token is its [. */
static struct value *parse_list(struct parser *p)
{
	struct value *list = value_new(VALUE_LIST, p->lx.source, p->tok.pos);

	p->depth++;
	next(p);
	while (!is_char(p, ']') && !p->lost) {
		value_add(list, parse_value(p));
		if (!p->lost)
			parse_comma(p, list);
	}
	if (p->lost)
		return list;
	p->depth--;
	next(p);
	return list;
}

/* Python's constants None, True and False, which some files use. */
static struct value *parse_constant(const struct parser *p)
{
	bool is_none = strcmp(p->tok.text, "None") == 0, is_true = strcmp(p->tok.text, "True") == 0;
	struct value *v;

	if (!is_none && !is_true && strcmp(p->tok.text, "False") != 0)
		return NULL;
	v = value_new(is_none ? VALUE_NONE : VALUE_BOOL, p->lx.source, p->tok.pos);
	v->number = is_true;
	return v;
}

/* Returns VALUE_BROKEN after a report. */
static struct value *parse_value(struct parser *p)
{
	struct value *v = NULL;

	if (p->tok.type == TOKEN_NUMBER) {
		v = value_new(VALUE_NUMBER, p->lx.source, p->tok.pos);
		v->number = p->tok.number;
	} else if (p->tok.type == TOKEN_STRING) {
		v = value_new_string(p->lx.source, p->tok.pos, p->tok.text, strlen(p->tok.text));
		v->plain = p->tok.plain;
	} else if (is_char(p, '[') && p->depth < MAX_DEPTH) {
		return parse_list(p);
	} else if (p->tok.type == TOKEN_WORD) {
		v = parse_constant(p);
	} else if (p->tok.type == TOKEN_BAD) {
		v = value_new(VALUE_BROKEN, p->lx.source, p->tok.pos);
	}
	if (v) {
		next(p);
		return v;
	}
	if (is_char(p, '['))
		config_error(p->diags, p->lx.source, p->tok.pos,
			     "lists lie too deep in each other");
	else
		expected(p, p->depth ? "a string in quotes, a number, a list or ]" :
				       "a string in quotes, a number or a list");
	p->lost = true;
	return value_new(VALUE_BROKEN, p->lx.source, p->tok.pos);
}

static void append(struct value *to, struct value *v, const char *key, struct config_diags *diags)
{
	if (to->type == VALUE_BROKEN || v->type == VALUE_BROKEN) {
		to->type = VALUE_BROKEN;
	} else if (to->type == VALUE_LIST && v->type == VALUE_LIST) {
		for (size_t i = 0; i < v->nr; i++)
			value_add(to, v->items[i]);
		v->nr = 0;
	} else if (to->type == VALUE_STRING && v->type == VALUE_STRING) {
		char *text = xasprintf("%s%s", to->text, v->text);

		free(to->text);
		to->text = text;
		to->plain = false;
	} else {
		bool can_grow = to->type == VALUE_LIST || to->type == VALUE_STRING;
		struct str shown = STR_INIT;

		value_describe(can_grow ? v : to, &shown);
		if (can_grow)
			config_error(diags, v->source, v->pos,
				     "%s: expected another %s after +=, found %s", key,
				     to->type == VALUE_LIST ? "list" : "string", str_text(&shown));
		else
			config_error(diags, v->source, v->pos,
				     "%s: += adds to strings and lists only, and it is %s", key,
				     str_text(&shown));
		str_free(&shown);
	}
	value_free(v);
}

static void assign(struct value *object, const char *key, struct config_pos pos, bool is_append,
		   struct value *v, struct config_diags *diags)
{
	struct value *old = value_find(object, key);

	if (old && is_append) {
		append(old, v, key, diags);
		return;
	}
	if (old) {
		config_warning(diags, v->source, pos,
			       "%s is set again (first in line %u): this value counts", key,
			       old->key_pos.line);
		value_free(value_take(object, key));
	}
	value_set(object, key, pos, v);
}

static void parse_statement(struct parser *p, struct value *object)
{
	struct config_pos pos = p->tok.pos;
	bool is_append;
	struct value *v;
	char *key;

	if (p->tok.type != TOKEN_WORD) {
		expected(p, "key = value");
		recover(p);
		return;
	}
	key = xstrdup(p->tok.text);
	next(p);
	is_append = p->tok.type == TOKEN_APPEND;
	if (is_append || is_char(p, '=')) {
		next(p);
		v = parse_value(p);
		if (!p->lost && p->tok.type != TOKEN_NEWLINE && p->tok.type != TOKEN_END &&
		    !is_char(p, ';'))
			expected(p, "the end of the line");
		assign(object, p->keys->name_of(key), pos, is_append, v, p->diags);
	} else {
		expected(p, "= or += after %.40s", key);
	}
	recover(p);
	free(key);
}

void parser_read(const char *text, size_t len, const char *source, const struct parser_keys *keys,
		 struct value *object, struct config_diags *diags)
{
	struct parser p = { .keys = keys, .diags = diags };

	lexer_init(&p.lx, text, len, source, diags);
	next(&p);
	while (p.tok.type != TOKEN_END) {
		if (p.tok.type == TOKEN_NEWLINE || is_char(&p, ';'))
			next(&p);
		else
			parse_statement(&p, object);
	}
	lexer_free(&p.lx);
}

/* Reads an argument's value in the file's syntax; nothing may follow it. */
static struct value *parse_argument(const char *text, const char *source,
				    struct config_diags *diags)
{
	struct parser p = { .diags = diags };
	struct value *v;

	lexer_init(&p.lx, text, strlen(text), source, diags);
	p.lx.no_places = true;
	next(&p);
	v = parse_value(&p);
	if (!p.lost && p.tok.type != TOKEN_END)
		expected(&p, "the end of the argument");
	lexer_free(&p.lx);
	return v;
}

static bool is_number(const char *text)
{
	uint64_t n;

	return isdigit((unsigned char)*text) && str_to_u64(text, 0, 0, INT64_MAX, &n);
}

static struct value *list_of_one(const char *text, const char *source)
{
	struct config_pos none = { 0, 0 };
	struct value *list = value_new(VALUE_LIST, source, none);

	if (*text)
		value_add(list, value_new_string(source, none, text, strlen(text)));
	return list;
}

static bool is_key(const char *key)
{
	size_t len = strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

	return len && !key[len] && !isdigit((unsigned char)*key);
}

void parser_override(const char *argument, const struct parser_keys *keys, struct value *object,
		     struct config_diags *diags)
{
	struct config_pos none = { 0, 0 };
	const char *equal = strchr(argument, '=');
	size_t len = equal ? (size_t)(equal - argument) : 0;
	bool is_append = len && argument[len - 1] == '+';
	char *copy = xstrndup(argument, len - is_append);
	const char *key = keys->name_of(str_trim(copy));
	const char *text = equal ? equal + 1 + strspn(equal + 1, " \t") : "";
	bool in_syntax = *text && strchr("'\"[", *text), is_list = keys->is_list(key);
	struct value *v, *old = value_find(object, key);

	if (!is_key(key)) {
		config_error(diags, argument, none, "expected key=value");
		goto out;
	}
	if (in_syntax || (!is_list && is_number(text)))
		v = parse_argument(text, argument, diags);
	else if (is_list)
		v = list_of_one(text, argument);
	else
		v = value_new_string(argument, none, text, strlen(text));
	/* The old value has no line, so it came from an earlier argument: append to it. */
	if (old && is_list && !old->key_pos.line && v->type == VALUE_LIST)
		is_append = true;
	if (old && is_append) {
		append(old, v, key, diags);
	} else {
		value_free(value_take(object, key));
		value_set(object, key, none, v);
	}
out:
	free(copy);
}
