/* SPDX-License-Identifier: MIT */
/* The tree of values: building it, searching it, describing it to a person. */
#include "config/value.h"
#include "lib/alloc.h"
#include <stdlib.h>
#include <string.h>

struct value *value_new(enum value_type type, const char *source, struct config_pos pos)
{
	struct value *v = xcalloc(1, sizeof(*v));

	v->type = type;
	v->source = xstrdup(source);
	v->pos = pos;
	return v;
}

struct value *value_new_string(const char *source, struct config_pos pos, const char *text,
			       size_t len)
{
	struct value *v = value_new(VALUE_STRING, source, pos);

	v->text = xstrndup(text, len);
	return v;
}

void value_free(struct value *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->nr; i++)
		value_free(v->items[i]);
	free(v->items);
	free(v->text);
	free(v->key);
	free(v->source);
	free(v);
}

void value_add(struct value *list, struct value *item)
{
	if (list->nr == list->capacity) {
		list->capacity = list->capacity ? 2 * list->capacity : 4;
		list->items = xreallocarray(list->items, list->capacity, sizeof(struct value *));
	}
	list->items[list->nr++] = item;
}

void value_set(struct value *object, const char *key, struct config_pos key_pos, struct value *item)
{
	free(item->key);
	item->key = xstrdup(key);
	item->key_pos = key_pos;
	value_add(object, item);
}

struct value *value_find(const struct value *object, const char *key)
{
	for (size_t i = 0; i < object->nr; i++) {
		if (strcmp(object->items[i]->key, key) == 0)
			return object->items[i];
	}
	return NULL;
}

struct value *value_take(struct value *object, const char *key)
{
	for (size_t i = 0; i < object->nr; i++) {
		struct value *item = object->items[i];

		if (strcmp(item->key, key) == 0) {
			memmove(object->items + i, object->items + i + 1,
				(--object->nr - i) * sizeof(struct value *));
			return item;
		}
	}
	return NULL;
}

struct config_pos value_pos_in(const struct value *string, size_t offset)
{
	struct config_pos pos = string->pos;

	if (string->plain && pos.line)
		pos.column += 1 + (unsigned int)offset;
	return pos;
}

bool value_is_empty(const struct value *v)
{
	return v->type == VALUE_NONE || (v->type == VALUE_STRING && !*v->text);
}

bool value_is_off(const struct value *v)
{
	switch (v->type) {
	case VALUE_NONE:
		return true;
	case VALUE_BOOL:
	case VALUE_NUMBER:
		return !v->number;
	case VALUE_STRING:
		return !*v->text || strcmp(v->text, "0") == 0 || strcasecmp(v->text, "no") == 0 ||
		       strcasecmp(v->text, "off") == 0;
	case VALUE_LIST:
	case VALUE_OBJECT:
		return !v->nr;
	default:
		return false;
	}
}

void value_describe(const struct value *v, struct str *out)
{
	enum { longest = 40 };

	switch (v->type) {
	case VALUE_NONE:
		str_add(out, "None");
		break;
	case VALUE_BOOL:
		str_add(out, v->number ? "True" : "False");
		break;
	case VALUE_NUMBER:
		str_printf(out, "%lld", (long long)v->number);
		break;
	case VALUE_FRACTION:
		str_add(out, "a number with a fraction");
		break;
	case VALUE_STRING:
		str_add_char(out, '"');
		str_add_shown(out, v->text, longest);
		str_add_char(out, '"');
		break;
	case VALUE_LIST:
		str_add(out, v->nr ? "a list" : "an empty list");
		break;
	case VALUE_OBJECT:
		str_add(out, "an object");
		break;
	case VALUE_BROKEN:
		str_add(out, "something else");
		break;
	}
}

/*
 * source: the list element that holds the value, "" outside of lists. key: the value's key there.
 */
static struct value *from_json(struct json_object *o, const char *source, const char *key);

static struct value *members_from_json(struct json_object *o, const char *source)
{
	struct config_pos none = { 0, 0 };
	struct value *v = value_new(VALUE_OBJECT, source, none);

	json_object_object_foreach(o, key, member)
	{
		value_set(v, key, none, from_json(member, source, key));
	}
	return v;
}

static struct value *elements_from_json(struct json_object *o, const char *source, const char *key)
{
	struct config_pos none = { 0, 0 };
	struct value *v = value_new(VALUE_LIST, source, none);

	for (size_t i = 0; i < json_object_array_length(o); i++) {
		char *path = xasprintf("%s[%zu]", key, i);

		value_add(v, from_json(json_object_array_get_idx(o, i), path, key));
		free(path);
	}
	return v;
}

static struct value *string_from_json(struct json_object *o, const char *source)
{
	struct config_pos none = { 0, 0 };
	size_t len = (size_t)json_object_get_string_len(o);
	struct value *v = value_new(VALUE_STRING, source, none);

	/* A JSON string may contain NULs. They become \1, which no key accepts either. */
	v->text = xmalloc(len + 1);
	memcpy(v->text, json_object_get_string(o), len + 1);
	for (size_t i = 0; i < len; i++) {
		if (!v->text[i])
			v->text[i] = '\1';
	}
	return v;
}

static struct value *from_json(struct json_object *o, const char *source, const char *key)
{
	struct config_pos none = { 0, 0 };
	struct value *v;

	switch (json_object_get_type(o)) {
	case json_type_boolean:
		v = value_new(VALUE_BOOL, source, none);
		v->number = json_object_get_boolean(o);
		return v;
	case json_type_int:
		v = value_new(VALUE_NUMBER, source, none);
		v->number = json_object_get_int64(o);
		return v;
	case json_type_double:
		return value_new(VALUE_FRACTION, source, none);
	case json_type_string:
		return string_from_json(o, source);
	case json_type_array:
		return elements_from_json(o, source, key);
	case json_type_object:
		return members_from_json(o, source);
	default:
		return value_new(VALUE_NONE, source, none);
	}
}

struct value *value_from_json(struct json_object *o)
{
	return from_json(o, "", "");
}
