/* SPDX-License-Identifier: MIT */
/* What a file, an argument or JSON says, before it is known what it should say: values with their
 * places. */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include <json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "config/diag.h"
#include "lib/str.h"

enum value_type {
	VALUE_NONE,
	VALUE_BOOL,
	VALUE_NUMBER,
	VALUE_FRACTION,
	VALUE_STRING,
	VALUE_LIST,
	VALUE_OBJECT,
	VALUE_BROKEN
};

/* VALUE_BROKEN: it could not be read, which was reported. */
struct value {
	enum value_type type;
	char *source;
	struct config_pos pos;
	bool plain;	/* a string without escapes: byte i of text stands at pos.column + 1 + i */
	int64_t number; /* VALUE_NUMBER, VALUE_BOOL */
	char *text;	/* VALUE_STRING */
	struct value **items; /* VALUE_LIST, VALUE_OBJECT */
	size_t nr;
	size_t capacity;

	/* Of a member of an object. */
	char *key;
	struct config_pos key_pos;
};

struct value *value_new(enum value_type type, const char *source, struct config_pos pos);
struct value *value_new_string(const char *source, struct config_pos pos, const char *text,
			       size_t len);
void value_free(struct value *v);
/* item belongs to the list from now on. */
void value_add(struct value *list, struct value *item);
/* The same for an object. */
void value_set(struct value *object, const char *key, struct config_pos key_pos,
	       struct value *item);
struct value *value_find(const struct value *object, const char *key);
/* Takes a member out of an object and gives it back; NULL when there is none. */
struct value *value_take(struct value *object, const char *key);
/* Where byte `offset` of a string's text stands; without that knowledge, where the string begins.
 */
struct config_pos value_pos_in(const struct value *string, size_t offset);

/* None, or an empty string: like no such line at all. */
bool value_is_empty(const struct value *v);
/* Zero, nothing, an empty string or list, "no": what asks for something to be left out. */
bool value_is_off(const struct value *v);

/* For "found ...": adds the value as a person wrote it, cut short when it is long. */
void value_describe(const struct value *v, struct str *out);

/* Errors about it name the element of a list that they are about ("disk[0]"). */
struct value *value_from_json(struct json_object *o);

#endif
