/* SPDX-License-Identifier: MIT */
/* The syntax of a domain's configuration: key = value, key += value. What keys mean is not known here. */
#ifndef CONFIG_PARSER_H
#define CONFIG_PARSER_H

#include <stddef.h>
#include "config/diag.h"
#include "config/value.h"

/*
 * Adds what the text assigns to the object. A key that is assigned again has its last value, with a warning. Every error is
 * reported; what could be read is in the object all the same.
 */
void parser_read(const char *text, size_t len, const char *source, struct value *object, struct config_diags *diags);

/*
 * One argument key=value (or key+=value): value is a string or list in the file's syntax, a number, or any other text, which
 * is a string then. For a key of which `is_list` is true a bare text is the list's one element, and more arguments for the
 * same key add to it. Replaces what the object has.
 */
void parser_override(const char *argument, bool (*is_list)(const char *key), struct value *object,
		     struct config_diags *diags);

#endif
