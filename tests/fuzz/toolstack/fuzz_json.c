/* SPDX-License-Identifier: MIT */
/* links: toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c */
/* A domain's configuration as JSON: what is accepted must print as what is accepted again, to the
 * same text. */
#include "config/config.h"
#include "config/schema.h"
#include "lib/json.h"
#include "lib/str.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct config *c)
{
	struct json_object *o = config_to_json(c), *o2;
	struct str first = STR_INIT, second = STR_INIT;
	struct config *again = config_from_json(o, NULL);

	if (!again)
		abort();
	o2 = config_to_json(again);
	json_print(o, &first);
	json_print(o2, &second);
	if (strcmp(str_text(&first), str_text(&second)))
		abort();
	config_free(again);
	json_object_put(o);
	json_object_put(o2);
	str_free(&first);
	str_free(&second);
}

static void check_devices(struct json_object *o)
{
	struct config_disk d;
	struct config_vif v;

	if (!schema_from_json(&config_disk_schema, &d, o, NULL))
		config_disk_free(&d);
	if (!schema_from_json(&config_vif_schema, &v, o, NULL))
		config_vif_free(&v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error *e = NULL;
	struct json_object *o = json_parse((const char *)data, size, &e);
	struct config *c = NULL;

	if (o && !e)
		c = config_from_json(o, &e);
	if (o && !c != !!e)
		abort();
	if (c)
		check_again(c);
	if (o)
		check_devices(o);
	config_free(c);
	json_object_put(o);
	error_free(&e);
	return 0;
}
