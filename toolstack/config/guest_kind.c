/* SPDX-License-Identifier: MIT */
/*
 * A file for a fully virtualized guest is refused as a whole, with one error. Its other keys would
 * give a warning each, and none of them is the reader's trouble.
 */
#include "config/guest_kind.h"
#include <string.h>

/* xm's builder and xl's type; vmx and svm are the first names that xm had. */
static const char *const full_kinds[] = { "hvm", "pvh", "vmx", "svm", NULL };

static bool is_full(const struct value *v)
{
	for (const char *const *kind = full_kinds; v && v->type == VALUE_STRING && *kind; kind++) {
		if (strcasecmp(v->text, *kind) == 0)
			return true;
	}
	return false;
}

bool guest_kind_check(const struct value *object, struct config_diags *diags)
{
	static const char *const keys[] = { "type", "builder" };

	for (int i = 0; i < 2; i++) {
		const struct value *v = value_find(object, keys[i]);

		if (!is_full(v))
			continue;
		config_error(
			diags, v->source, v->pos,
			"%s: this is a file for a fully virtualized guest (%s), and this "
			"release runs paravirtualized ones only: if the guest's system can be "
			"one, as Linux can, write type = \"pv\" and bootloader = \"pygrub\", or "
			"a kernel and its ramdisk",
			keys[i], v->text);
		return false;
	}
	return true;
}
