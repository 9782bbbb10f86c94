/* SPDX-License-Identifier: MIT */
/* From characters to tokens: words, numbers, strings in Python's quotes, and the end of a line. */
#include "config/lexer.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void lexer_init(struct lexer *lx, const char *text, size_t len, const char *source,
		struct config_diags *diags)
{
	memset(lx, 0, sizeof(*lx));
	lx->p = text;
	lx->end = text + len;
	lx->source = source;
	lx->line = 1;
	lx->line_start = text;
	lx->diags = diags;
	/* Some editors begin UTF-8 files with a byte order mark. */
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		lx->p += 3;
		lx->line_start += 3;
	}
}

void lexer_free(struct lexer *lx)
{
	str_free(&lx->text);
}

static struct config_pos here(const struct lexer *lx)
{
	struct config_pos pos = { lx->line, (unsigned int)(lx->p - lx->line_start) + 1 };

	if (lx->no_places)
		memset(&pos, 0, sizeof(pos));
	return pos;
}

static int peek(const struct lexer *lx, size_t n)
{
	return lx->p + n < lx->end ? (unsigned char)lx->p[n] : -1;
}

static bool is_word_char(int c)
{
	return c == '_' || (c >= 0 && c < 128 && isalnum(c));
}

static void pass_newline(struct lexer *lx)
{
	lx->p++;
	lx->line++;
	lx->line_start = lx->p;
}

static void skip_blanks(struct lexer *lx)
{
	for (;;) {
		int c = peek(lx, 0);

		if (c == ' ' || c == '\t' || c == '\r') {
			lx->p++;
		} else if (c == '#') {
			while (lx->p < lx->end && *lx->p != '\n')
				lx->p++;
		} else if (c == '\\' && peek(lx, 1) == '\n') {
			lx->p++;
			pass_newline(lx);
		} else {
			return;
		}
	}
}

/* Whether `word =` or `word +=` stands here, after blanks. */
static bool at_assignment(const struct lexer *lx)
{
	struct lexer look = *lx;

	skip_blanks(&look);
	if (!is_word_char(peek(&look, 0)) || isdigit(peek(&look, 0)))
		return false;
	while (is_word_char(peek(&look, 0)))
		look.p++;
	skip_blanks(&look);
	return peek(&look, 0) == '=' || (peek(&look, 0) == '+' && peek(&look, 1) == '=');
}

static struct token bad(struct token t)
{
	t.type = TOKEN_BAD;
	return t;
}

static struct token read_word(struct lexer *lx, struct token t)
{
	const char *from = lx->p;

	while (is_word_char(peek(lx, 0)) || (peek(lx, 0) == '.' && is_word_char(peek(lx, 1))))
		lx->p++;
	str_add_bytes(&lx->text, from, (size_t)(lx->p - from));
	t.type = TOKEN_WORD;
	t.text = str_text(&lx->text);
	return t;
}

/*
 * A sign and digits. Letters and points that follow directly count as part of the number, so that
 * "2g" and "1.5" are errors and not two tokens.
 */
static struct token read_number(struct lexer *lx, struct token t)
{
	const char *from = lx->p;
	const char *text;
	char *end;

	if (*lx->p == '-' || *lx->p == '+')
		lx->p++;
	while (is_word_char(peek(lx, 0)) || peek(lx, 0) == '.')
		lx->p++;
	str_add_bytes(&lx->text, from, (size_t)(lx->p - from));
	text = str_text(&lx->text);
	errno = 0;
	t.number = strtoll(text, &end, 0);
	/* Python 2 wrote long numbers so. */
	if (end > text && strcasecmp(end, "l") == 0)
		end++;
	if (errno == ERANGE) {
		config_error(lx->diags, lx->source, t.pos, "the number %.40s is too large", text);
		return bad(t);
	}
	if (*end) {
		config_error(lx->diags, lx->source, t.pos,
			     "expected a whole number, or quotes around a string, found %.40s",
			     text);
		return bad(t);
	}
	t.type = TOKEN_NUMBER;
	return t;
}

static int digit_value(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

/* Reads up to `most` digits of the base. Returns the value; -1 when there are none. */
static int read_digits(struct lexer *lx, int base, int most)
{
	int value = 0, n = 0;

	while (n < most && digit_value(peek(lx, 0)) < base) {
		value = value * base + digit_value(peek(lx, 0));
		lx->p++;
		n++;
	}
	return n ? value : -1;
}

/* Reads what follows a backslash in a string. False after a report. */
static bool read_escape(struct lexer *lx)
{
	static const char names[] = "abfnrtv\\'\"", values[] = "\a\b\f\n\r\t\v\\'\"";
	struct config_pos pos = here(lx);
	int c = peek(lx, 1), value;
	const char *found = c > 0 ? strchr(names, c) : NULL;

	lx->p++;
	if (c == '\n') {
		pass_newline(lx);
		return true;
	}
	if (found) {
		str_add_char(&lx->text, values[found - names]);
		lx->p++;
		return true;
	}
	if (c == 'x') {
		lx->p++;
		value = read_digits(lx, 16, 2);
	} else {
		value = read_digits(lx, 8, 3);
	}
	if (value > 0 && value < 256) {
		str_add_char(&lx->text, (char)value);
		return true;
	}
	if (!value)
		config_error(lx->diags, lx->source, pos, "a string cannot hold a NUL character");
	else if (c == 'x' || value > 0)
		config_error(lx->diags, lx->source, pos,
			     "expected a byte's value after the backslash, \\x00 to \\xff or \\0 "
			     "to \\377");
	else if (isgraph(c))
		config_error(lx->diags, lx->source, pos,
			     "unknown escape \\%c: expected one of \\n \\t \\\\ \\' \\\" \\xHH, or "
			     "\\\\ for a backslash",
			     c);
	else
		config_error(lx->diags, lx->source, pos,
			     "expected a character after the backslash, or \\\\ for a backslash");
	return false;
}

static struct token read_string(struct lexer *lx, struct token t)
{
	int quote = (unsigned char)*lx->p++;
	bool good = true;

	t.plain = true;
	for (;;) {
		int c = peek(lx, 0);

		if (c == quote)
			break;
		if (c < 0 || c == '\n') {
			config_error(
				lx->diags, lx->source, t.pos,
				"this string has no end: expected %c before the end of the line",
				quote);
			return bad(t);
		}
		if (!c && good) {
			config_error(lx->diags, lx->source, here(lx),
				     "a string cannot hold a NUL character");
			good = false;
		}
		if (c == '\\') {
			t.plain = false;
			good &= read_escape(lx);
		} else {
			str_add_char(&lx->text, (char)c);
			lx->p++;
		}
	}
	lx->p++;
	t.type = TOKEN_STRING;
	t.text = str_text(&lx->text);
	return good ? t : bad(t);
}

/* Reports a character that is not ASCII or not printable. */
static struct token read_foreign(struct lexer *lx, struct token t)
{
	char copy[5] = "";
	size_t len = (size_t)(lx->end - lx->p);

	memcpy(copy, lx->p, len < 4 ? len : 4);
	len = str_utf8_length(copy);
	copy[len] = '\0';
	if (len > 1)
		config_error(lx->diags, lx->source, t.pos,
			     "%s cannot stand outside of a string or a comment", copy);
	else
		config_error(lx->diags, lx->source, t.pos,
			     "the byte 0x%02x cannot stand outside of a string or a comment",
			     (unsigned char)*lx->p);
	lx->p += len ? len : 1;
	return bad(t);
}

struct token lexer_next(struct lexer *lx, bool in_list)
{
	struct token t = { 0 };
	int c;

	str_clear(&lx->text);
	for (;;) {
		skip_blanks(lx);
		c = peek(lx, 0);
		t.pos = here(lx);
		if (c != '\n')
			break;
		pass_newline(lx);
		if (!in_list || at_assignment(lx)) {
			t.type = TOKEN_NEWLINE;
			return t;
		}
	}
	if (c < 0) {
		t.type = TOKEN_END;
		return t;
	}
	if (c == '\'' || c == '"')
		return read_string(lx, t);
	if (isdigit(c) || ((c == '-' || c == '+') && isdigit(peek(lx, 1))))
		return read_number(lx, t);
	if (is_word_char(c))
		return read_word(lx, t);
	if (c >= 128 || !isgraph(c))
		return read_foreign(lx, t);
	lx->p++;
	t.c = (char)c;
	if (c == '+' && peek(lx, 0) == '=') {
		lx->p++;
		t.type = TOKEN_APPEND;
	} else {
		t.type = TOKEN_CHAR;
	}
	return t;
}

void token_describe(const struct token *t, struct str *out)
{
	switch (t->type) {
	case TOKEN_END:
		str_add(out, "the end of the text");
		break;
	case TOKEN_NEWLINE:
		str_add(out, "the end of the line");
		break;
	case TOKEN_WORD:
		str_printf(out, "%.40s", t->text);
		break;
	case TOKEN_NUMBER:
		str_printf(out, "%lld", (long long)t->number);
		break;
	case TOKEN_STRING:
		str_add(out, "the string \"");
		str_add_shown(out, t->text, 40);
		str_add_char(out, '"');
		break;
	case TOKEN_CHAR:
		str_add_char(out, t->c);
		break;
	case TOKEN_APPEND:
		str_add(out, "+=");
		break;
	case TOKEN_BAD:
		str_add(out, "something else");
		break;
	}
}
