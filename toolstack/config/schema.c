/* SPDX-License-Identifier: MIT */
/*
 * One engine for every table of keys: values become fields of a record, fields become JSON. It
 * knows kinds of keys, but no single key.
 */
#include "config/schema.h"
#include "config/foreign.h"
#include "lib/alloc.h"
#include "lib/json.h"
#include "lib/str.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const struct config_key *schema_find(const struct config_schema *schema, const char *name)
{
	for (size_t i = 0; schema->aliases[i][0]; i++) {
		if (strcmp(schema->aliases[i][0], name) == 0)
			name = schema->aliases[i][1];
	}
	for (size_t i = 0; i < schema->nr; i++) {
		if (strcmp(schema->keys[i].name, name) == 0)
			return &schema->keys[i];
	}
	return NULL;
}

static uint64_t key_bit(const struct config_schema *schema, const struct config_key *key)
{
	return 1ULL << (key - schema->keys);
}

bool schema_is_set(const struct config_schema *schema, const void *record, const char *name)
{
	const struct config_key *key = schema_find(schema, name);

	return key && *(const uint64_t *)record & key_bit(schema, key);
}

void schema_mark_set(const struct config_schema *schema, void *record, const char *name)
{
	*(uint64_t *)record |= key_bit(schema, schema_find(schema, name));
}

const char *schema_nearest(const struct config_schema *schema, const char *name)
{
	unsigned int best = strlen(name) < 4 ? 1 : 2;
	const char *nearest = NULL;

	for (size_t i = 0; i < schema->nr; i++) {
		unsigned int distance = str_distance(name, schema->keys[i].name, best);

		if (distance < best || (distance == best && !nearest)) {
			best = distance;
			nearest = schema->keys[i].name;
		}
	}
	return nearest;
}

/* --- from values to fields --- */

struct fill {
	const struct config_schema *schema;
	const struct config_key *key;
	struct config_diags *diags;
};

static void wrong(const struct fill *f, const struct value *v, const char *expected)
{
	bool left_out = f->key->flags & KEY_LEFT_OUT;
	struct str found = STR_INIT;

	value_describe(v, &found);
	(left_out ? config_unknown : config_error)(f->diags, v->source, v->pos,
						   "%s%s: expected %s, found %s%s", f->schema->what,
						   f->key->name, expected, str_text(&found),
						   left_out ? ": it is left out" : "");
	str_free(&found);
}

/* The value's text in canonical form; NULL after a report. */
static char *text_of(const struct fill *f, const struct value *v)
{
	const struct config_text *text = f->key->text;
	char *canonical = NULL;

	if (v->type == VALUE_BROKEN)
		return NULL;
	if (v->type == VALUE_STRING && f->key->flags & KEY_PATH && f->diags->directory &&
	    *v->text != '/') {
		char *path = xasprintf("%s/%s", f->diags->directory, v->text);

		canonical = text->parse(path);
		free(path);
	} else if (v->type == VALUE_STRING) {
		canonical = text->parse(v->text);
	} else if (v->type == VALUE_NUMBER && text->number_too) {
		char *digits = xasprintf("%lld", (long long)v->number);

		canonical = text->parse(digits);
		free(digits);
	}
	if (!canonical)
		wrong(f, v, text->expected);
	return canonical;
}

static bool set_text(const struct fill *f, void *field, const struct value *v)
{
	if (value_is_empty(v) && !(f->key->flags & KEY_REQUIRED))
		return false;
	*(char **)field = text_of(f, v);
	return *(char **)field;
}

static bool in_range(const struct config_key *key, uint64_t n)
{
	return n >= key->min && n <= key->max;
}

static bool is_zero(const struct value *v)
{
	return v->type == VALUE_STRING ? strcmp(v->text, "0") == 0 :
					 v->type == VALUE_NUMBER && v->number == 0;
}

static bool set_uint(const struct fill *f, void *field, const struct value *v)
{
	const struct config_key *key = f->key;
	uint64_t n = 0;
	bool good;
	char *what;

	if (v->type == VALUE_STRING) {
		char *copy = xstrdup(v->text);

		good = str_to_u64(str_trim(copy), 0, key->min, key->max, &n);
		free(copy);
	} else {
		n = (uint64_t)v->number;
		good = v->type == VALUE_NUMBER && v->number >= 0 && in_range(key, n);
	}
	if (!good && key->flags & KEY_ZERO && is_zero(v))
		return false;
	if (good) {
		*(uint64_t *)field = n;
		return true;
	}
	what = xasprintf("a whole number%s%s from %llu to %llu", key->unit ? " of " : "",
			 key->unit ? key->unit : "", (unsigned long long)key->min,
			 (unsigned long long)key->max);
	wrong(f, v, what);
	free(what);
	return false;
}

static bool set_mib(const struct fill *f, void *field, const struct value *v)
{
	const struct config_key *key = f->key;
	uint64_t kb = 0;
	bool good;
	char *what;

	if (v->type == VALUE_STRING) {
		char *copy = xstrdup(v->text);
		uint64_t mib;

		/* As without quotes: 0100 is octal, 0x40 hexadecimal. */
		good = str_to_u64(str_trim(copy), 0, 0, key->max, &mib);
		kb = mib * 1024;
		if (!good)
			good = config_size_parse(str_trim(copy), 1024, &kb, NULL) == 0;
		free(copy);
	} else {
		good = v->type == VALUE_NUMBER && v->number >= 0 && (uint64_t)v->number <= key->max;
		kb = good ? (uint64_t)v->number * 1024 : 0;
	}
	/* Zero stands for the default: maxmem=0 is the same as no such line. */
	if (good && !kb && !key->fallback)
		return false;
	if (good && in_range(key, kb / 1024)) {
		*(uint64_t *)field = kb / 1024;
		return true;
	}
	what = xasprintf(
		"a size of %llu to %llu MiB: a number of MiB, or one with a unit as in \"2g\"",
		(unsigned long long)key->min, (unsigned long long)key->max);
	wrong(f, v, what);
	free(what);
	return false;
}

static int word_index(const char *const *words, const char *word)
{
	for (int i = 0; words[i]; i++) {
		if (strcasecmp(words[i], word) == 0)
			return i;
	}
	return -1;
}

static bool set_bool(const struct fill *f, void *field, const struct value *v)
{
	static const char *const words[] = { "0",  "1",	    "no",   "yes", "off",
					     "on", "false", "true", NULL };
	int index = -1;

	if (v->type == VALUE_BOOL ||
	    (v->type == VALUE_NUMBER && (v->number == 0 || v->number == 1)))
		index = (int)v->number;
	else if (v->type == VALUE_STRING)
		index = word_index(words, v->text);
	if (index < 0) {
		wrong(f, v, "1 or 0, yes or no");
		return false;
	}
	*(bool *)field = index & 1;
	return true;
}

static bool set_word(const struct fill *f, void *field, const struct value *v)
{
	const char *const *words = f->key->words;
	struct str what = STR_INIT, digits = STR_INIT;
	int index = -1;

	if (v->type == VALUE_NUMBER)
		str_printf(&digits, "%lld", (long long)v->number);
	if (v->type == VALUE_STRING || v->type == VALUE_NUMBER)
		index = word_index(words, v->type == VALUE_STRING ? v->text : str_text(&digits));
	str_free(&digits);
	if (value_is_empty(v) && f->key->fallback)
		return false;
	if (index >= 0) {
		*(unsigned int *)field = (unsigned int)index;
		return true;
	}
	for (size_t i = 0; words[i]; i++)
		str_printf(&what, "%s\"%s\"", !i ? "" : words[i + 1] ? ", " : " or ", words[i]);
	wrong(f, v, str_text(&what));
	str_free(&what);
	return false;
}

static size_t *count_of(void *record, const struct config_key *key)
{
	return (size_t *)((char *)record + key->nr_offset);
}

static void add_text(void *record, const struct config_key *key, char *text)
{
	char ***list = (char ***)((char *)record + key->offset);
	size_t *nr = count_of(record, key);

	*list = xreallocarray(*list, *nr + 1, sizeof(char *));
	(*list)[(*nr)++] = text;
}

static bool add_checked_text(const struct fill *f, void *record, const struct value *v)
{
	char *text = text_of(f, v);

	if (text)
		add_text(record, f->key, text);
	return text;
}

/*
 * Cuts the next word off *rest, as a shell does: blanks in quotes belong to it. NULL: there is
 * none.
 */
static char *next_word(char **rest)
{
	char *from = *rest + strspn(*rest, " \t"), *to = from, *word = from, quote = '\0';

	if (!*from)
		return NULL;
	for (; *from && (quote || !strchr(" \t", *from)); from++) {
		if (quote ? *from == quote : *from == '"' || *from == '\'')
			quote = quote ? '\0' : *from;
		else
			*to++ = *from;
	}
	*rest = from + (*from != '\0');
	*to = '\0';
	return word;
}

/* Makes each word between blanks one element. */
static bool split_text(const struct fill *f, void *record, const struct value *v)
{
	char *copy = xstrdup(v->text), *rest = copy, *word;
	bool good = true;

	while ((word = next_word(&rest))) {
		char *text = *word ? f->key->text->parse(word) : NULL;

		if (text)
			add_text(record, f->key, text);
		good &= text || !*word;
	}
	free(copy);
	if (!good)
		wrong(f, v, f->key->text->expected);
	return good;
}

static bool too_many(const struct fill *f, const struct value *v)
{
	if (v->nr <= SCHEMA_MAX_ITEMS)
		return false;
	config_error(f->diags, v->source, v->pos, "%s%s: expected at most %u, found %zu",
		     f->schema->what, f->key->name, SCHEMA_MAX_ITEMS, v->nr);
	return true;
}

static bool set_texts(const struct fill *f, void *record, const struct value *v)
{
	bool good = true;

	if (v->type == VALUE_STRING && f->key->flags & KEY_SPLIT)
		return split_text(f, record, v);
	if (value_is_empty(v))
		return false;
	if (v->type != VALUE_LIST)
		return add_checked_text(f, record, v);
	if (too_many(f, v))
		return false;
	if (f->key->flags & KEY_SINGLE)
		*(bool *)((char *)record + f->key->list_offset) = true;
	for (size_t i = 0; i < v->nr; i++)
		good &= add_checked_text(f, record, v->items[i]);
	return good;
}

/*
 * Fills one element of a list of records from an object, or from a text in the record's own form.
 */
static void fill_element(const struct fill *f, void *record, const struct value *v)
{
	const struct config_schema *schema = f->key->record;
	struct value *object;

	if (v->type == VALUE_BROKEN)
		return;
	if (v->type == VALUE_OBJECT) {
		schema_fill(schema, record, v, f->diags);
		return;
	}
	if (v->type != VALUE_STRING) {
		wrong(f, v, schema->text_form);
		return;
	}
	object = schema->from_text(v, f->diags);
	if (object)
		schema_fill(schema, record, object, f->diags);
	value_free(object);
}

static bool set_records(const struct fill *f, void *record, const struct value *v)
{
	size_t errors = f->diags->nr_errors, size = f->key->record->size;
	char *array;

	/* xm took one device without a list around it; xl leaves it out, with a warning. */
	if (v->type == VALUE_STRING && *v->text) {
		*(void **)((char *)record + f->key->offset) = xcalloc(1, size);
		*count_of(record, f->key) = 1;
		fill_element(f, *(void **)((char *)record + f->key->offset), v);
		return f->diags->nr_errors == errors;
	}
	if (v->type != VALUE_LIST && v->type != VALUE_OBJECT && value_is_off(v))
		return false;
	if (v->type != VALUE_LIST) {
		wrong(f, v, f->key->record->list_form);
		return false;
	}
	if (too_many(f, v))
		return false;
	array = xcalloc(v->nr, size);
	*(void **)((char *)record + f->key->offset) = array;
	*count_of(record, f->key) = v->nr;
	for (size_t i = 0; i < v->nr; i++)
		fill_element(f, array + i * size, v->items[i]);
	return f->diags->nr_errors == errors;
}

static bool set_field(const struct fill *f, void *record, const struct value *v)
{
	void *field = (char *)record + f->key->offset;

	if (v->type == VALUE_BROKEN)
		return false;
	switch (f->key->kind) {
	case KEY_TEXT:
		return set_text(f, field, v);
	case KEY_UINT:
		return set_uint(f, field, v);
	case KEY_MIB:
		return set_mib(f, field, v);
	case KEY_BOOL:
		return set_bool(f, field, v);
	case KEY_WORD:
		return set_word(f, field, v);
	case KEY_TEXTS:
		return set_texts(f, record, v);
	case KEY_RECORDS:
		return set_records(f, record, v);
	}
	return false;
}

/* Off, or -1, by which xm's own examples meant that it shall choose. */
static bool asks_for_nothing(const struct value *v)
{
	return value_is_off(v) || (v->type == VALUE_NUMBER && v->number == -1);
}

static void report_unknown(const struct config_schema *schema, const struct value *v,
			   struct config_diags *diags)
{
	const struct config_foreign *foreign = foreign_find(schema->foreign, v->key);
	struct str name = STR_INIT;
	const char *nearest;

	if (foreign) {
		if (asks_for_nothing(v) && foreign->kind != FOREIGN_TOLD)
			return;
		(foreign->kind == FOREIGN_REFUSED ?
			 config_error :
			 config_warning)(diags, v->source, v->key_pos, "%s%s is not supported: %s",
					 schema->what, v->key, foreign->why);
		return;
	}
	str_add_shown(&name, v->key, 40);
	nearest = schema_nearest(schema, v->key);
	config_unknown(diags, v->source, v->key_pos, "%s%s: there is no such key%s%s%s",
		       schema->what, str_text(&name), nearest ? ", did you mean " : "",
		       nearest ? nearest : "", nearest ? "?" : "");
	str_free(&name);
}

/* The object's first member for the key, by its name or an alias; NULL when there is none. */
static const struct value *find_member(const struct config_schema *schema,
				       const struct value *object, const struct config_key *key)
{
	for (size_t i = 0; i < object->nr; i++) {
		if (schema_find(schema, object->items[i]->key) == key)
			return object->items[i];
	}
	return NULL;
}

static void fill_member(const struct config_schema *schema, void *record,
			const struct value *object, const struct value *v,
			struct config_diags *diags)
{
	struct fill f = { .schema = schema, .key = schema_find(schema, v->key), .diags = diags };
	uint64_t *set = record;

	if (!f.key) {
		report_unknown(schema, v, diags);
	} else if (find_member(schema, object, f.key) != v) {
		const char *first = find_member(schema, object, f.key)->key;

		if (strcmp(first, v->key) != 0)
			config_error(diags, v->source, v->key_pos,
				     "%s%s and %s say the same: expected one of them", schema->what,
				     first, v->key);
		else
			config_error(diags, v->source, v->key_pos, "%s%s is given twice",
				     schema->what, v->key);
	} else if (set_field(&f, record, v)) {
		*set |= key_bit(schema, f.key);
	}
}

static void fill_default(const struct config_schema *schema, void *record,
			 const struct config_key *key, struct config_diags *diags)
{
	struct config_pos none = { 0, 0 };
	struct fill f = { .schema = schema, .key = key, .diags = diags };
	struct value *v = value_new_string("default", none, key->fallback, strlen(key->fallback));

	set_field(&f, record, v);
	value_free(v);
}

void schema_fill(const struct config_schema *schema, void *record, const struct value *object,
		 struct config_diags *diags)
{
	uint64_t *set = record;

	for (size_t i = 0; i < object->nr; i++)
		fill_member(schema, record, object, object->items[i], diags);
	for (size_t i = 0; i < schema->nr; i++) {
		const struct config_key *key = &schema->keys[i];

		if (*set & key_bit(schema, key))
			continue;
		if (key->fallback)
			fill_default(schema, record, key, diags);
		else if (key->flags & KEY_REQUIRED && !find_member(schema, object, key))
			config_error(diags, object->source, object->pos,
				     "%s%s is missing: expected %s", schema->what, key->name,
				     key->text->expected);
	}
	if (schema->finish)
		schema->finish(record, object, diags);
}

int schema_set(const struct config_schema *schema, void *record, const char *name,
	       const struct value *v, struct error **e)
{
	const struct config_key *key = schema_find(schema, name);
	struct config_diags diags = { 0 };
	struct fill f = { .schema = schema, .key = key, .diags = &diags };
	char *field = (char *)record + key->offset, *before = NULL;
	int rc;

	if (key->kind == KEY_TEXT)
		before = *(char **)field;
	if (set_field(&f, record, v)) {
		schema_mark_set(schema, record, name);
		free(before);
	} else if (key->kind == KEY_TEXT) {
		*(char **)field = before;
	}
	rc = config_diags_to_error(&diags, e);
	config_diags_free(&diags);
	return rc;
}

/* --- from fields to JSON --- */

static struct json_object *texts_to_json(const struct config_key *key, const void *record,
					 char *const *list, size_t nr)
{
	struct json_object *array;

	if (nr == 1 && key->flags & KEY_SINGLE &&
	    !*(const bool *)((const char *)record + key->list_offset))
		return json_new_string(list[0]);
	array = json_new_array();
	for (size_t i = 0; i < nr; i++)
		json_append(array, json_new_string(list[i]));
	return array;
}

static struct json_object *records_to_json(const struct config_schema *schema, const char *array,
					   size_t nr)
{
	struct json_object *list = json_new_array();

	for (size_t i = 0; i < nr; i++)
		json_append(list, schema_to_json(schema, array + i * schema->size));
	return list;
}

static void field_to_json(const struct config_key *key, const void *record, struct json_object *o)
{
	const char *field = (const char *)record + key->offset;
	size_t nr = key->nr_offset ? *(const size_t *)((const char *)record + key->nr_offset) : 0;

	switch (key->kind) {
	case KEY_TEXT:
		json_set_string(o, key->name, *(char *const *)field);
		break;
	case KEY_UINT:
	case KEY_MIB:
		json_set_int(o, key->name, (int64_t) * (const uint64_t *)field);
		break;
	case KEY_BOOL:
		json_set_bool(o, key->name, *(const bool *)field);
		break;
	case KEY_WORD:
		json_set_string(o, key->name, key->words[*(const unsigned int *)field]);
		break;
	case KEY_TEXTS:
		json_set(o, key->name,
			 texts_to_json(key, record, *(char *const *const *)field, nr));
		break;
	case KEY_RECORDS:
		json_set(o, key->name,
			 records_to_json(key->record, *(const char *const *)field, nr));
		break;
	}
}

struct json_object *schema_to_json(const struct config_schema *schema, const void *record)
{
	struct json_object *o = json_new_object();
	uint64_t set = *(const uint64_t *)record;

	for (size_t i = 0; i < schema->nr; i++) {
		const struct config_key *key = &schema->keys[i];

		if (set & key_bit(schema, key) || (schema->whole_json && key->fallback))
			field_to_json(key, record, o);
	}
	return o;
}

/* --- copies --- */

static char **copy_texts(char *const *from, size_t nr)
{
	char **list = xcalloc(nr, sizeof(char *));

	for (size_t i = 0; i < nr; i++)
		list[i] = xstrdup(from[i]);
	return list;
}

static char *copy_records(const struct config_schema *schema, const char *from, size_t nr)
{
	char *array = xcalloc(nr, schema->size);

	for (size_t i = 0; i < nr; i++)
		schema_copy(schema, array + i * schema->size, from + i * schema->size);
	return array;
}

void schema_copy(const struct config_schema *schema, void *record, const void *from)
{
	memcpy(record, from, schema->size);
	for (size_t i = 0; i < schema->nr; i++) {
		const struct config_key *key = &schema->keys[i];
		char *field = (char *)record + key->offset;

		if (key->kind == KEY_TEXT)
			*(char **)field = xstrdup(*(char **)field);
		else if (key->kind == KEY_TEXTS)
			*(char ***)field = copy_texts(*(char ***)field, *count_of(record, key));
		else if (key->kind == KEY_RECORDS)
			*(char **)field =
				copy_records(key->record, *(char **)field, *count_of(record, key));
	}
}

void schema_clear(const struct config_schema *schema, void *record)
{
	for (size_t i = 0; i < schema->nr; i++) {
		const struct config_key *key = &schema->keys[i];
		void *field = (char *)record + key->offset;

		if (key->kind == KEY_TEXT) {
			free(*(char **)field);
		} else if (key->kind == KEY_TEXTS) {
			for (size_t j = 0; j < *count_of(record, key); j++)
				free((*(char ***)field)[j]);
			free(*(char ***)field);
		} else if (key->kind == KEY_RECORDS) {
			for (size_t j = 0; j < *count_of(record, key); j++)
				schema_clear(key->record, *(char **)field + j * key->record->size);
			free(*(char **)field);
		}
	}
	memset(record, 0, schema->size);
}
