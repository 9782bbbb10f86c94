/* SPDX-License-Identifier: MIT */
/* Writes and reads a domain's record: JSON, in a file that record_file.h replaces as a whole. */
#include "xend/domain/record.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "lib/alloc.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "xend/device/device.h"
#include "xend/domain/domain.h"
#include "xend/domain/move.h"
#include "xend/domain/record_file.h"

/*
 * Linux makes a new id at each boot (random(4)). The hypervisor ends with Domain-0's kernel, so the
 * id names the boot of both.
 */
#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_MAX  64

#define FORMAT	  1
#define MAX_SIZE  (1024 * 1024)
#define MAX_FRAME ((int64_t)1 << 52)

static const char *const state_names[DOMAIN_STATES] = {
	[DOMAIN_HALTED] = "halted",	      [DOMAIN_SUSPENDED] = "suspended",
	[DOMAIN_BUILDING] = "building",	      [DOMAIN_RUNNING] = "running",
	[DOMAIN_SAVING] = "saving",	      [DOMAIN_DYING] = "dying",
	[DOMAIN_HANDED_OVER] = "handed-over", [DOMAIN_COMPLETE] = "complete",
	[DOMAIN_ARRIVED] = "arrived",
};

static const char *const goal_names[DOMAIN_GOALS] = {
	[GOAL_REST] = "rest",
	[GOAL_RESTART] = "restart",
	[GOAL_SUSPENDED] = "suspended",
	[GOAL_MOVED] = "moved",
};

static char boot_id[BOOT_ID_MAX + 1];
/* The UUIDs of records that xend could not use. */
static struct {
	uint8_t (*uuids)[16];
	size_t nr;
} unusable;

static char *path_of(const char *uuid_text)
{
	return xasprintf("%s/%s/config.json", RECORD_DIRECTORY, uuid_text);
}

char *record_image_path(const struct domain *domain)
{
	char uuid[UUID_TEXT];

	uuid_to_text(domain->uuid, uuid);
	return xasprintf("%s/%s/memory.save", RECORD_DIRECTORY, uuid);
}

static struct json_object *encode(struct domain *domain)
{
	struct json_object *o = json_new_object();

	json_set_int(o, "format", FORMAT);
	json_set_string(o, "name", domain->name);
	json_set_string(o, "state", state_names[domain->state]);
	json_set_string(o, "goal", goal_names[domain->goal]);
	json_set_string(o, "boot", boot_id);
	json_set_int(o, "domid", domain->domid);
	json_set_bool(o, "managed", domain->managed);
	json_set_bool(o, "reboot_asked", domain->reboot_asked);
	json_set_bool(o, "with_host", domain->with_host);
	json_set_bool(o, "held", domain->held);
	json_set_bool(o, "suspends_late", domain->suspends_late);
	json_set_bool(o, "resumes_afresh", domain->resumes_afresh);
	json_set_bool(o, "half_renamed", domain->half_renamed);
	json_set_int(o, "start_time", domain->start_time);
	json_set_string(o, "reason", domain->reason);
	json_set_string(o, "saving_to", domain->saving_to);
	if (domain->move)
		json_set(o, "move", move_to_json(domain->move));
	json_set_int(o, "store_mfn", (int64_t)domain->store_mfn);
	json_set_int(o, "store_port", domain->store_port);
	json_set_int(o, "console_mfn", (int64_t)domain->console_mfn);
	json_set_int(o, "console_port", domain->console_port);
	json_set(o, "devices", devices_to_json(domain));
	json_set(o, "config", config_to_json(domain->config));
	return o;
}

const char *record_boot(void)
{
	return boot_id;
}

int record_replace(struct domain *domain, struct error **e)
{
	struct json_object *o = encode(domain);
	struct str text = STR_INIT;
	char uuid[UUID_TEXT];
	int rc;

	uuid_to_text(domain->uuid, uuid);
	json_print(o, &text);
	str_add_char(&text, '\n');
	rc = record_file_write(uuid, &text, e);
	str_free(&text);
	json_object_put(o);
	return rc;
}

int record_remove(struct domain *domain, struct error **e)
{
	char uuid[UUID_TEXT];

	uuid_to_text(domain->uuid, uuid);
	return record_file_remove(uuid, e);
}

/* --- reading --- */

static int decode_state(const char *name, enum domain_state *state, struct error **e)
{
	for (unsigned int i = 0; i < DOMAIN_STATES; i++) {
		if (strcmp(state_names[i], name) == 0) {
			*state = (enum domain_state)i;
			return 0;
		}
	}
	return error_set(e, EINVAL, "The state '%.40s' is not known.", name);
}

static int decode_goal(const char *name, enum domain_goal *goal, struct error **e)
{
	for (unsigned int i = 0; i < DOMAIN_GOALS; i++) {
		if (strcmp(goal_names[i], name) == 0) {
			*goal = (enum domain_goal)i;
			return 0;
		}
	}
	return error_set(e, EINVAL, "The goal '%.40s' is not known.", name);
}

static int decode_channels(struct json_object *o, struct domain *domain, struct error **e)
{
	int64_t store_mfn, store_port, console_mfn, console_port;

	if (json_opt_int(o, "store_mfn", 0, MAX_FRAME, 0, &store_mfn, e) ||
	    json_opt_int(o, "store_port", 0, UINT32_MAX, 0, &store_port, e) ||
	    json_opt_int(o, "console_mfn", 0, MAX_FRAME, 0, &console_mfn, e) ||
	    json_opt_int(o, "console_port", 0, UINT32_MAX, 0, &console_port, e))
		return -EINVAL;
	domain->store_mfn = (uint64_t)store_mfn;
	domain->store_port = (uint32_t)store_port;
	domain->console_mfn = (uint64_t)console_mfn;
	domain->console_port = (uint32_t)console_port;
	return 0;
}

/* One that comes from another host has another name until it runs. */
static int decode_move(struct json_object *o, struct domain *domain, struct error **e)
{
	if (!o)
		return 0;
	domain->move = move_from_json(o, e);
	if (!domain->move)
		return -EINVAL;
	if (strcmp(domain->name, domain->config->name) != 0)
		domain->old_name = xstrdup(domain->config->name);
	return 0;
}

/* Adds the domain of a record to the list. */
static int decode(struct json_object *o, const uint8_t uuid[16], struct error **e)
{
	const char *name, *state_name, *goal_name, *boot, *reason, *saving_to;
	struct json_object *config_json, *devices, *move;
	int64_t format, domid, start_time;
	struct domain *domain;
	struct config *config;
	enum domain_state state = DOMAIN_HALTED;
	enum domain_goal goal = GOAL_REST;
	bool managed, reboot_asked, held, suspends_late, resumes_afresh, half_renamed, with_host;

	if (json_get_int(o, "format", FORMAT, FORMAT, &format, e) ||
	    json_get_string(o, "name", &name, e) || json_get_string(o, "state", &state_name, e) ||
	    decode_state(state_name, &state, e) ||
	    json_opt_string(o, "goal", goal_names[GOAL_REST], &goal_name, e) ||
	    decode_goal(goal_name, &goal, e) || json_opt_string(o, "boot", boot_id, &boot, e) ||
	    json_get_int(o, "domid", -1, DOMID_FIRST_RESERVED - 1, &domid, e) ||
	    json_get_bool(o, "managed", &managed, e) ||
	    json_opt_bool(o, "reboot_asked", false, &reboot_asked, e) ||
	    json_opt_bool(o, "with_host", false, &with_host, e) ||
	    json_opt_bool(o, "held", false, &held, e) ||
	    json_opt_bool(o, "suspends_late", false, &suspends_late, e) ||
	    json_opt_bool(o, "resumes_afresh", false, &resumes_afresh, e) ||
	    json_opt_bool(o, "half_renamed", false, &half_renamed, e) ||
	    json_get_int(o, "start_time", 0, INT64_MAX, &start_time, e) ||
	    json_opt_string(o, "reason", NULL, &reason, e) ||
	    json_opt_string(o, "saving_to", NULL, &saving_to, e) ||
	    json_opt_typed(o, "move", json_type_object, &move, e) ||
	    json_get_typed(o, "devices", json_type_array, &devices, e) ||
	    json_get_typed(o, "config", json_type_object, &config_json, e))
		return -EINVAL;
	if (domain_by_name(name))
		return error_set(e, EEXIST, "Another domain has the name '%.64s', too.", name);
	config = config_from_json(config_json, e);
	if (!config)
		return -EINVAL;
	/* A record that was edited may lack what xend adds, such as a MAC. */
	config_generate(config);
	domain = domain_add(name, uuid);
	domain->config = config;
	domain->ours = true;
	domain->state = state;
	domain->goal = goal;
	domain->managed = managed;
	domain->reboot_asked = reboot_asked;
	domain->with_host = with_host;
	domain->held = held;
	domain->suspends_late = suspends_late;
	domain->resumes_afresh = resumes_afresh;
	domain->half_renamed = half_renamed;
	domain->domid = (int)domid;
	domain->earlier_boot = strcmp(boot, boot_id) != 0;
	domain->start_time = (time_t)start_time;
	domain->reason = xstrdup(reason);
	domain->saving_to = xstrdup(saving_to);
	if (decode_channels(o, domain, e) || decode_move(move, domain, e) ||
	    devices_from_json(domain, devices, e)) {
		domain_remove(domain);
		return -EINVAL;
	}
	return 0;
}

/* Removes the drafts of a xend that was killed while it wrote a record. */
static void sweep_drafts(const char *uuid_text)
{
	char *path = xasprintf("%s/%s", RECORD_DIRECTORY, uuid_text);
	DIR *directory = opendir(path);
	struct dirent *entry;

	while (directory && (entry = readdir(directory)))
		if (str_starts(entry->d_name, "config.json."))
			unlinkat(dirfd(directory), entry->d_name, 0);
	if (directory)
		closedir(directory);
	free(path);
}

static void note_unusable(const uint8_t uuid[16])
{
	unusable.uuids = xreallocarray(unusable.uuids, unusable.nr + 1, sizeof(*unusable.uuids));
	memcpy(unusable.uuids[unusable.nr++], uuid, sizeof(*unusable.uuids));
}

static void load_one(const char *uuid_text)
{
	char *path = path_of(uuid_text);
	struct str text = STR_INIT;
	struct json_object *o = NULL;
	struct error *e = NULL;
	uint8_t uuid[16];

	sweep_drafts(uuid_text);
	if (!uuid_from_text(uuid_text, uuid))
		error_set(&e, EINVAL, "Its directory's name is no UUID.");
	else if (file_read(path, MAX_SIZE, &text, &e) == 0 &&
		 (o = json_parse_object(text.text, text.len, &e)))
		decode(o, uuid, &e);
	/* A killed xend may leave a directory without a record. Remove it. */
	if (error_errno(e) == ENOENT && !o) {
		char *directory = xasprintf("%s/%s", RECORD_DIRECTORY, uuid_text);

		rmdir(directory);
		free(directory);
	} else if (e) {
		log_error("The record %s is left alone: %s", path, error_text(e));
		if (uuid_from_text(uuid_text, uuid))
			note_unusable(uuid);
	}
	error_free(&e);
	json_object_put(o);
	str_free(&text);
	free(path);
}

static int read_boot_id(struct error **e)
{
	struct str text = STR_INIT;
	int rc = file_read(BOOT_ID_PATH, BOOT_ID_MAX, &text, e);

	if (rc == 0)
		snprintf(boot_id, sizeof(boot_id), "%s", text.len ? str_trim(text.text) : "");
	if (rc == 0 && !*boot_id)
		rc = error_set(e, EIO,
			       "%s is empty: which boot of the host this is cannot be known.",
			       BOOT_ID_PATH);
	str_free(&text);
	return rc;
}

int records_load(struct error **e)
{
	struct dirent *entry;
	DIR *directory;
	int rc = read_boot_id(e);

	if (rc == 0)
		rc = file_make_dirs(RECORD_DIRECTORY, 0700, e);
	if (rc)
		return rc;
	directory = opendir(RECORD_DIRECTORY);
	if (!directory)
		return error_set(e, errno, "Cannot read the directory %s: %s.", RECORD_DIRECTORY,
				 strerror(errno));
	while ((errno = 0, entry = readdir(directory)))
		if (entry->d_name[0] != '.')
			load_one(entry->d_name);
	/*
	 * All records or none: the domains of missing ones would be taken for another toolstack's.
	 */
	if (errno)
		rc = error_set(e, errno, "Cannot read the directory %s: %s.", RECORD_DIRECTORY,
			       strerror(errno));
	closedir(directory);
	return rc;
}

int record_check_free(const uint8_t uuid[16], struct error **e)
{
	char uuid_text[UUID_TEXT];

	for (size_t i = 0; i < unusable.nr; i++) {
		if (memcmp(unusable.uuids[i], uuid, sizeof(*unusable.uuids)) != 0)
			continue;
		uuid_to_text(uuid, uuid_text);
		return error_set(e, EEXIST,
				 "The UUID %s has a record already, which xend could not use when "
				 "it started: %s/%s/config.json. Repair it or move it away, and "
				 "restart xend.",
				 uuid_text, RECORD_DIRECTORY, uuid_text);
	}
	return 0;
}
