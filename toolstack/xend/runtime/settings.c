/* SPDX-License-Identifier: MIT */
/* xend's settings: read once at start; the parser's warnings go to the log. */
#include "xend/runtime/settings.h"

#include <errno.h>

#include "lib/log.h"

struct xend_config *settings;

static void log_warnings(const char *path, const struct config_diags *diags)
{
	for (size_t i = 0; i < diags->nr; i++)
		if (!diags->list[i].is_error)
			log_warning("%s:%u: %s.", path, diags->list[i].pos.line,
				    diags->list[i].text);
}

int settings_load(const char *path, struct error **e)
{
	struct config_diags diags = { 0 };
	struct error *why = NULL;

	settings = xend_config_load(path, &diags, &why);
	log_warnings(path, &diags);
	config_diags_free(&diags);
	return error_move(e, &why);
}

void settings_free(void)
{
	xend_config_free(settings);
	settings = NULL;
}
