/* SPDX-License-Identifier: MIT */
/* Orders to all guests: one task manages the order, and each guest has a task of its own. */
#include "xend/domain/guests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "xend/device/driver_domain.h"
#include "xend/domain/domain.h"
#include "xend/domain/record.h"
#include "xend/domain/recover.h"
#include "xend/runtime/settings.h"
#include "xend/xend.h"

/* Guests that shut down at the same time. That costs xend nothing, but Domain-0's disks something.
 */
#define SHUTDOWNS_AT_ONCE 64
/* The most files of /etc/xen/auto. */
#define MAX_FILES 4096
/* Milliseconds between looks at limits of time. */
#define INTERVAL 500

static struct guests guests = { .list = TAILQ_HEAD_INITIALIZER(guests.list) };

static struct {
	bool runs;	    /* the managing task */
	bool changes_order; /* no guest's task may start */
	unsigned int working;
	struct cond changed;
} manager;

static void write_journal(void)
{
	guests_write(&guests, GUESTS_JOURNAL, record_boot());
}

static bool is_finished(void)
{
	struct guest *guest;

	TAILQ_FOREACH(guest, &guests.list, link)
		if (guest->progress == GUEST_WAITING || guest->progress == GUEST_WORKING)
			return false;
	return true;
}

bool guests_are_stopping(void)
{
	return guests.order == GUESTS_STOP && !is_finished();
}

int guests_allow_boot(const struct domain *domain, struct error **e)
{
	if (!guests_are_stopping())
		return 0;
	return error_set(e, EBUSY,
			 "Domain '%s' is not started: the host's guests are being shut down. "
			 "`xm guests status' shows how far that is.",
			 domain->name);
}

/* --- the tasks --- */

static void run_guest(void *arg)
{
	struct guest *guest = arg;
	struct error *e = NULL;
	int rc;

	guest->task = task_current();
	rc = guests.order == GUESTS_STOP ? guest_stop(guest, &e) : guest_start(guest, &e);
	guest->task = NULL;
	if (rc == -ECANCELED && (xend_is_stopping() || manager.changes_order)) {
		guest->progress = GUEST_WAITING;
	} else if (rc) {
		guest->progress = GUEST_FAILED;
		free(guest->why);
		guest->why = xstrdup(rc == -ECANCELED ? "It was destroyed before it ran." :
							error_text(e));
		log_error("Guest %s: %s", guest->name, guest->why);
	} else if (guest->progress == GUEST_WORKING) {
		guest->progress = GUEST_DONE;
	}
	error_free(&e);
	write_journal();
	manager.working--;
	cond_wake(&manager.changed);
}

static bool may_begin(const struct guest *guest, const unsigned int *at_once)
{
	if (guest->progress != GUEST_WAITING || (guest->path && !guest->config))
		return false;
	return at_once[guest->action] < (guest->action == GUEST_SHUTDOWN ?
						 SHUTDOWNS_AT_ONCE :
						 (unsigned int)settings->guests_parallel);
}

/*
 * Begins with all that may begin. `in_sequence`: driver domains and the guests that they serve one
 * after the other. Returns whether it has begun with any.
 */
static bool begin_some(bool in_sequence)
{
	unsigned int at_once[GUEST_ACTIONS] = { 0 };
	bool begun = false;
	struct guest *guest;

	TAILQ_FOREACH(guest, &guests.list, link)
		at_once[guest->action] += guest->progress == GUEST_WORKING && !guest->rests;
	/* What is resumed and what is started load the host alike. */
	at_once[GUEST_START] = at_once[GUEST_RESUME] += at_once[GUEST_START];
	TAILQ_FOREACH(guest, &guests.list, link) {
		if (!may_begin(guest, at_once) || (in_sequence && guests_must_wait(&guests, guest)))
			continue;
		guest->progress = GUEST_WORKING;
		if (!task_start(run_guest, guest)) {
			guest->progress = GUEST_WAITING;
			break;
		}
		manager.working++;
		at_once[guest->action]++;
		if (guest->action == GUEST_START || guest->action == GUEST_RESUME)
			at_once[GUEST_START] = at_once[GUEST_RESUME] = at_once[guest->action];
		begun = true;
	}
	/* The tasks run in the loop's next turn: the journal says so before. */
	if (begun)
		write_journal();
	return begun;
}

static void begin_waiting(void)
{
	/* Domains that serve each other would wait for ever. */
	if (!begin_some(true) && !manager.working)
		begin_some(false);
}

/* A suspend that takes too long is cancelled: the guest runs on, and is then shut down. */
static void cancel_late(void)
{
	struct guest *guest;

	TAILQ_FOREACH(guest, &guests.list, link)
		if (guest->action == GUEST_SUSPEND && guest->progress == GUEST_WORKING &&
		    guest->task && guest_seconds_left(guest) == 0)
			task_cancel(guest->task);
}

/* A file whose contents are wanted again is no work: whoever gave the order has to send it. */
static bool has_work(void)
{
	struct guest *guest;

	TAILQ_FOREACH(guest, &guests.list, link)
		if (guest->progress == GUEST_WAITING && (!guest->path || guest->config))
			return true;
	return manager.working > 0;
}

/*
 * Begins nothing before recovery is through. Until then a leftover of a killed start looks like a
 * guest that is there, and its record like that of a start of this xend.
 */
static void manage(void *arg)
{
	int rc = recover_wait(NULL, NULL);

	while (rc == 0 && !xend_is_stopping() && (manager.changes_order || has_work())) {
		if (!manager.changes_order) {
			begin_waiting();
			cancel_late();
		}
		cond_wait(&manager.changed, task_deadline(INTERVAL));
	}
	manager.runs = false;
}

static void start_manager(void)
{
	if (!manager.runs)
		manager.runs = task_start(manage, NULL) != NULL;
}

/* --- orders --- */

static void add_known(struct domain *domain, enum guest_action action)
{
	struct guest *guest;

	if (action == GUEST_NOTHING)
		return;
	guest = guests_add(&guests, action, domain->name);
	memcpy(guest->uuid, domain->uuid, sizeof(guest->uuid));
}

static bool serves_any(const struct domain *server)
{
	const struct domain *user;

	TAILQ_FOREACH(user, &domains, link)
		if (user != server && driver_domain_serves(server, user))
			return true;
	return false;
}

static int compare(const void *a, const void *b)
{
	return strcmp((*(struct domain *const *)a)->name, (*(struct domain *const *)b)->name);
}

/* Makes the list for the order: by name, what is to be resumed first. */
static void plan(enum guests_order order)
{
	struct domain *domain, **sorted;
	size_t count = 0;

	guests_clear(&guests);
	guests.order = order;
	TAILQ_FOREACH(domain, &domains, link)
		count++;
	sorted = xcalloc(count + 1, sizeof(struct domain *));
	count = 0;
	TAILQ_FOREACH(domain, &domains, link)
		sorted[count++] = domain;
	qsort(sorted, count, sizeof(struct domain *), compare);
	for (size_t i = 0; order == GUESTS_STOP && i < count; i++)
		add_known(sorted[i],
			  guests_plan_stop(sorted[i], (enum xend_guests_stop)settings->guests_stop,
					   serves_any(sorted[i])));
	for (size_t i = 0; order == GUESTS_START && i < count; i++)
		if (guests_plan_start(sorted[i]) == GUEST_RESUME)
			add_known(sorted[i], GUEST_RESUME);
	for (size_t i = 0; order == GUESTS_START && i < count; i++)
		if (guests_plan_start(sorted[i]) == GUEST_START)
			add_known(sorted[i], GUEST_START);
	free(sorted);
	write_journal();
}

int guests_order_start(struct request *asker, struct error **e)
{
	int rc = recover_wait(asker, e);

	if (rc)
		return rc;
	if (guests_are_stopping() || manager.changes_order)
		return error_set(e, EBUSY,
				 "No guest is started: the host's guests are being shut down. "
				 "`xm guests status' shows how far that is.");
	if (guests.order != GUESTS_START) {
		log_info("The guests of the host are started.");
		plan(GUESTS_START);
	}
	start_manager();
	return 0;
}

static struct guest *find_file(const char *path, unsigned int *count)
{
	struct guest *guest, *found = NULL;

	*count = 0;
	TAILQ_FOREACH(guest, &guests.list, link) {
		*count += guest->path != NULL;
		if (guest->path && strcmp(guest->path, path) == 0)
			found = guest;
	}
	return found;
}

/*
 * Whether the order has this guest already, without this file: it goes on from its saved memory,
 * xend keeps it, or another file names it. One that could not, and that xend has forgotten since,
 * has its file alone.
 */
static bool is_known(const char *name)
{
	struct guest *guest;

	TAILQ_FOREACH(guest, &guests.list, link)
		if (strcmp(guest->name, name) == 0 &&
		    (guest->progress != GUEST_FAILED ||
		     (!guest->path && domain_by_uuid(guest->uuid))))
			return true;
	return false;
}

/* The guest of a file, which is added under this name if it is new. */
static int take_file(const char *path, enum guest_action action, const char *name,
		     struct guest **guest, struct error **e)
{
	unsigned int count;

	*guest = find_file(path, &count);
	if (guests.order != GUESTS_START || manager.changes_order)
		return error_set(e, EBUSY,
				 "%s is not started: the start of the host's guests has not been "
				 "ordered (`xm guests start').",
				 path);
	if (!*guest && count >= MAX_FILES)
		return error_set(e, EINVAL,
				 "%s is one file too many: at most %d start with the host.", path,
				 MAX_FILES);
	if (!*guest) {
		*guest = guests_add(&guests, action, name);
		(*guest)->path = xstrdup(path);
	}
	return 0;
}

int guests_order_bad_file(const char *path, const char *reason, struct error **e)
{
	const char *slash = strrchr(path, '/');
	struct guest *guest;
	int rc = take_file(path, GUEST_NOTHING, slash ? slash + 1 : path, &guest, e);

	if (rc || guest->progress == GUEST_WORKING || guest->progress == GUEST_DONE)
		return rc;
	guest->action = GUEST_NOTHING;
	guest->progress = GUEST_FAILED;
	free(guest->why);
	guest->why = xstrdup(reason);
	config_free(guest->config);
	guest->config = NULL;
	log_error("Guest %s: %s", guest->name, reason);
	write_journal();
	cond_wake(&manager.changed);
	return 0;
}

int guests_order_file(const char *path, struct config *config, struct error **e)
{
	struct guest *guest;
	unsigned int count;
	int rc;

	if (guests.order == GUESTS_START && !find_file(path, &count) && is_known(config->name)) {
		log_info("%s: domain %s starts with the host already.", path, config->name);
		config_free(config);
		return 0;
	}
	rc = take_file(path, GUEST_START, config->name, &guest, e);
	if (rc == 0 && guest->action == GUEST_NOTHING) {
		/* It could not be used, and was mended. */
		guest->action = GUEST_START;
		guest->progress = GUEST_WAITING;
		free(guest->name);
		guest->name = xstrdup(config->name);
		free(guest->why);
		guest->why = NULL;
	}
	if (rc == 0)
		write_journal();
	if (rc || !guest || guest->progress != GUEST_WAITING || guest->config)
		config_free(config);
	else
		guest->config = config;
	if (rc == 0)
		start_manager();
	return rc;
}

/* Cancels starts that are under way: each is undone, and its guest is as before. */
static int cancel_starts(struct error **e)
{
	struct guest *guest;
	int rc = 0;

	manager.changes_order = true;
	TAILQ_FOREACH(guest, &guests.list, link)
		if (guest->progress == GUEST_WORKING && guest->task)
			task_cancel(guest->task);
	while (rc == 0 && manager.working)
		rc = cond_wait(&manager.changed, TASK_FOREVER);
	manager.changes_order = false;
	return rc ? error_set(e, rc, "The guests are not shut down: xend stops.") : 0;
}

int guests_order_stop(struct request *asker, struct error **e)
{
	int rc = recover_wait(asker, e);

	if (rc)
		return rc;
	if (!guests_are_stopping() && !manager.changes_order) {
		rc = cancel_starts(e);
		if (rc)
			return rc;
		domains_refresh();
		log_info("The guests of the host are shut down or suspended.");
		plan(GUESTS_STOP);
	}
	start_manager();
	return 0;
}

void guests_describe(struct json_object *result)
{
	struct json_object *list = json_new_array();
	struct guest *guest;

	json_set_string(result, "order", guests_order_name(guests.order));
	json_set_bool(result, "finished", is_finished());
	TAILQ_FOREACH(guest, &guests.list, link) {
		struct json_object *o = guest_to_json(guest);

		if (guest->progress == GUEST_WAITING && guest->path && !guest->config)
			json_set_bool(o, "file_wanted", true);
		if (guest->progress == GUEST_WORKING && guests.order == GUESTS_STOP)
			json_set_int(o, "seconds_left", guest_seconds_left(guest));
		json_append(list, o);
	}
	json_set(result, "guests", list);
}

/* --- when xend starts --- */

void guests_load(void)
{
	struct guest *guest;

	cond_init(&manager.changed);
	guests_read(&guests, GUESTS_JOURNAL, record_boot());
	TAILQ_FOREACH(guest, &guests.list, link) {
		const struct domain *domain =
			guest->path ? domain_by_name(guest->name) : domain_by_uuid(guest->uuid);

		if (guest->progress == GUEST_WORKING)
			guest->progress =
				guests.order == GUESTS_START && guests_plan_was_started(domain) ?
					GUEST_DONE :
					GUEST_WAITING;
	}
	if (guests.order != GUESTS_NONE)
		write_journal();
}

void guests_go_on(void)
{
	if (guests.order == GUESTS_NONE || is_finished())
		return;
	log_info("The order to the host's guests goes on: %s.", guests_order_name(guests.order));
	start_manager();
}
