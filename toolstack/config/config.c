/* SPDX-License-Identifier: MIT */
/*
 * From a file's text or JSON to struct config and back: the parser fills an object, the tables of
 * keys fill the record.
 */
#include "config/config.h"
#include "config/guest_kind.h"
#include "config/parser.h"
#include "config/schema.h"
#include "config/pin.h"
#include "config/screen.h"
#include "lib/alloc.h"
#include "lib/json.h"
#include "lib/str.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct config_pos nowhere = { 0, 0 };

static bool is_list(const char *key)
{
	const struct config_key *row = schema_find(&config_domain_schema, key);

	return row && row->kind == KEY_RECORDS;
}

static const char *name_of(const char *key)
{
	const struct config_key *row = schema_find(&config_domain_schema, key);

	return row ? row->name : key;
}

const struct parser_keys config_parser_keys = { .name_of = name_of, .is_list = is_list };

bool config_is_plain(const char *text, size_t len, const char *filename, struct config_diags *diags)
{
	struct value *object = value_new(VALUE_OBJECT, filename, nowhere);

	parser_read(text, len, filename, &config_parser_keys, object, diags);
	value_free(object);
	config_diags_sort(diags);
	return !diags->nr_errors;
}

struct config *config_from_values(struct value *object, struct config_diags *diags)
{
	struct config *c;

	if (!guest_kind_check(object, diags)) {
		value_free(object);
		config_diags_sort(diags);
		return NULL;
	}
	if (diags->name && !value_find(object, "name"))
		value_set(object, "name", nowhere,
			  value_new_string(object->source, nowhere, diags->name,
					   strlen(diags->name)));
	c = xcalloc(1, sizeof(*c));
	screen_gather(object);
	pin_rename(object);
	schema_fill(&config_domain_schema, c, object, diags);
	value_free(object);
	config_diags_sort(diags);
	if (!diags->nr_errors)
		return c;
	config_free(c);
	return NULL;
}

struct config *config_parse(const char *text, size_t len, const char *filename,
			    const char *const *overrides, size_t nr_overrides,
			    struct config_diags *diags)
{
	struct value *object;

	if (len > CONFIG_MAX_TEXT) {
		config_error(diags, filename, nowhere, "expected at most %u bytes, found %zu",
			     CONFIG_MAX_TEXT, len);
		return NULL;
	}
	object = value_new(VALUE_OBJECT, filename, nowhere);
	parser_read(text, len, filename, &config_parser_keys, object, diags);
	for (size_t i = 0; i < nr_overrides; i++)
		parser_override(overrides[i], &config_parser_keys, object, diags);
	return config_from_values(object, diags);
}

/*
 * Fills the record from the object. On an error *e holds all that is wrong and the record is empty.
 */
static int fill_from(const struct config_schema *schema, void *record, const struct value *object,
		     struct config_diags *diags, struct error **e)
{
	int rc;

	memset(record, 0, schema->size);
	if (object)
		schema_fill(schema, record, object, diags);
	rc = config_diags_to_error(diags, e);
	if (rc)
		schema_clear(schema, record);
	config_diags_free(diags);
	return rc;
}

int schema_from_json(const struct config_schema *schema, void *record, struct json_object *o,
		     struct error **e)
{
	struct config_diags diags = { .only_known = true };
	struct value *object;
	int rc;

	memset(record, 0, schema->size);
	if (!json_object_is_type(o, json_type_object))
		return error_set(e, EINVAL, "A configuration must be a JSON object.");
	object = value_from_json(o);
	rc = fill_from(schema, record, object, &diags, e);
	value_free(object);
	return rc;
}

static int fill_from_text(const struct config_schema *schema, void *record, const char *text,
			  const char *directory, struct error **e)
{
	struct config_diags diags = { .only_known = true, .directory = directory };
	struct value *v = value_new_string("", nowhere, text, strlen(text));
	struct value *object = schema->from_text(v, &diags);
	int rc = fill_from(schema, record, object, &diags, e);

	value_free(object);
	value_free(v);
	return rc;
}

struct config *config_from_json(struct json_object *o, struct error **e)
{
	struct config *c = xcalloc(1, sizeof(*c));

	if (schema_from_json(&config_domain_schema, c, o, e) == 0)
		return c;
	free(c);
	return NULL;
}

struct json_object *config_to_json(const struct config *c)
{
	return schema_to_json(&config_domain_schema, c);
}

void config_free(struct config *c)
{
	if (!c)
		return;
	schema_clear(&config_domain_schema, c);
	free(c);
}

bool config_is_set(const struct config *c, const char *key)
{
	return schema_is_set(&config_domain_schema, c, key);
}

uint64_t config_maxmem(const struct config *c)
{
	return c->maxmem ? c->maxmem : c->memory;
}

uint64_t config_maxvcpus(const struct config *c)
{
	return c->maxvcpus ? c->maxvcpus : c->vcpus;
}

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

static void add_word(struct str *line, const char *prefix, const char *word)
{
	if (word && *word)
		str_printf(line, "%s%s%s", line->len ? " " : "", prefix, word);
}

char *config_cmdline(const struct config *c)
{
	struct str line = STR_INIT;

	if (c->cmdline)
		return xstrdup(c->cmdline);
	/*
	 * The kernel's ip=CLIENT:SERVER:GATEWAY:NETMASK:HOST:DEVICE:AUTOCONF
	 * (Documentation/admin-guide/nfs/nfsroot.rst).
	 */
	if (c->ip || strcmp(config_dhcp_name(c->dhcp), "off") != 0)
		str_printf(&line, "ip=%s:%s:%s:%s:%s:%s:%s", or_empty(c->ip),
			   or_empty(c->nfs_server), or_empty(c->gateway), or_empty(c->netmask),
			   or_empty(c->hostname), or_empty(c->interface),
			   config_dhcp_name(c->dhcp));
	if (c->nfs_root) {
		add_word(&line, "", "root=/dev/nfs");
		add_word(&line, "nfsroot=", c->nfs_root);
	} else {
		add_word(&line, "root=", c->root);
	}
	add_word(&line, "", c->extra);
	return str_steal(&line);
}

int config_disk_parse(const char *text, const char *directory, struct config_disk *d,
		      struct error **e)
{
	return fill_from_text(&config_disk_schema, d, text, directory, e);
}

struct json_object *config_disk_to_json(const struct config_disk *d)
{
	return schema_to_json(&config_disk_schema, d);
}

void config_disk_free(struct config_disk *d)
{
	schema_clear(&config_disk_schema, d);
}

int config_vif_parse(const char *text, struct config_vif *v, struct error **e)
{
	return fill_from_text(&config_vif_schema, v, text, NULL, e);
}

struct json_object *config_vif_to_json(const struct config_vif *v)
{
	return schema_to_json(&config_vif_schema, v);
}

void config_vif_free(struct config_vif *v)
{
	schema_clear(&config_vif_schema, v);
}
