/* SPDX-License-Identifier: MIT */
/*
 * json-c with type checks and errors as sentences. A string or object that a getter returns belongs
 * to the object that contains it; a value that a setter takes belongs to the object afterwards.
 *
 * json_get_*: the member must exist (else -ENOENT) and have the type (else -EINVAL); the error
 * names the member. json_opt_*: when the member is missing or null, *out becomes `otherwise` (NULL
 * from json_opt_typed()); a member of another type is -EINVAL here too.
 */
#ifndef LIB_JSON_H
#define LIB_JSON_H

#include <json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/error.h"
#include "lib/str.h"

enum { JSON_MAX_DEPTH = 32 };

/*
 * Parses one JSON value with only blanks around it, nested at most JSON_MAX_DEPTH deep. Returns
 * NULL on an error (EINVAL), which says where. The JSON value null is NULL too, without an error: a
 * caller checks *e, or calls json_parse_object().
 */
struct json_object *json_parse(const char *text, size_t len, struct error **e);
/* The same for a value that must be an object; NULL always means an error. */
struct json_object *json_parse_object(const char *text, size_t len, struct error **e);

int json_get_string(struct json_object *o, const char *key, const char **out, struct error **e);
/* A whole number within min..max. */
int json_get_int(struct json_object *o, const char *key, int64_t min, int64_t max, int64_t *out,
		 struct error **e);
int json_get_bool(struct json_object *o, const char *key, bool *out, struct error **e);
/* type: json_type_object, json_type_array, ... */
int json_get_typed(struct json_object *o, const char *key, enum json_type type,
		   struct json_object **out, struct error **e);

int json_opt_string(struct json_object *o, const char *key, const char *otherwise, const char **out,
		    struct error **e);
int json_opt_int(struct json_object *o, const char *key, int64_t min, int64_t max,
		 int64_t otherwise, int64_t *out, struct error **e);
int json_opt_bool(struct json_object *o, const char *key, bool otherwise, bool *out,
		  struct error **e);
int json_opt_typed(struct json_object *o, const char *key, enum json_type type,
		   struct json_object **out, struct error **e);

/* The member, or NULL when it is missing. */
struct json_object *json_find(struct json_object *o, const char *key);

/* Does nothing when value is NULL. */
void json_set_string(struct json_object *o, const char *key, const char *value);
void json_set_printf(struct json_object *o, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void json_set_int(struct json_object *o, const char *key, int64_t value);
void json_set_bool(struct json_object *o, const char *key, bool value);
void json_set(struct json_object *o, const char *key, struct json_object *value);
void json_append(struct json_object *array, struct json_object *value);

/* These never return NULL. */
struct json_object *json_new_object(void);
struct json_object *json_new_array(void);
/* Bytes of s that are not UTF-8 become "?". */
struct json_object *json_new_string(const char *s);
struct json_object *json_new_int(int64_t value);
struct json_object *json_new_bool(bool value);

/* Adds the value's text to s, on one line and without a newline at its end. */
void json_print(struct json_object *o, struct str *s);

#endif
