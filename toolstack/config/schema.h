/* SPDX-License-Identifier: MIT */
/*
 * The tables of keys: what the parser, the JSON form, validation and the manual know of a domain's
 * configuration, a disk and a network interface. A record is one of the structs of config.h; each
 * key is a field of it.
 */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "config/config.h"
#include "config/text.h"
#include "config/value.h"

enum config_kind {
	KEY_TEXT,    /* char *, checked and made canonical by `text` */
	KEY_UINT,    /* uint64_t, min..max */
	KEY_MIB,     /* uint64_t MiB, min..max; k, m, g, t may follow in a string */
	KEY_BOOL,    /* bool */
	KEY_WORD,    /* unsigned int, index in `words` */
	KEY_TEXTS,   /* char **, each as KEY_TEXT; one string is a list of one */
	KEY_RECORDS, /* an array of `record` */
};

enum config_key_flags {
	KEY_REQUIRED = 1, /* has no default and must be there */
	KEY_SPLIT = 2,	  /* of KEY_TEXTS: one string is split at blanks */
	KEY_SINGLE = 4,	  /* of KEY_TEXTS: a list of one is a string in JSON */
};

struct config_schema;

struct config_key {
	const char *name;
	enum config_kind kind;
	unsigned int flags;
	size_t offset;	  /* of the field */
	size_t nr_offset; /* of the size_t that counts it: KEY_TEXTS, KEY_RECORDS */
	const struct config_text *text;
	const char *const *words; /* NULL after the last */
	const struct config_schema *record;
	uint64_t min, max;
	const char *unit;
	const char *fallback; /* the default, as a file would say it; NULL: none */
	const char *note;     /* goes after "found ..." */
	const char *doc;      /* one sentence for the manual */
};

/* Keys that are known and do nothing here: `names` are separated by blanks. */
struct config_foreign {
	bool is_error; /* without it the guest would not be what was asked for */
	const char *names;
	const char *why; /* goes after "KEY is not supported: " */
};

struct config_schema {
	const char *what; /* before a key in messages: "", "disk ", "vif " */
	size_t size;
	const struct config_key *keys; /* at most 64: `set` has a bit for each */
	size_t nr;
	const struct config_foreign *foreign; /* names NULL after the last */
	const char *const (*aliases)[2];      /* other name, name; NULL after the last */
	bool whole_json;		      /* JSON has defaults too */
	bool unknown_is_warning;
	const char *text_form; /* "expected ..." for an element of a list of these */
	const char *list_form; /* "expected ..." for the list */
	/* The object that a text stands for; NULL after a report. */
	struct value *(*from_text)(const struct value *text, struct config_diags *diags);
	/* Gives values to what depends on other keys, and checks what one key cannot know. `given`:
	 * what was filled in. */
	void (*finish)(void *record, const struct value *given, struct config_diags *diags);
};

/* Every record begins with `uint64_t set`. */
extern const struct config_schema config_domain_schema, config_disk_schema, config_vif_schema;

/* The row of a key (or another name of it), NULL when there is none. */
const struct config_key *schema_find(const struct config_schema *schema, const char *name);
bool schema_is_set(const struct config_schema *schema, const void *record, const char *name);
void schema_mark_set(const struct config_schema *schema, void *record, const char *name);
/* The key that was probably meant, NULL when none is near. */
const char *schema_nearest(const struct config_schema *schema, const char *name);

/* Fills the record (all zeroes) from an object's members, then with defaults, and checks it. */
void schema_fill(const struct config_schema *schema, void *record, const struct value *object,
		 struct config_diags *diags);
struct json_object *schema_to_json(const struct config_schema *schema, const void *record);
/* Frees what the record's fields point to and makes them zero. */
void schema_clear(const struct config_schema *schema, void *record);

struct value *disk_from_text(const struct value *text, struct config_diags *diags);
void disk_finish(void *record, const struct value *given, struct config_diags *diags);
struct value *vif_from_text(const struct value *text, struct config_diags *diags);
void domain_finish(void *record, const struct value *given, struct config_diags *diags);

#endif
