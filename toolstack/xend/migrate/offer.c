/* SPDX-License-Identifier: MIT */
/* Writes and reads an offer, and holds its configuration against what strangers may name. */
#include "xend/migrate/offer.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/xend_config.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include "xend/domain/domain.h"

/* Bytes shown of each name, so that no name hides the others. */
#define SHOWN_MAX 200
/* As the hypervisor's own limits on a policy, hv_policy.c. */
#define LEAVES_MAX 1024
#define MSRS_MAX   256

/* --- the features of the processor --- */

static void put_hex(struct json_object *o, const char *key, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;
	struct str text = STR_INIT;

	for (size_t i = 0; i < size; i++)
		str_printf(&text, "%02x", at[i]);
	json_set_string(o, key, str_text(&text));
	str_free(&text);
}

/* *bytes: `count` elements of `size` bytes, to be freed. */
static int get_hex(struct json_object *o, const char *key, size_t size, size_t most, void **bytes,
		   uint32_t *count, struct error **e)
{
	const char *text;
	size_t length;
	uint8_t *out;
	int rc = json_get_string(o, key, &text, e);

	if (rc)
		return rc;
	length = strlen(text);
	if (length % (2 * size) || length / (2 * size) > most ||
	    strspn(text, "0123456789abcdef") != length)
		return error_set(e, EPROTO, "\"%s\" is no list of the processor's features.", key);
	out = xmalloc(length / 2 + 1);
	for (size_t i = 0; i < length / 2; i++) {
		char pair[3] = { text[2 * i], text[2 * i + 1] };

		out[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	*bytes = out;
	*count = (uint32_t)(length / (2 * size));
	return 0;
}

/* --- the line --- */

struct json_object *offer_line(const char *move, const struct domain *domain,
			       struct domain_size *size, const struct hv_cpu_policy *policy)
{
	struct json_object *line = json_new_object();

	json_set_string(line, "say", "offer");
	json_set_int(line, "version", MIGRATE_VERSION);
	json_set_string(line, "move", move);
	json_set_bool(line, "managed", domain->managed);
	json_set_bool(line, "suspend_cancel", !domain->resumes_afresh);
	json_set(line, "config", domain_size_put(size, domain->config));
	put_hex(line, "leaves", policy->leaves, policy->nr_leaves * sizeof(*policy->leaves));
	put_hex(line, "msrs", policy->msrs, policy->nr_msrs * sizeof(*policy->msrs));
	return line;
}

int offer_read(struct offer *offer, struct json_object *line, struct error **e)
{
	struct json_object *config = NULL;
	void *leaves = NULL, *msrs = NULL;
	const char *move = "";
	bool cancels = true;
	int64_t version;
	int rc;

	*offer = (struct offer){ 0 };
	rc = json_get_int(line, "version", 0, INT32_MAX, &version, e);
	if (rc == 0 && version != MIGRATE_VERSION)
		return error_set(e, EPROTO,
				 "This xend speaks version %d of the conversation by which domains "
				 "move, the other one version %lld.",
				 MIGRATE_VERSION, (long long)version);
	if (rc == 0)
		rc = json_get_string(line, "move", &move, e);
	if (rc == 0 && !move_id_is_valid(move))
		rc = error_set(e, EPROTO, "The number of the move is none.");
	if (rc == 0)
		rc = json_get_bool(line, "managed", &offer->managed, e);
	if (rc == 0)
		rc = json_get_bool(line, "suspend_cancel", &cancels, e);
	offer->resumes_afresh = !cancels;
	if (rc == 0)
		rc = get_hex(line, "leaves", sizeof(*offer->policy.leaves), LEAVES_MAX, &leaves,
			     &offer->policy.nr_leaves, e);
	offer->policy.leaves = leaves;
	if (rc == 0)
		rc = get_hex(line, "msrs", sizeof(*offer->policy.msrs), MSRS_MAX, &msrs,
			     &offer->policy.nr_msrs, e);
	offer->policy.msrs = msrs;
	if (rc == 0)
		rc = json_get_typed(line, "config", json_type_object, &config, e);
	if (rc)
		return rc;
	memcpy(offer->move, move, MOVE_ID);
	offer->config = domain_size_take(config, &offer->size, e);
	if (!offer->config)
		return -EBADMSG;
	if (!offer->config->uuid)
		return error_set(e, EBADMSG, "The domain has no UUID.");
	return 0;
}

void offer_free(struct offer *offer)
{
	config_free(offer->config);
	hv_policy_free(&offer->policy);
	*offer = (struct offer){ 0 };
}

/* --- what strangers may name --- */

static void refuse(struct json_object *reasons, const char *what, const char *value,
		   const char *why)
{
	struct str s = STR_INIT;

	str_printf(&s, "%s ", what);
	str_add_shown(&s, value, SHOWN_MAX);
	str_printf(&s, " %s", why);
	json_append(reasons, json_new_string(str_text(&s)));
	str_free(&s);
}

/* By its name: links below an allowed directory are the administrator's. */
static bool is_permitted(const char *path, const struct xend_config *settings)
{
	if (strstr(path, "/../") || str_ends(path, "/.."))
		return false;
	for (size_t i = 0; i < settings->nr_relocation_paths; i++)
		if (str_is_path_within(path, settings->relocation_paths[i]))
			return true;
	return false;
}

void offer_check_path(const char *what, const char *path, const struct xend_config *settings,
		      struct json_object *reasons)
{
	if (path && !is_permitted(path, settings))
		refuse(reasons, what, path,
		       "is below none of the directories that domains from other hosts may use "
		       "(xend-relocation-paths in xend-config.sxp).");
}

/* A program of this host's own choice: a name, which xend looks up among its own. */
static void check_program(const char *what, const char *name, struct json_object *reasons)
{
	if (name && strchr(name, '/'))
		refuse(reasons, what, name,
		       "is a path: a domain from another host may only name one of this host's.");
}

/*
 * xend finds a bootloader among all programs of the host, and sh is one. Its arguments are as good
 * as a command where it has all rights; where it is confined it can harm the guest alone.
 */
static void check_bootloader(const struct config *config, const struct xend_config *settings,
			     struct json_object *reasons)
{
	bool known = !config->bootloader;

	for (size_t i = 0; i < settings->nr_relocation_bootloaders && !known; i++)
		known = strcmp(settings->relocation_bootloaders[i], config->bootloader) == 0;
	if (!known)
		refuse(reasons, "The bootloader", config->bootloader,
		       "is not one of those that domains from other hosts may use "
		       "(xend-relocation-bootloaders in xend-config.sxp).");
	else if (config->bootloader && config->nr_bootargs && !settings->bootloader_restrict)
		refuse(reasons, "The bootloader's arguments, beginning with", config->bootargs[0],
		       "cannot come from another host, because bootloaders have all rights on "
		       "this one (bootloader-restrict in xend-config.sxp).");
}

/* With a script the target is a text for the script, which may hold a path. */
static void check_target(const struct config_disk *disk, const struct xend_config *settings,
			 struct json_object *reasons)
{
	const char *target = disk->target;

	/* Debian's script for plain files and devices, by names such as phy:sda, too. */
	if (disk->script && strcmp(disk->script, "block") == 0)
		refuse(reasons, "The disk's script", disk->script,
		       "may be used by this host's own domains only: it takes any file.");
	else
		offer_check_path("The disk", disk->script && target ? strchr(target, '/') : target,
				 settings, reasons);
}

void offer_check_names(const struct config *config, const struct xend_config *settings,
		       struct json_object *reasons)
{
	offer_check_path("The kernel", config->kernel, settings, reasons);
	offer_check_path("The RAM disk", config->ramdisk, settings, reasons);
	check_bootloader(config, settings, reasons);
	for (size_t i = 0; i < config->nr_disk; i++) {
		const struct config_disk *disk = &config->disk[i];

		check_program("The disk's script", disk->script, reasons);
		check_target(disk, settings, reasons);
	}
	for (size_t i = 0; i < config->nr_vif; i++)
		check_program("The interface's script", config->vif[i].script, reasons);
}
