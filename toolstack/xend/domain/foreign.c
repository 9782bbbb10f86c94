/* SPDX-License-Identifier: MIT */
/*
 * Refuses configurations that another host wrote, with a list of what they would use of this host.
 */
#include "xend/domain/foreign.h"

#include <errno.h>

#include "config/config.h"
#include "lib/str.h"

/* Bytes shown of each name, so that no name hides the others. */
#define SHOWN_MAX 200

static void add(struct str *s, const char *what, const char *value)
{
	if (!value)
		return;
	str_printf(s, "%s%s ", s->len ? ", " : "", what);
	str_add_shown(s, value, SHOWN_MAX);
}

int foreign_refuse(const char *path, const struct config *config, struct error **e)
{
	struct str s = STR_INIT;
	int rc;

	str_printf(&s, "up to %llu MiB of memory", (unsigned long long)config_maxmem(config));
	add(&s, "the bootloader", config->bootloader);
	add(&s, "the kernel", config->kernel);
	add(&s, "the ramdisk", config->ramdisk);
	for (size_t i = 0; i < config->nr_disk; i++)
		add(&s, "the disk", config->disk[i].target);
	for (size_t i = 0; i < config->nr_vif; i++) {
		add(&s, "the bridge", config->vif[i].bridge);
		add(&s, "the script", config->vif[i].script);
	}
	rc = error_set(e, EPERM,
		       "%s was not saved by this host, or was changed since. Domain '%s' in it "
		       "would use of this host: "
		       "%s. Restore "
		       "it with `xm restore --trust' if all of that is meant to be its own.",
		       path, config->name, str_text(&s));
	str_free(&s);
	return rc;
}
