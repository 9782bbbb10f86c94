/* SPDX-License-Identifier: MIT */
/* The syntax of a domain's configuration: key = value, key += value. What keys mean is not known
 * here. */
#ifndef CONFIG_PARSER_H
#define CONFIG_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include "config/diag.h"
#include "config/value.h"

/* What must be known of keys all the same. */
struct parser_keys {
	const char *(*name_of)(
		const char *key); /* its proper name, when it is another name of one */
	bool (*is_list)(
		const char *key); /* whether an argument's bare text is one element of a list */
};

/*
 * Adds what the text assigns to the object. A key that is assigned again has its last value, with a
 * warning. Every error is reported; what could be read is in the object all the same.
 */
void parser_read(const char *text, size_t len, const char *source, const struct parser_keys *keys,
		 struct value *object, struct config_diags *diags);

/*
 * One argument key=value (or key+=value): value is a string or list in the file's syntax, a number,
 * or any other text, which is a string then, or the one element of a list; more arguments for the
 * same list add to it. Replaces what the object has.
 */
void parser_override(const char *argument, const struct parser_keys *keys, struct value *object,
		     struct config_diags *diags);

#endif
