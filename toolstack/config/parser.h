/* SPDX-License-Identifier: MIT */
/*
 * The syntax of a domain's configuration file: key = value, key += value. The parser does not know
 * what a key means.
 */
#ifndef CONFIG_PARSER_H
#define CONFIG_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include "config/diag.h"
#include "config/value.h"

/* The little that the parser must know of keys. */
struct parser_keys {
	/* The key's proper name, for a key that is an alias; else the key itself. */
	const char *(*name_of)(const char *key);
	/* Whether a bare text in an argument is one element of a list. */
	bool (*is_list)(const char *key);
};

/* Those of a domain. */
extern const struct parser_keys config_parser_keys;

/*
 * Adds the assignments of the text to the object. A key that is assigned twice gets the last value,
 * and a warning. All errors are reported; the object has whatever could be read.
 */
void parser_read(const char *text, size_t len, const char *source, const struct parser_keys *keys,
		 struct value *object, struct config_diags *diags);

/*
 * Reads one argument key=value or key+=value and replaces the key in the object. The value is a
 * string or list in the file's syntax, or a number, or any other text. Such a text is a string, or
 * one element if the key is a list; further arguments for the same list append to it.
 */
void parser_override(const char *argument, const struct parser_keys *keys, struct value *object,
		     struct config_diags *diags);

#endif
