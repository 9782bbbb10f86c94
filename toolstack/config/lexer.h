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
	TOKEN_CHAR,   /* any other character, such as [ ] , ; = *, valid or not */
	TOKEN_APPEND, /* += */
	TOKEN_BAD,    /* an error was reported */
};

struct token {
	enum token_type type;
	struct config_pos pos;
	char c;
	int64_t number;
	bool plain;	  /* a string without escapes */
	const char *text; /* valid until the next token */
};

struct lexer {
	const char *p, *end;
	const char *source;
	bool no_places; /* every token has the place 0:0 */
	unsigned int line;
	const char *line_start;
	struct str text;
	struct config_diags *diags;
};

void lexer_init(struct lexer *lx, const char *text, size_t len, const char *source,
		struct config_diags *diags);
void lexer_free(struct lexer *lx);

/*
 * Returns the next token. Inside a list the end of a line is skipped like a blank, with one
 * exception: when an assignment follows, the list lacks its end, and TOKEN_NEWLINE is returned.
 */
struct token lexer_next(struct lexer *lx, bool in_list);

/* Adds the token as text that follows "found ". */
void token_describe(const struct token *t, struct str *out);

#endif
