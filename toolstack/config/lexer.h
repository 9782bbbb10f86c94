/* SPDX-License-Identifier: MIT */
/* Tokens of a domain's configuration file. */
#ifndef CONFIG_LEXER_H
#define CONFIG_LEXER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "config/diag.h"
#include "lib/str.h"

enum token_type {
	TOKEN_END,
	TOKEN_NEWLINE,
	TOKEN_WORD,   /* text */
	TOKEN_NUMBER, /* number */
	TOKEN_STRING, /* text */
	TOKEN_CHAR,   /* one character that means something, or nothing, alone: [ ] , ; = * */
	TOKEN_APPEND, /* += */
	TOKEN_BAD,    /* was reported already */
};

struct token {
	enum token_type type;
	struct config_pos pos;
	char c;
	int64_t number;
	bool plain;	  /* a string without escapes */
	const char *text; /* until the next token */
};

struct lexer {
	const char *p, *end;
	const char *source;
	bool no_places; /* every token stands at 0:0 */
	unsigned int line;
	const char *line_start;
	struct str text;
	struct config_diags *diags;
};

void lexer_init(struct lexer *lx, const char *text, size_t len, const char *source,
		struct config_diags *diags);
void lexer_free(struct lexer *lx);

/*
 * The next token. In a list, the end of a line means nothing, unless an assignment follows: then
 * the list's end was forgotten, and TOKEN_NEWLINE comes all the same.
 */
struct token lexer_next(struct lexer *lx, bool in_list);

/* For "found ...". */
void token_describe(const struct token *t, struct str *out);

#endif
