/* SPDX-License-Identifier: MIT */
/* A network interface as text: KEY=VALUE,KEY=VALUE; an empty text has all defaults. */
#include "config/schema.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <stdlib.h>
#include <string.h>

/* Reads `part`, which begins at byte `offset` of the text. False after a report. */
static bool read_part(struct value *object, const struct value *text, char *part, size_t offset,
		      struct config_diags *diags)
{
	char *trimmed = str_trim(part), *equal = strchr(trimmed, '=');
	struct config_pos pos = value_pos_in(text, offset + (size_t)(trimmed - part));
	struct config_pos value_pos;
	char *value;

	if (!equal || equal == trimmed) {
		config_error(diags, text->source, pos,
			     "vif: expected KEY=VALUE parts separated by commas, found \"%.40s\"",
			     trimmed);
		return false;
	}
	*equal = '\0';
	value = equal + 1 + strspn(equal + 1, " \t");
	value_pos = value_pos_in(text, offset + (size_t)(value - part));
	value_set(object, str_trim(trimmed), pos,
		  value_new_string(text->source, value_pos, value, strlen(value)));
	return true;
}

struct value *vif_from_text(const struct value *text, struct config_diags *diags)
{
	struct value *object = value_new(VALUE_OBJECT, text->source, text->pos);
	char *copy = xstrdup(text->text), *rest = copy, *part;
	bool good = true;

	if (!*str_trim(copy))
		rest = NULL;
	while ((part = strsep(&rest, ",")))
		good &= read_part(object, text, part, (size_t)(part - copy), diags);
	free(copy);
	if (good)
		return object;
	value_free(object);
	return NULL;
}
