/* SPDX-License-Identifier: MIT */
/*
 * `xm guests`: gives xend an order to all guests of the host, and says how far it is. xend may be
 * killed or restarted meanwhile: it goes on, and so does xm.
 */
#include "xm/command.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/alloc.h"
#include "lib/json.h"
#include "lib/str.h"
#include "protocol.h"
#include "xm/client/call.h"
#include "xm/client/path.h"
#include "xm/commands/domain_file.h"
#include "xm/commands/guests.h"
#include "xm/format.h"
#include "xm/python/evaluate.h"

#define AUTO_DIRECTORY "/etc/xen/auto"

/* Seconds that xm waits for a xend that is not there. */
#define PATIENCE 60
/* Seconds after which a line of progress is repeated. */
#define REPEAT 10
/* The most names in a line. */
#define NAMES 8

static const struct timespec interval = { 0, 300 * 1000 * 1000 };

struct order {
	const char *word;      /* start or stop */
	const char *directory; /* with the files that start */
	/* Paths of files that cannot be read; asking for them again would never end. */
	struct json_object *unreadable;
	char *shown; /* the last line of progress, without the seconds */
	time_t shown_at;
	int status; /* XM_FAILED once something failed */
};

static int fail(struct order *order, const char *text)
{
	order->status = XM_FAILED;
	return xm_fail("%s", text);
}

static time_t seconds(void)
{
	struct timespec up;

	clock_gettime(CLOCK_MONOTONIC, &up);
	return up.tv_sec;
}

/*
 * A request over a connection of its own, repeated while xend is away. `params` is consumed. NULL
 * after an error message.
 */
static struct json_object *ask(struct order *order, const char *method, struct json_object *params)
{
	time_t deadline = seconds() + PATIENCE;
	struct json_object *result = NULL;
	bool said = false;
	int rc;

	do {
		struct client *client = NULL;
		struct error *e = NULL;

		rc = client_open(&client, &e);
		if (rc == 0)
			rc = client_call(client, method, json_object_get(params), NULL, NULL,
					 &result, &e);
		client_close(client);
		if (rc && rc != -EREMOTEIO && rc != -ENOSYS && seconds() < deadline) {
			if (!said)
				puts("Waiting for xend.");
			fflush(stdout);
			said = true;
			nanosleep(&interval, NULL);
		} else if (rc) {
			fail(order, error_text(e));
			deadline = 0;
		}
		error_free(&e);
	} while (rc && deadline);
	json_object_put(params);
	return result;
}

static void tell(struct order *order, const char *method, struct json_object *params)
{
	json_object_put(ask(order, method, params));
}

/* --- the files of /etc/xen/auto --- */

static void send_file(struct order *order, const char *path)
{
	/* Nobody watches, and the caller is root. */
	struct domain_file_options options = { .file = path,
					       .roots_python = true,
					       .seconds = PYTHON_SECONDS_AT_START };
	struct json_object *params;
	struct config *config;
	char *found = NULL;

	int status = domain_file_read(NULL, 0, &options, &config, &found);

	free(found);
	params = json_new_object();
	json_set_string(params, XEND_P_PATH, path);
	if (status != XM_OK || !config) {
		char *reason =
			xasprintf("%s cannot be used; `xm create -n %s' says why.", path, path);

		json_append(order->unreadable, json_new_string(path));
		order->status = XM_FAILED;
		json_set_string(params, XEND_D_REASON, reason);
		free(reason);
		tell(order, XEND_M_GUESTS_START, params);
		return;
	}
	json_set(params, XEND_P_CONFIG, config_to_json(config));
	config_free(config);
	tell(order, XEND_M_GUESTS_START, params);
}

static int is_file(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && entry->d_name[length - 1] != '~';
}

static void send_files(struct order *order)
{
	struct dirent **entries;
	int count = scandir(order->directory, &entries, is_file, alphasort);

	for (int i = 0; i < count; i++) {
		char *path = xasprintf("%s/%s", order->directory, entries[i]->d_name);

		send_file(order, path);
		free(path);
		free(entries[i]);
	}
	if (count >= 0) {
		free(entries);
	} else if (errno != ENOENT) {
		order->status = xm_fail("the directory %s cannot be read: %s.", order->directory,
					strerror(errno));
	}
}

static bool is_unreadable(const struct order *order, const char *path)
{
	for (size_t i = 0; i < json_object_array_length(order->unreadable); i++) {
		struct json_object *other = json_object_array_get_idx(order->unreadable, i);

		if (strcmp(json_object_get_string(other), path) == 0)
			return true;
	}
	return false;
}

/* Whether xend waits for what a file says that cannot be read. */
static bool waits_in_vain(const struct order *order, struct json_object *guest)
{
	return json_object_get_boolean(json_find(guest, XEND_G_FILE_WANTED)) &&
	       is_unreadable(order, xm_string(guest, XEND_P_PATH, ""));
}

/* After a kill xend knows which files were waiting, but not what they say. */
static void send_wanted(struct order *order, struct json_object *status)
{
	size_t count;
	struct json_object *guests = xm_array(status, "guests", &count);

	for (size_t i = 0; i < count; i++) {
		struct json_object *guest = json_object_array_get_idx(guests, i);

		if (json_object_get_boolean(json_find(guest, XEND_G_FILE_WANTED)) &&
		    !waits_in_vain(order, guest))
			send_file(order, xm_string(guest, XEND_P_PATH, ""));
	}
}

/* --- progress --- */

static bool is(struct json_object *guest, const char *key, const char *word)
{
	return strcmp(xm_string(guest, key, ""), word) == 0;
}

/*
 * Adds the names of the guests with which xend is at work at `action`. Returns the seconds that
 * they have left at most, 0 if there is no limit or no such guest.
 */
static int64_t add_names(struct str *line, struct json_object *status, const char *title,
			 const char *action)
{
	size_t count, names = 0;
	struct json_object *guests = xm_array(status, "guests", &count);
	int64_t left = 0;

	for (size_t i = 0; i < count; i++) {
		struct json_object *guest = json_object_array_get_idx(guests, i);
		int64_t its = xm_int(guest, XEND_G_SECONDS_LEFT, 0);

		if (!is(guest, XEND_G_PROGRESS, "working") || !is(guest, XEND_G_ACTION, action))
			continue;
		if (names++ < NAMES) {
			str_add(line, names == 1 ? title : ", ");
			str_add_shown(line, xm_string(guest, XEND_D_NAME, "?"), FORMAT_NAME_MAX);
		}
		left = its > left ? its : left;
	}
	if (names > NAMES)
		str_printf(line, " and %zu more", names - NAMES);
	return left;
}

static void show_line(struct json_object *status, const char *title, const char *action,
		      struct str *all, struct str *lines)
{
	struct str line = STR_INIT;
	int64_t left = add_names(&line, status, title, action);

	if (line.len) {
		str_add(all, line.text);
		str_add(lines, line.text);
		if (left)
			str_printf(lines, " (%lld s left)", (long long)left);
		str_add_char(lines, '\n');
	}
	str_free(&line);
}

/* Prints what is under way, when that has changed, and every few seconds. */
static void show(struct order *order, struct json_object *status)
{
	struct str all = STR_INIT, lines = STR_INIT;

	show_line(status, "Resuming guests: ", "resume", &all, &lines);
	show_line(status, "Starting guests: ", "start", &all, &lines);
	show_line(status, "Suspending guests: ", "suspend", &all, &lines);
	show_line(status, "Shutting down guests: ", "shutdown", &all, &lines);
	if (!order->shown || strcmp(order->shown, str_text(&all)) != 0 ||
	    seconds() >= order->shown_at + REPEAT) {
		fputs(str_text(&lines), stdout);
		fflush(stdout);
		free(order->shown);
		order->shown = xstrdup(str_text(&all));
		order->shown_at = seconds();
	}
	str_free(&all);
	str_free(&lines);
}

static size_t count_done(struct json_object *status, size_t *total)
{
	struct json_object *guests = xm_array(status, "guests", total);
	size_t done = 0;

	for (size_t i = 0; i < *total; i++)
		done += is(json_object_array_get_idx(guests, i), XEND_G_PROGRESS, "done");
	return done;
}

/* On the last line, which `systemctl status' shows, too. */
static void name_failed(struct json_object *status)
{
	size_t total, failed = 0;
	struct json_object *guests = xm_array(status, "guests", &total);
	char name[FORMAT_NAME_MAX];

	for (size_t i = 0; i < total; i++) {
		struct json_object *guest = json_object_array_get_idx(guests, i);

		if (is(guest, XEND_G_PROGRESS, "failed") && failed++ < NAMES)
			printf("%s%s", failed == 1 ? " Failed: " : ", ",
			       format_name(xm_string(guest, XEND_D_NAME, "?"), name));
	}
	if (failed > NAMES)
		printf(" and %zu more", failed - NAMES);
	if (failed)
		printf(" (see `xm guests status').");
}

static void report(struct order *order, struct json_object *status)
{
	size_t total, done = count_done(status, &total);
	struct json_object *guests = xm_array(status, "guests", &total);

	for (size_t i = 0; i < total; i++) {
		struct json_object *guest = json_object_array_get_idx(guests, i);

		if (is(guest, XEND_G_PROGRESS, "failed"))
			order->status = xm_fail("guest %s: %s", xm_string(guest, XEND_D_NAME, "?"),
						xm_string(guest, XEND_D_REASON, "?"));
	}
	printf("Guests %s with the host: %zu of %zu.",
	       strcmp(order->word, "start") == 0 ? "started" : "ended", done, total);
	name_failed(status);
	putchar('\n');
}

/* Whether xend still works at a guest, or will. */
static bool is_under_way(const struct order *order, struct json_object *status)
{
	size_t count;
	struct json_object *guests = xm_array(status, "guests", &count);

	if (json_object_get_boolean(json_find(status, XEND_G_FINISHED)))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct json_object *guest = json_object_array_get_idx(guests, i);

		if ((is(guest, XEND_G_PROGRESS, "waiting") ||
		     is(guest, XEND_G_PROGRESS, "working")) &&
		    !waits_in_vain(order, guest))
			return true;
	}
	return false;
}

static int follow(struct order *order)
{
	bool finished = false;

	while (!finished) {
		struct json_object *status = ask(order, XEND_M_GUESTS_STATUS, NULL);

		if (!status)
			return XM_FAILED;
		if (!is(status, XEND_G_ORDER, order->word)) {
			json_object_put(status);
			return fail(order, "the order to the host's guests was replaced by another "
					   "one; `xm guests status' shows it.");
		}
		send_wanted(order, status);
		show(order, status);
		finished = !is_under_way(order, status);
		if (finished)
			report(order, status);
		else
			nanosleep(&interval, NULL);
		json_object_put(status);
	}
	return order->status;
}

/* --- the command --- */

static int give(const struct xm_args *args, const char *word, const char *method)
{
	const char *given = xm_args_value(args, 'a');
	char *directory = path_absolute(given ? given : AUTO_DIRECTORY);
	struct order order = { .word = word, .directory = directory, .status = XM_OK };
	int status;

	if (!directory)
		return XM_FAILED;
	order.unreadable = json_new_array();
	tell(&order, method, NULL);
	status = order.status;
	if (status == XM_OK) {
		if (strcmp(word, "start") == 0)
			send_files(&order);
		status = follow(&order);
	}
	json_object_put(order.unreadable);
	free(order.shown);
	free(directory);
	return status;
}

static void print_guest(struct json_object *guest)
{
	char name[FORMAT_NAME_MAX];
	const char *reason = xm_string(guest, XEND_D_REASON, NULL);
	const char *action = xm_string(guest, XEND_G_ACTION, "?");
	int64_t left = xm_int(guest, XEND_G_SECONDS_LEFT, -1);

	printf("%-32s %-9s %s", format_name(xm_string(guest, XEND_D_NAME, "?"), name),
	       strcmp(action, "nothing") == 0 ? "start" : action,
	       xm_string(guest, XEND_G_PROGRESS, "?"));
	if (left >= 0)
		printf(", %lld s left", (long long)left);
	if (reason)
		printf(": %s", reason);
	putchar('\n');
}

static int status_run(const struct xm_args *args)
{
	struct json_object *status = xm_call(XEND_M_GUESTS_STATUS, NULL, NULL), *guests;
	size_t count;

	if (!status)
		return XM_FAILED;
	guests = xm_array(status, "guests", &count);
	if (xm_args_has(args, XM_OPTION_JSON))
		xm_print_json(status);
	else if (is(status, XEND_G_ORDER, "none"))
		puts("The host's guests were neither started nor stopped since it booted.");
	for (size_t i = 0; i < count && !xm_args_has(args, XM_OPTION_JSON); i++)
		print_guest(json_object_array_get_idx(guests, i));
	json_object_put(status);
	return XM_OK;
}

int guests_run(const struct xm_args *args)
{
	const char *word = args->operands[0];

	if (strcmp(word, "start") == 0)
		return give(args, word, XEND_M_GUESTS_START);
	if (strcmp(word, "stop") == 0)
		return give(args, word, XEND_M_GUESTS_STOP);
	if (strcmp(word, "status") == 0)
		return status_run(args);
	return xm_usage_error(args->command, "'%s' is none of start, stop and status", word);
}

const struct xm_option guests_options[] = {
	{ 'a', "auto", "DIRECTORY", "whose files start, in place of /etc/xen/auto" },
	{ XM_OPTION_JSON, "json", NULL, "with status: print what xend answered, as JSON" },
	{ 0 },
};
