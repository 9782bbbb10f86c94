/* SPDX-License-Identifier: MIT */
/*
 * What a table of keys is made of; the tables are in keys.c. They are all that the parser, the JSON
 * form, the checks and the manual know of the configuration of a domain, a disk and a network
 * interface. A record is one of the structs of config.h; each key is a field of it.
 */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "config/config.h"
#include "config/text.h"
#include "config/value.h"

enum { SCHEMA_MAX_ITEMS = 256 }; /* in a list */

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
	KEY_REQUIRED = 1, /* has no default and must be given */
	KEY_SPLIT = 2,	  /* for KEY_TEXTS: one string is split at blanks */
	KEY_PATH = 8,	  /* for KEY_TEXT: a relative path is below the reader's directory */
	KEY_SINGLE = 4,	  /* for KEY_TEXTS: a string differs from a list of it; see list_offset */
	KEY_ZERO = 16,	  /* for KEY_UINT: 0 stands for the default */
	/* For KEY_TEXT: a value of another kind is a warning, and the same as none. */
	KEY_LEFT_OUT = 32,
};

struct config_schema;

struct config_key {
	const char *name;
	enum config_kind kind;
	unsigned int flags;
	size_t offset;	    /* of the field in the record */
	size_t nr_offset;   /* of the field's count, a size_t: KEY_TEXTS, KEY_RECORDS */
	size_t list_offset; /* of a bool, whether a list was given: KEY_SINGLE */
	const struct config_text *text;
	const char *const *words; /* ends with NULL */
	const struct config_schema *record;
	uint64_t min, max;
	const char *unit;
	const char *fallback; /* the default in the file's syntax; NULL: none */
	const char *doc;      /* one sentence for the manual */
};

/* Known keys that have no effect here. `names` are separated by blanks. */
enum foreign_kind {
	FOREIGN_IGNORED, /* a warning, unless the value switches it off */
	FOREIGN_TOLD,	 /* a warning, whatever the value is */
	FOREIGN_REFUSED, /* without the key's effect the guest would not be what was asked for */
};

struct config_foreign {
	enum foreign_kind kind;
	const char *names;
	const char *why; /* follows "KEY is not supported: " */
};

struct config_schema {
	const char *what; /* precedes a key in messages: "", "disk ", "vif " */
	size_t size;
	const struct config_key *keys; /* at most 64: `set` has one bit for each */
	size_t nr;
	const struct config_foreign *foreign; /* ends with names == NULL */
	const char *const (*aliases)[2];      /* { alias, name }; ends with NULL */
	bool whole_json;		      /* JSON contains the defaults too */
	const char *text_form; /* follows "expected " for an element of a list of these records */
	const char *list_form; /* follows "expected " for the list */
	/* Parses the text form of a record into an object; NULL after a report. */
	struct value *(*from_text)(const struct value *text, struct config_diags *diags);
	/*
	 * Sets fields that depend on other keys, and checks keys against each other. `given`: the
	 * object that filled the record.
	 */
	void (*finish)(void *record, const struct value *given, struct config_diags *diags);
};

/* Every record begins with `uint64_t set`. */
extern const struct config_schema config_domain_schema, config_disk_schema, config_vif_schema,
	config_vfb_schema;

/* The row of a key, found by its name or an alias; NULL when there is none. */
const struct config_key *schema_find(const struct config_schema *schema, const char *name);
bool schema_is_set(const struct config_schema *schema, const void *record, const char *name);
void schema_mark_set(const struct config_schema *schema, void *record, const char *name);
/* The known key that `name` is probably a misspelling of; NULL when none is near. */
const char *schema_nearest(const struct config_schema *schema, const char *name);

/*
 * Fills the record from an object of JSON. On an error *e holds all that is wrong, and the record
 * is empty.
 */
int schema_from_json(const struct config_schema *schema, void *record, struct json_object *o,
		     struct error **e);
/*
 * Sets one key of a filled record, of kind KEY_TEXT or KEY_MIB, as its row allows. After an error
 * the record is as it was.
 */
int schema_set(const struct config_schema *schema, void *record, const char *name,
	       const struct value *v, struct error **e);
/* Fills the record (all zeroes) from the object's members, then with defaults, and checks it. */
void schema_fill(const struct config_schema *schema, void *record, const struct value *object,
		 struct config_diags *diags);
/*
 * The end of config_parse() and config_from_program(): a domain's configuration from its keys'
 * values, which are freed. NULL when diags has errors.
 */
struct config *config_from_values(struct value *object, struct config_diags *diags);
struct json_object *schema_to_json(const struct config_schema *schema, const void *record);
/* Makes the record, whose contents do not matter, a copy of `from` that shares nothing with it. */
void schema_copy(const struct config_schema *schema, void *record, const void *from);
/* Frees what the record's fields point to and zeroes the fields. */
void schema_clear(const struct config_schema *schema, void *record);

struct value *disk_from_text(const struct value *text, struct config_diags *diags);
void disk_finish(void *record, const struct value *given, struct config_diags *diags);
struct value *vif_from_text(const struct value *text, struct config_diags *diags);
struct value *vfb_from_text(const struct value *text, struct config_diags *diags);
void vif_finish(void *record, const struct value *given, struct config_diags *diags);
void vfb_finish(void *record, const struct value *given, struct config_diags *diags);
void domain_finish(void *record, const struct value *given, struct config_diags *diags);

#endif
