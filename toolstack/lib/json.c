/* SPDX-License-Identifier: MIT */
/* Typed access to json-c's objects, with an error that names the member. */
#include "lib/json.h"
#include "lib/alloc.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct json_object *json_parse(const char *text, size_t len, struct error **e)
{
	struct json_tokener *tokener = json_tokener_new_ex(JSON_MAX_DEPTH);
	struct json_object *o = NULL;
	enum json_tokener_error why = json_tokener_error_size;

	if (!tokener)
		abort();
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	if (len <= INT_MAX)
		o = json_tokener_parse_ex(tokener, text, (int)len);
	if (len <= INT_MAX)
		why = json_tokener_get_error(tokener);
	/*
	 * A number or a word may continue in the next chunk. The NUL as a second chunk tells the
	 * tokener that the text ends here.
	 */
	if (why == json_tokener_continue && len < INT_MAX) {
		o = json_tokener_parse_ex(tokener, "", 1);
		why = json_tokener_get_error(tokener);
		if (why == json_tokener_continue)
			why = json_tokener_error_parse_eof;
	} else if (why == json_tokener_success) {
		size_t end = json_tokener_get_parse_end(tokener);

		while (end < len && strchr(" \t\r\n", text[end]) && text[end])
			end++;
		if (end < len)
			why = json_tokener_error_parse_unexpected;
	}
	if (why != json_tokener_success) {
		error_set(e, EINVAL, "Not valid JSON at byte %zu: %s.",
			  json_tokener_get_parse_end(tokener), json_tokener_error_desc(why));
		json_object_put(o);
		o = NULL;
	}
	json_tokener_free(tokener);
	return o;
}

static const char *type_name(enum json_type type)
{
	static const char *const names[] = {
		[json_type_null] = "null",	  [json_type_boolean] = "true or false",
		[json_type_double] = "a number",  [json_type_int] = "a whole number",
		[json_type_object] = "an object", [json_type_array] = "a list",
		[json_type_string] = "a string",
	};

	return names[type];
}

struct json_object *json_parse_object(const char *text, size_t len, struct error **e)
{
	struct error *mine = NULL;
	struct json_object *o = json_parse(text, len, &mine);

	if (mine) {
		error_move(e, &mine);
		return NULL;
	}
	if (!json_object_is_type(o, json_type_object)) {
		error_set(e, EINVAL, "A JSON object was expected, this is %s.",
			  type_name(json_object_get_type(o)));
		json_object_put(o);
		return NULL;
	}
	return o;
}

struct json_object *json_find(struct json_object *o, const char *key)
{
	struct json_object *value = NULL;

	if (!json_object_is_type(o, json_type_object))
		return NULL;
	json_object_object_get_ex(o, key, &value);
	return value;
}

int json_opt_typed(struct json_object *o, const char *key, enum json_type type,
		   struct json_object **out, struct error **e)
{
	struct json_object *value = json_find(o, key);

	*out = NULL;
	if (value && !json_object_is_type(value, type))
		return error_set(e, EINVAL, "\"%s\" must be %s, it is %s.", key, type_name(type),
				 type_name(json_object_get_type(value)));
	*out = value;
	return 0;
}

int json_get_typed(struct json_object *o, const char *key, enum json_type type,
		   struct json_object **out, struct error **e)
{
	int rc = json_opt_typed(o, key, type, out, e);

	if (rc == 0 && !*out)
		rc = error_set(e, ENOENT, "\"%s\" is missing, it must be %s.", key,
			       type_name(type));
	return rc;
}

int json_opt_string(struct json_object *o, const char *key, const char *otherwise, const char **out,
		    struct error **e)
{
	struct json_object *value;
	int rc = json_opt_typed(o, key, json_type_string, &value, e);

	if (rc)
		return rc;
	/*
	 * Refuse a NUL inside a string: as a C string it would silently be a shorter one. Nothing
	 * in this project's JSON has one.
	 */
	if (value &&
	    strlen(json_object_get_string(value)) != (size_t)json_object_get_string_len(value))
		return error_set(e, EINVAL, "\"%s\" holds a NUL character.", key);
	*out = value ? json_object_get_string(value) : otherwise;
	return 0;
}

int json_get_string(struct json_object *o, const char *key, const char **out, struct error **e)
{
	struct json_object *value;
	int rc = json_get_typed(o, key, json_type_string, &value, e);

	return rc ? rc : json_opt_string(o, key, NULL, out, e);
}

int json_opt_int(struct json_object *o, const char *key, int64_t min, int64_t max,
		 int64_t otherwise, int64_t *out, struct error **e)
{
	struct json_object *value;
	int64_t number;
	int rc = json_opt_typed(o, key, json_type_int, &value, e);

	if (rc)
		return rc;
	if (!value) {
		*out = otherwise;
		return 0;
	}
	errno = 0;
	number = json_object_get_int64(value);
	if (errno == ERANGE || number < min || number > max)
		return error_set(e, EINVAL, "\"%s\" must lie between %lld and %lld, it is %s.", key,
				 (long long)min, (long long)max, json_object_get_string(value));
	*out = number;
	return 0;
}

int json_get_int(struct json_object *o, const char *key, int64_t min, int64_t max, int64_t *out,
		 struct error **e)
{
	struct json_object *value;
	int rc = json_get_typed(o, key, json_type_int, &value, e);

	return rc ? rc : json_opt_int(o, key, min, max, 0, out, e);
}

int json_opt_bool(struct json_object *o, const char *key, bool otherwise, bool *out,
		  struct error **e)
{
	struct json_object *value;
	int rc = json_opt_typed(o, key, json_type_boolean, &value, e);

	if (rc == 0)
		*out = value ? json_object_get_boolean(value) : otherwise;
	return rc;
}

int json_get_bool(struct json_object *o, const char *key, bool *out, struct error **e)
{
	struct json_object *value;
	int rc = json_get_typed(o, key, json_type_boolean, &value, e);

	return rc ? rc : json_opt_bool(o, key, false, out, e);
}

static struct json_object *check(struct json_object *o)
{
	if (!o)
		abort();
	return o;
}

struct json_object *json_new_object(void)
{
	return check(json_object_new_object());
}

struct json_object *json_new_array(void)
{
	return check(json_object_new_array());
}

/*
 * JSON strings must be UTF-8, so other bytes of s (half of a character that was cut, for one)
 * become "?".
 */
struct json_object *json_new_string(const char *s)
{
	struct json_object *o;
	const char *end = s;
	char *copy;

	/* Nearly all are ASCII, which is UTF-8. A list of domains has thousands. */
	while (*end && !(*end & 0x80))
		end++;
	if (!*end)
		return check(json_object_new_string_len(s, (int)(end - s)));
	copy = xstrdup(s);
	for (char *p = copy; *p;) {
		size_t len = str_utf8_length(p);

		if (!len)
			*p = '?';
		p += len ? len : 1;
	}
	o = check(json_object_new_string(copy));
	free(copy);
	return o;
}

struct json_object *json_new_int(int64_t value)
{
	return check(json_object_new_int64(value));
}

struct json_object *json_new_bool(bool value)
{
	return check(json_object_new_boolean(value));
}

void json_set(struct json_object *o, const char *key, struct json_object *value)
{
	if (json_object_object_add(o, key, value))
		abort();
}

void json_append(struct json_object *array, struct json_object *value)
{
	if (json_object_array_add(array, value))
		abort();
}

void json_set_string(struct json_object *o, const char *key, const char *value)
{
	if (value)
		json_set(o, key, json_new_string(value));
}

void json_set_printf(struct json_object *o, const char *key, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	json_set_string(o, key, text);
	free(text);
}

void json_set_int(struct json_object *o, const char *key, int64_t value)
{
	json_set(o, key, json_new_int(value));
}

void json_set_bool(struct json_object *o, const char *key, bool value)
{
	json_set(o, key, json_new_bool(value));
}

void json_print(struct json_object *o, struct str *s)
{
	size_t len;
	const char *text = json_object_to_json_string_length(
		o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);

	if (!text)
		abort();
	str_add_bytes(s, text, len);
}
