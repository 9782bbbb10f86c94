/* SPDX-License-Identifier: MIT */
/*
 * A network interface or a framebuffer as text: KEY=VALUE,KEY=VALUE. An empty text has all
 * defaults; the words "trusted" and "untrusted" may stand alone.
 */
#include "config/schema.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <stdlib.h>
#include <string.h>

/* Reads `part`, which begins at byte `offset` of the text. False after a report. */
static bool read_part(const char *what, struct value *object, const struct value *text, char *part,
		      size_t offset, struct config_diags *diags)
{
	char *trimmed = str_trim(part), *equal = strchr(trimmed, '=');
	bool trusted = strcmp(trimmed, "trusted") == 0;
	struct config_pos pos = value_pos_in(text, offset + (size_t)(trimmed - part));
	struct config_pos value_pos;
	char *value;

	if (trusted || strcmp(trimmed, "untrusted") == 0) {
		value_set(object, "trusted", pos,
			  value_new_string(text->source, pos, trusted ? "1" : "0", 1));
		return true;
	}
	if (!equal || equal == trimmed) {
		config_error(diags, text->source, pos,
			     "%s: expected KEY=VALUE parts separated by commas, found \"%.40s\"",
			     what, trimmed);
		return false;
	}
	*equal = '\0';
	value = equal + 1 + strspn(equal + 1, " \t");
	value_pos = value_pos_in(text, offset + (size_t)(value - part));
	value_set(object, str_trim(trimmed), pos,
		  value_new_string(text->source, value_pos, value, strlen(value)));
	return true;
}

static struct value *read_pairs(const char *what, const struct value *text,
				struct config_diags *diags)
{
	struct value *object = value_new(VALUE_OBJECT, text->source, text->pos);
	char *copy = xstrdup(text->text), *rest = copy, *part;
	bool good = true;

	if (!*str_trim(copy))
		rest = NULL;
	while ((part = strsep(&rest, ",")))
		good &= read_part(what, object, text, part, (size_t)(part - copy), diags);
	free(copy);
	if (good)
		return object;
	value_free(object);
	return NULL;
}

struct value *vif_from_text(const struct value *text, struct config_diags *diags)
{
	return read_pairs("vif", text, diags);
}

struct value *vfb_from_text(const struct value *text, struct config_diags *diags)
{
	return read_pairs("vfb", text, diags);
}

void vfb_finish(void *record, const struct value *given, struct config_diags *diags)
{
	const struct config_vfb *vfb = record;
	const struct value *type = value_find(given, "type");

	if (vfb->type == CONFIG_VFB_SDL)
		config_warning(diags, type->source, type->key_pos,
			       "vfb type has no effect: the screen is shown by VNC only");
}
