/* SPDX-License-Identifier: MIT */
/* The bridge of interfaces that name none, as xend will read it. */
#include "xm/default_bridge.h"

#include <stdlib.h>

#include "config/diag.h"
#include "config/xend_config.h"
#include "lib/alloc.h"
#include "lib/file.h"

char *default_bridge_name(const char *root)
{
	char *path = xasprintf("%s" XEND_CONFIG_PATH, root), *name;
	struct config_diags diags = { 0 };
	struct xend_config *config;
	struct str text = STR_INIT;

	file_read(path, 1 << 20, &text, NULL);
	config = xend_config_parse(str_text(&text), text.len, path, &diags);
	name = xstrdup(config ? config->default_bridge : "xenbr0");
	xend_config_free(config);
	config_diags_free(&diags);
	str_free(&text);
	free(path);
	return name;
}
