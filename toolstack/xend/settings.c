/* SPDX-License-Identifier: MIT */
#include "xend/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "util/file.h"
#include "util/log.h"
#include "util/sexp.h"
#include "util/str.h"

#define MAX_SIZE (256 * 1024)

struct settings settings = {
	.dom0_min_mem_mb = 256,
	.dom0_ballooning = true,
	.console_log_kb = 1024,
	.console_log = true,
};

enum kind { KIND_NUMBER, KIND_BOOL, KIND_TEXT, KIND_SCRIPT, KIND_OFF };

/* A row for each key that is understood. KIND_OFF: known from Xen's xend, and only "no" is possible. */
static const struct key {
	const char *name;
	enum kind kind;
	void *where;
	uint64_t max;
} keys[] = {
	{ "dom0-min-mem", KIND_NUMBER, &settings.dom0_min_mem_mb, 1 << 24 },
	{ "enable-dom0-ballooning", KIND_BOOL, &settings.dom0_ballooning, 0 },
	{ "vif-script", KIND_SCRIPT, &settings.vif_script, 0 },
	{ "network-script", KIND_SCRIPT, &settings.network_script, 0 },
	{ "enable-console-log", KIND_BOOL, &settings.console_log, 0 },
	{ "console-log-kb", KIND_NUMBER, &settings.console_log_kb, 1 << 20 },
	{ "loglevel", KIND_TEXT, &settings.log_level, 0 },
	{ "xend-relocation-server", KIND_OFF, NULL, 0 },
	{ "xend-relocation-ssl-server", KIND_OFF, NULL, 0 },
	{ "xend-http-server", KIND_OFF, NULL, 0 },
	{ "xend-tcp-xmlrpc-server", KIND_OFF, NULL, 0 },
};

static bool parse_bool(const char *text, bool *out)
{
	static const char *const yes[] = { "yes", "true", "on", "1" }, *const no[] = { "no", "false", "off", "0" };

	for (int i = 0; i < 4; i++) {
		if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
			*out = strcmp(text, yes[i]) == 0;
			return true;
		}
	}
	return false;
}

/* The first word of a script's setting: "network-bridge netdev=eth0" has arguments, which only that script takes. */
static void set_text(char **where, const char *text)
{
	free(*where);
	*where = xstrdup(text);
}

static int apply(const struct key *key, const struct sexp *entry, const char *path, struct error **e)
{
	const char *text = entry->nr == 2 ? entry->items[1]->text : NULL;
	bool value;

	if (!text)
		return error_set(e, EINVAL, "%s:%u: (%s ...) must have one value.", path, entry->line, key->name);
	switch (key->kind) {
	case KIND_NUMBER:
		if (!str_to_u64(text, 10, 0, key->max, key->where))
			return error_set(e, EINVAL, "%s:%u: %s must be a number from 0 to %llu, not '%s'.", path,
					 entry->line, key->name, (unsigned long long)key->max, text);
		return 0;
	case KIND_BOOL:
	case KIND_OFF:
		if (!parse_bool(text, &value))
			return error_set(e, EINVAL, "%s:%u: %s must be yes or no, not '%s'.", path, entry->line,
					 key->name, text);
		if (key->kind == KIND_BOOL)
			*(bool *)key->where = value;
		else if (value)
			log_warning("%s:%u: %s is not there yet; it stays off.", path, entry->line, key->name);
		return 0;
	case KIND_TEXT:
	case KIND_SCRIPT:
		set_text(key->where, text);
		return 0;
	}
	return 0;
}

static int apply_entry(const struct sexp *entry, const char *path, struct error **e)
{
	const char *name = sexp_head(entry);

	if (!name)
		return error_set(e, EINVAL, "%s:%u: expected (key value).", path, entry->line);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(keys[i].name, name) == 0)
			return apply(&keys[i], entry, path, e);
	log_warning("%s:%u: the setting '%s' is not known.", path, entry->line, name);
	return 0;
}

int settings_load(const char *path, struct error **e)
{
	struct str text = STR_INIT;
	struct sexp *list = NULL;
	int rc;

	set_text(&settings.vif_script, "vif-bridge");
	rc = file_read(path, MAX_SIZE, &text, e);
	if (rc == -ENOENT) {
		error_free(e);
		return 0;
	}
	if (rc == 0) {
		list = sexp_parse(str_text(&text), text.len, path, e);
		rc = list ? 0 : -EINVAL;
	}
	for (size_t i = 0; rc == 0 && i < list->nr; i++)
		rc = apply_entry(list->items[i], path, e);
	sexp_free(list);
	str_free(&text);
	return rc;
}

void settings_free(void)
{
	free(settings.vif_script);
	free(settings.network_script);
	free(settings.log_level);
	memset(&settings, 0, sizeof(settings));
}
