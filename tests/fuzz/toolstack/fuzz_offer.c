/* SPDX-License-Identifier: MIT */
/* links: toolstack/xend/migrate/offer.c toolstack/xend/domain/move.c toolstack/config/[a-z]*.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/sexp.c toolstack/lib/str.c */
/* libs: -ljson-c */
/*
 * What another host offers. An offer that is taken names nothing of this host but what strangers
 * may: no path outside of the permitted directories, no program but the permitted ones.
 */
#include "xend/migrate/offer.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/xend_config.h"
#include "xend/domain/domain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void hv_policy_free(struct hv_cpu_policy *policy)
{
	free(policy->leaves);
	free(policy->msrs);
}

static const struct xend_config *settings(void)
{
	static struct xend_config *c;
	struct config_diags diags = { 0 };

	if (!c)
		c = xend_config_parse("", 0, "f", &diags);
	config_diags_free(&diags);
	return c;
}

/* An independent reading of the rule, by the begin of the path alone. */
static void check_path(const char *path)
{
	static const char *const permitted[] = { "/boot", "/dev", "/srv", "/var/lib/xen" };

	if (!path)
		return;
	for (const char *at = strstr(path, ".."); at; at = strstr(at + 1, ".."))
		if (at > path && at[-1] == '/' && (at[2] == '/' || at[2] == '\0'))
			abort();
	for (size_t i = 0; i < sizeof(permitted) / sizeof(permitted[0]); i++) {
		size_t length = strlen(permitted[i]);

		if (strncmp(path, permitted[i], length) == 0 &&
		    (path[length] == '/' || path[length] == '\0'))
			return;
	}
	abort();
}

static void check_taken(const struct offer *offer)
{
	const struct config *c = offer->config;

	check_path(c->kernel);
	check_path(c->ramdisk);
	if (c->bootloader && strcmp(c->bootloader, "pygrub") != 0)
		abort();
	for (size_t i = 0; i < c->nr_disk; i++) {
		if (c->disk[i].script && strchr(c->disk[i].script, '/'))
			abort();
		if (!c->disk[i].script)
			check_path(c->disk[i].target);
	}
	for (size_t i = 0; i < c->nr_vif; i++)
		if (c->vif[i].script && strchr(c->vif[i].script, '/'))
			abort();
	if (strlen(offer->move) != MOVE_ID - 1)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_object *line = json_parse_object((const char *)data, size, NULL), *reasons;
	struct offer offer;
	struct error *e = NULL;
	int rc;

	if (!line)
		return 0;
	rc = offer_read(&offer, line, &e);
	if ((rc == 0) != (error_errno(e) == 0))
		abort();
	if (rc == 0) {
		reasons = json_new_array();
		offer_check_names(offer.config, settings(), reasons);
		if (json_object_array_length(reasons) == 0)
			check_taken(&offer);
		json_object_put(reasons);
	}
	error_free(&e);
	offer_free(&offer);
	json_object_put(line);
	return 0;
}
