/* SPDX-License-Identifier: MIT */
/*
 * A screen that stands in the file itself: xl makes a framebuffer of vnc = 1 and the keys beside
 * it, unless vfb lists one.
 */
#include "config/screen.h"
#include "lib/alloc.h"
#include <string.h>

void screen_gather(struct value *object)
{
	static const char *const keys[] = { "vnc",	  "vnclisten", "vncpasswd",
					    "vncdisplay", "vncunused", "keymap" };
	const struct value *vnc = value_find(object, "vnc"), *vfb = value_find(object, "vfb");
	struct value *list, *screen;
	struct config_pos pos;

	if (!vnc || value_is_off(vnc) || (vfb && !value_is_off(vfb)))
		return;
	pos = vnc->key_pos;
	list = value_new(VALUE_LIST, vnc->source, pos);
	screen = value_new(VALUE_OBJECT, vnc->source, pos);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct value *v = value_take(object, keys[i]);

		if (v)
			value_set(screen, keys[i], v->key_pos, v);
	}
	value_add(list, screen);
	value_free(value_take(object, "vfb"));
	value_set(object, "vfb", pos, list);
}
