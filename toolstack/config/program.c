/* SPDX-License-Identifier: MIT */
/* From the answer of a program that evaluated a domain's file to the values of keys. */
#include "config/config.h"
#include "config/foreign.h"
#include "config/parser.h"
#include "config/schema.h"
#include "lib/alloc.h"
#include "lib/json.h"
#include <stdlib.h>
#include <string.h>

static const struct config_pos nowhere = { 0, 0 };

struct program {
	const char *filename;
	struct config_diags *diags;
};

static unsigned int number(struct json_object *o, const char *key)
{
	int64_t value = 0;

	if (json_opt_int(o, key, 0, INT32_MAX, 0, &value, NULL))
		return 0;
	return (unsigned int)value;
}

static struct config_pos place(struct json_object *o)
{
	struct config_pos pos = { number(o, "line"), number(o, "column") };

	return pos.line ? pos : nowhere;
}

static const char *text_of(struct json_object *o, const char *key)
{
	const char *text = NULL;

	return json_opt_string(o, key, "", &text, NULL) == 0 ? text : "";
}

static bool flag(struct json_object *o, const char *key)
{
	bool value = false;

	return json_opt_bool(o, key, false, &value, NULL) == 0 && value;
}

static struct value *read_item(const struct program *p, struct json_object *item, const char *key);

static void read_members(const struct program *p, struct json_object *members, const char *key,
			 struct value *object)
{
	json_object_object_foreach(members, name, member)
	{
		value_set(object, name, object->pos, read_item(p, member, key));
	}
}

static void read_elements(const struct program *p, struct json_object *elements, const char *key,
			  struct value *list)
{
	for (size_t i = 0; i < json_object_array_length(elements); i++)
		value_add(list, read_item(p, json_object_array_get_idx(elements, i), key));
}

/* The value of an item, with its place. VALUE_BROKEN after a report. */
static struct value *read_item(const struct program *p, struct json_object *item, const char *key)
{
	struct json_object *inner = json_find(item, "value");
	struct value *v =
		value_from_json(json_object_is_type(inner, json_type_array) ||
						json_object_is_type(inner, json_type_object) ?
					NULL :
					inner);

	free(v->source);
	v->source = xstrdup(p->filename);
	v->pos = place(item);
	v->plain = flag(item, "plain");
	if (json_find(item, "other")) {
		config_error(p->diags, p->filename, v->pos,
			     "%s: expected text, a number or a list, found %s", key,
			     text_of(item, "other"));
		v->type = VALUE_BROKEN;
	} else if (json_object_is_type(inner, json_type_array)) {
		v->type = VALUE_LIST;
		read_elements(p, inner, key, v);
	} else if (json_object_is_type(inner, json_type_object)) {
		v->type = VALUE_OBJECT;
		read_members(p, inner, key, v);
	}
	return v;
}

static bool is_known(const char *key)
{
	return schema_find(&config_domain_schema, key) ||
	       foreign_find(config_domain_schema.foreign, key);
}

/* Adds a name's value under its key. A name that is no key is a warning if nothing reads it. */
static void read_value(const struct program *p, struct json_object *entry, struct value *object)
{
	const char *name = text_of(entry, "key"), *key = config_parser_keys.name_of(name);
	struct json_object *item = json_find(entry, "item");

	if (!is_known(name) && (flag(entry, "helper") || json_find(item, "other")))
		return;
	value_free(value_take(object, key));
	value_set(object, key, place(entry), read_item(p, item, name));
}

/* Whether the word sets a key, and not only a variable of the program. */
static bool is_override(const char *word, const char *use)
{
	char *name = xstrndup(word, strcspn(word, "=+"));
	bool known = is_known(str_trim(name));

	free(name);
	if (strcmp(use, "variable") == 0)
		return false;
	return known || strcmp(use, "name") != 0;
}

struct config *config_from_program(struct json_object *answer, const char *filename,
				   const char *const *words, size_t nr_words,
				   struct config_diags *diags)
{
	struct program p = { filename, diags };
	struct value *object = value_new(VALUE_OBJECT, filename, nowhere);
	struct json_object *values = json_find(answer, "values"),
			   *uses = json_find(answer, "words");

	if (!json_object_is_type(values, json_type_array) ||
	    !json_object_is_type(uses, json_type_array) ||
	    json_object_array_length(uses) != nr_words) {
		config_error(diags, filename, nowhere, "the program gave a result that is none");
		value_free(object);
		return NULL;
	}
	for (size_t i = 0; i < json_object_array_length(values); i++)
		read_value(&p, json_object_array_get_idx(values, i), object);
	for (size_t i = 0; i < nr_words; i++) {
		const char *use = json_object_get_string(json_object_array_get_idx(uses, i));

		if (is_override(words[i], use ? use : ""))
			parser_override(words[i], &config_parser_keys, object, diags);
	}
	return config_from_values(object, diags);
}
