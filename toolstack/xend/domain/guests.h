/* SPDX-License-Identifier: MIT */
/*
 * The guests of a host start and end with the host. An order goes to all of them: `guests.start`
 * when the host starts, `guests.stop` when it stops. Each guest is an item of the order with a task
 * of its own, so nothing that happens to one of them concerns the others.
 *
 * The journal in /run/xend names the order and how far each guest is. The next xend goes on with it
 * when this one is killed; the host's next boot finds none. A guest whose start is done is not
 * started again in this boot, whatever has become of it since.
 */
#ifndef XEND_DOMAIN_GUESTS_H
#define XEND_DOMAIN_GUESTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "lib/error.h"
#include "lib/json.h"
#include "xend/domain/guests_plan.h"
#include "xend/runtime/task.h"

struct config;
struct request;

#define GUESTS_JOURNAL "/run/xend/guests.json"

enum guests_order { GUESTS_NONE, GUESTS_START, GUESTS_STOP, GUESTS_ORDERS };

enum guest_progress { GUEST_WAITING, GUEST_WORKING, GUEST_DONE, GUEST_FAILED, GUEST_PROGRESSES };

struct guest {
	TAILQ_ENTRY(guest) link;
	enum guest_action action;
	enum guest_progress progress;
	char *name;
	uint8_t uuid[16]; /* all zeros: it is made from a file */
	char *path;	  /* the file; NULL: xend has or had the domain */
	/* What the file says. NULL: not a file, started, or xend was killed: it is wanted again. */
	struct config *config;
	int64_t asked; /* when it was asked to end, by the host's clock since boot; 0: not yet */
	char *why;     /* what went wrong */
	struct task *task;
	bool rests; /* its task waits for a domain that serves it: others may work meanwhile */
};

TAILQ_HEAD(guest_list, guest);

struct guests {
	enum guests_order order;
	struct guest_list list;
};

/* --- orders (guests.c) --- */

/*
 * The start of the host: what was suspended with the host, and what on_xend_start says. Returns
 * once the journal has it. A second one in the same boot only goes on with the first.
 */
int guests_order_start(struct request *asker, struct error **e);
/* After that: one file of /etc/xen/auto. Takes the configuration over. */
int guests_order_file(const char *path, struct config *config, struct error **e);
/*
 * A file that cannot be used is a guest that failed, with this reason: its action is GUEST_NOTHING.
 * Once it can be used, guests_order_file starts it all the same.
 */
int guests_order_bad_file(const char *path, const char *reason, struct error **e);
/* The end of the host. Undoes starts that are under way. */
int guests_order_stop(struct request *asker, struct error **e);
/* Puts the order and its guests into the result of guests.status. */
void guests_describe(struct json_object *result);

/* While the host's guests end, no domain starts (-EBUSY) and none restarts. */
bool guests_are_stopping(void);
int guests_allow_boot(const struct domain *domain, struct error **e);

/*
 * When xend starts. guests_load reads the journal, after the records and before recovery changes
 * any; guests_go_on, in a task after recovery, goes on with the order.
 */
void guests_load(void);
void guests_go_on(void);

/* --- one guest; in its task (guests_start.c, guests_stop.c) --- */

/* 0 or -errno with a sentence; it goes on later if xend stops meanwhile. */
int guest_start(struct guest *guest, struct error **e);
/* Suspends it, or shuts it down. Changes the action of one that could not be suspended. */
int guest_stop(struct guest *guest, struct error **e);
/* Seconds that it has left to do as it was told; -1: it has not been told. */
int64_t guest_seconds_left(const struct guest *guest);

/* --- who comes before whom (guests_sequence.c) --- */

/* Whether another guest of the order, which is not through yet, comes first. */
bool guests_must_wait(const struct guests *guests, const struct guest *guest);
/* The domains, by name or number, that serve its devices. Begin with *at = 0; NULL: no more. */
const char *guest_next_server(const struct guest *guest, size_t *at);

/* --- the journal (guests_journal.c) --- */

struct guest *guests_add(struct guests *guests, enum guest_action action, const char *name);
void guests_clear(struct guests *guests);
/* A failure goes to the log: the order goes on, only a killed xend would not. */
void guests_write(const struct guests *guests, const char *path, const char *boot);
/* Reads a journal of this boot. Anything else is as if there was none. */
void guests_read(struct guests *guests, const char *path, const char *boot);
/* The guest as guests.status and the journal have it. */
struct json_object *guest_to_json(const struct guest *guest);
const char *guests_order_name(enum guests_order order);

#endif
