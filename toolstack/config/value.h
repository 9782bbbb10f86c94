/* SPDX-License-Identifier: MIT */
/*
 * A value as a file, an argument or JSON spells it, with its place, before any key gives it a
 * meaning.
 */
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

/* VALUE_BROKEN: the value could not be read, and an error was reported. */
struct value {
	enum value_type type;
	char *source;
	struct config_pos pos;
	bool plain; /* a string without escapes: byte i of text is at column pos.column + 1 + i */
	int64_t number;	      /* VALUE_NUMBER, VALUE_BOOL */
	char *text;	      /* VALUE_STRING */
	struct value **items; /* VALUE_LIST, VALUE_OBJECT */
	size_t nr;
	size_t capacity;

	/* For a member of an object: its key. */
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
/* Removes a member from an object and returns it; NULL when there is none. */
struct value *value_take(struct value *object, const char *key);
/* The place of byte `offset` of a string's text; the place of the string if it is not `plain`. */
struct config_pos value_pos_in(const struct value *string, size_t offset);

/* None, or an empty string: the same as no such line. */
bool value_is_empty(const struct value *v);
/* Zero, nothing, an empty string or list, "no": values that switch something off. */
bool value_is_off(const struct value *v);

/* Adds the value as a person wrote it, cut when it is long; goes after "found ". */
void value_describe(const struct value *v, struct str *out);

/* In errors, the source of a value is the list element that holds it ("disk[0]"). */
struct value *value_from_json(struct json_object *o);

#endif
