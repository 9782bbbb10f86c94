/* SPDX-License-Identifier: MIT */
/* The journal of an order to all guests: JSON, replaced as a whole at each change. */
#include "xend/domain/guests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "lib/alloc.h"
#include "lib/file.h"
#include "lib/log.h"
#include "xend/domain/domain.h"

#define MAX_SIZE (16 * 1024 * 1024)

static const char *const order_names[GUESTS_ORDERS] = {
	[GUESTS_NONE] = "none",
	[GUESTS_START] = "start",
	[GUESTS_STOP] = "stop",
};

static const char *const action_names[GUEST_ACTIONS] = {
	[GUEST_NOTHING] = "nothing", [GUEST_START] = "start",	    [GUEST_RESUME] = "resume",
	[GUEST_SUSPEND] = "suspend", [GUEST_SHUTDOWN] = "shutdown",
};

static const char *const progress_names[GUEST_PROGRESSES] = {
	[GUEST_WAITING] = "waiting",
	[GUEST_WORKING] = "working",
	[GUEST_DONE] = "done",
	[GUEST_FAILED] = "failed",
};

const char *guests_order_name(enum guests_order order)
{
	return order_names[order];
}

struct guest *guests_add(struct guests *guests, enum guest_action action, const char *name)
{
	struct guest *guest = xcalloc(1, sizeof(*guest));

	guest->action = action;
	guest->name = xstrdup(name);
	TAILQ_INSERT_TAIL(&guests->list, guest, link);
	return guest;
}

void guests_clear(struct guests *guests)
{
	struct guest *guest;

	while ((guest = TAILQ_FIRST(&guests->list))) {
		TAILQ_REMOVE(&guests->list, guest, link);
		config_free(guest->config);
		free(guest->name);
		free(guest->path);
		free(guest->why);
		free(guest);
	}
}

struct json_object *guest_to_json(const struct guest *guest)
{
	struct json_object *o = json_new_object();
	char uuid[UUID_TEXT];

	json_set_string(o, "name", guest->name);
	json_set_string(o, "action", action_names[guest->action]);
	json_set_string(o, "progress", progress_names[guest->progress]);
	json_set_string(o, "path", guest->path);
	if (!guest->path) {
		uuid_to_text(guest->uuid, uuid);
		json_set_string(o, "uuid", uuid);
	}
	json_set_int(o, "asked", guest->asked);
	json_set_string(o, "reason", guest->why);
	return o;
}

void guests_write(const struct guests *guests, const char *path, const char *boot)
{
	struct json_object *o = json_new_object(), *list = json_new_array();
	struct str text = STR_INIT;
	struct error *e = NULL;
	struct guest *guest;

	json_set_string(o, "boot", boot);
	json_set_string(o, "order", order_names[guests->order]);
	TAILQ_FOREACH(guest, &guests->list, link)
		json_append(list, guest_to_json(guest));
	json_set(o, "guests", list);
	json_print(o, &text);
	str_add_char(&text, '\n');
	if (file_write_atomic(path, text.text, text.len, 0600, &e))
		log_error("%s", error_text(e));
	error_free(&e);
	str_free(&text);
	json_object_put(o);
}

/* --- reading --- */

static int find_name(const char *const *names, int count, const char *name)
{
	for (int i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

static int read_guest(struct guests *guests, struct json_object *o, struct error **e)
{
	const char *name, *action, *progress, *path, *uuid, *why;
	struct guest *guest;
	int64_t asked;
	int what, how;

	if (!json_object_is_type(o, json_type_object))
		return error_set(e, EINVAL, "A guest is no object.");
	if (json_get_string(o, "name", &name, e) || json_get_string(o, "action", &action, e) ||
	    json_get_string(o, "progress", &progress, e) ||
	    json_opt_string(o, "path", NULL, &path, e) ||
	    json_opt_string(o, "uuid", NULL, &uuid, e) ||
	    json_opt_string(o, "reason", NULL, &why, e) ||
	    json_get_int(o, "asked", 0, INT64_MAX, &asked, e))
		return -EINVAL;
	what = find_name(action_names, GUEST_ACTIONS, action);
	how = find_name(progress_names, GUEST_PROGRESSES, progress);
	if (what < 0 || how < 0)
		return error_set(e, EINVAL, "The guest '%.64s' has an unknown action or progress.",
				 name);
	guest = guests_add(guests, (enum guest_action)what, name);
	guest->progress = (enum guest_progress)how;
	guest->path = xstrdup(path);
	guest->why = xstrdup(why);
	guest->asked = asked;
	if (uuid && !uuid_from_text(uuid, guest->uuid))
		return error_set(e, EINVAL, "'%.40s' is no UUID.", uuid);
	return 0;
}

static int read_all(struct guests *guests, struct json_object *o, const char *boot,
		    struct error **e)
{
	const char *its_boot, *order_name;
	struct json_object *list;
	int order, rc = 0;

	if (json_get_string(o, "boot", &its_boot, e) ||
	    json_get_string(o, "order", &order_name, e) ||
	    json_get_typed(o, "guests", json_type_array, &list, e))
		return -EINVAL;
	if (strcmp(its_boot, boot) != 0)
		return 0;
	order = find_name(order_names, GUESTS_ORDERS, order_name);
	if (order < 0)
		return error_set(e, EINVAL, "The order '%.40s' is not known.", order_name);
	for (size_t i = 0; rc == 0 && i < json_object_array_length(list); i++)
		rc = read_guest(guests, json_object_array_get_idx(list, i), e);
	if (rc == 0)
		guests->order = (enum guests_order)order;
	return rc;
}

void guests_read(struct guests *guests, const char *path, const char *boot)
{
	struct str text = STR_INIT;
	struct json_object *o = NULL;
	struct error *e = NULL;
	int rc;

	TAILQ_INIT(&guests->list);
	guests->order = GUESTS_NONE;
	rc = file_read(path, MAX_SIZE, &text, &e);
	if (rc == 0 && (o = json_parse_object(text.text, text.len, &e)))
		rc = read_all(guests, o, boot, &e);
	if (e && rc != -ENOENT)
		log_error("%s is passed over: %s", path, error_text(e));
	if (e)
		guests_clear(guests);
	error_free(&e);
	json_object_put(o);
	str_free(&text);
}
