/* SPDX-License-Identifier: MIT */
/* Copies and changes of a configuration. They keep the mark whether a key was given. */
#include "config/config.h"
#include "config/schema.h"
#include "lib/alloc.h"
#include <stdlib.h>
#include <string.h>

static const struct config_schema *const domain = &config_domain_schema;
static const struct config_pos nowhere = { 0, 0 };

struct config *config_copy(const struct config *c)
{
	struct config *copy = xcalloc(1, sizeof(*copy));

	schema_copy(domain, copy, c);
	return copy;
}

int config_set_text(struct config *c, const char *key, const char *text, struct error **e)
{
	struct value *v = value_new_string("", nowhere, text, strlen(text));
	int rc = schema_set(domain, c, key, v, e);

	value_free(v);
	return rc;
}

int config_set_mib(struct config *c, const char *key, uint64_t mib, struct error **e)
{
	struct value *v = value_new(VALUE_NUMBER, "", nowhere);
	int rc;

	v->number = (int64_t)mib;
	rc = schema_set(domain, c, key, v, e);
	value_free(v);
	return rc;
}

void config_remove_devices(struct config *c)
{
	for (size_t i = 0; i < c->nr_disk; i++)
		config_disk_free(&c->disk[i]);
	for (size_t i = 0; i < c->nr_vif; i++)
		config_vif_free(&c->vif[i]);
	c->nr_disk = c->nr_vif = 0;
	schema_mark_set(domain, c, "disk");
	schema_mark_set(domain, c, "vif");
}

void config_add_disk(struct config *c, const struct config_disk *d)
{
	c->disk = xreallocarray(c->disk, c->nr_disk + 1, sizeof(*d));
	schema_copy(&config_disk_schema, &c->disk[c->nr_disk++], d);
}

void config_add_vif(struct config *c, const struct config_vif *v)
{
	c->vif = xreallocarray(c->vif, c->nr_vif + 1, sizeof(*v));
	schema_copy(&config_vif_schema, &c->vif[c->nr_vif++], v);
}
