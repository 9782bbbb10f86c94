/* SPDX-License-Identifier: MIT */
/*
 * The hand-over, from the source. tests/model/migrate_handover.pml is the same with nothing else in
 * it: HANDED_OVER is DOMAIN_HANDED_OVER, AWAY is GOAL_MOVED.
 */
#include "xend/migrate/handover.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "lib/log.h"
#include "protocol.h"
#include "xend/console/console.h"
#include "xend/domain/boot.h"
#include "xend/domain/domain.h"
#include "xend/domain/freeze.h"
#include "xend/domain/move.h"
#include "xend/domain/record.h"
#include "xend/migrate/peer.h"
#include "xend/migrate/source.h"
#include "xend/runtime/task.h"
#include "xend/xend.h"

/* Milliseconds for an answer: the target starts the guest's devices for the last one. */
#define PATIENCE 120000
/* Milliseconds between two questions: the first, and the most. Between two looks whether xend
 * stops. */
#define RETRY_FIRST 2000
#define RETRY_MOST  30000
#define RETRY_LOOK  250

/* What is certain after a conversation. */
enum outcome {
	UNKNOWN, /* not who has the guest, or not whether the target knows */
	MOVED,
	STAYED
};

static int say(struct peer *peer, const char *word)
{
	return peer_say(peer, peer_line(word), NULL);
}

/* --- one conversation --- */

static bool is_away(const struct domain *domain)
{
	return domain->goal == GOAL_MOVED;
}

/*
 * The target says that the guest is its own. Once the record agrees, the disks are closed. The
 * memory goes later, so that the guest does not wait for it.
 */
static int give_away(struct domain *domain, struct peer *peer)
{
	struct error *e = NULL;
	int rc;

	domain->goal = GOAL_MOVED;
	rc = domain_close(domain, &e);
	if (rc) {
		domain->goal = GOAL_REST;
		log_error("Domain %s: %s", domain->name, error_text(e));
	}
	error_free(&e);
	return rc ? rc : say(peer, "closed");
}

/* One line of the target's; *rc: an error of the connection. */
static enum outcome judge(struct domain *domain, struct peer *peer, const char *word, int *rc)
{
	bool away = is_away(domain);

	if (strcmp(word, "received") == 0 && !away)
		*rc = say(peer, "go");
	else if (strcmp(word, "arrived") == 0 && !away)
		*rc = give_away(domain, peer);
	else if (strcmp(word, "arrived") == 0)
		*rc = say(peer, "closed");
	else if (strcmp(word, "runs") == 0 && away)
		return MOVED;
	else if (strcmp(word, "unknown") == 0)
		return away ? MOVED : STAYED;
	else
		*rc = -EPROTO;
	return UNKNOWN;
}

static enum outcome talk(struct domain *domain, struct peer *peer, const char *first,
			 struct error **e)
{
	struct json_object *line = peer_line(first);
	enum outcome outcome = UNKNOWN;
	const char *word;
	int rc;

	json_set_string(line, "move", domain->move->id);
	rc = peer_say(peer, line, e);
	while (rc == 0 && outcome == UNKNOWN) {
		rc = peer_hear(peer, task_deadline(PATIENCE), &word, &line, e);
		if (rc == 0)
			outcome = judge(domain, peer, word, &rc);
		json_object_put(line);
	}
	/* The guest is the target's, which has tried to start it. */
	return rc == -EREMOTEIO && is_away(domain) ? MOVED : outcome;
}

/* --- the ends --- */

/* The last record of it goes. */
static void forget(struct domain *domain)
{
	if (domain->domid >= 0 && domain_tear_down(domain, NULL))
		return;
	log_info("Domain %s is at %s now.", domain->name, domain->move->host);
	domain->goal = GOAL_REST;
	domain->managed = false;
	domain_set_reason(domain, NULL);
	domain_settle(domain);
}

static bool drop(const struct domain *domain, struct peer *peer)
{
	struct json_object *line = peer_line("drop");
	const char *word;
	bool done;

	json_set_string(line, "move", domain->move->id);
	if (peer_say(peer, line, NULL) ||
	    peer_hear(peer, task_deadline(PATIENCE), &word, &line, NULL))
		return false;
	done = strcmp(word, "unknown") == 0;
	json_object_put(line);
	return done;
}

/* The guest goes on. */
static void run_on(struct domain *domain)
{
	struct error *e = NULL;

	domain->goal = GOAL_REST;
	domain_set_reason(domain, NULL);
	if (domain->domid < 0) {
		domain_settle(domain);
		return;
	}
	if (!domain->console && console_attach(domain, &e))
		log_error("Domain %s goes on without its console: %s", domain->name, error_text(e));
	error_free(&e);
	if (freeze_end(domain, &e))
		log_error("Domain %s: %s", domain->name, error_text(e));
	else
		log_info("Domain %s runs on; it was not moved.", domain->name);
	error_free(&e);
}

static void not_moved(struct domain *domain)
{
	run_on(domain);
	move_free(domain->move);
	domain->move = NULL;
	if (!domain->gone)
		record_write_anyway(domain);
}

/* --- until it is certain --- */

static bool wait_before_retry(const struct domain *domain, const struct move *move,
			      uint64_t *interval)
{
	uint64_t deadline = task_deadline(*interval);

	*interval = *interval * 2 < RETRY_MOST ? *interval * 2 : RETRY_MOST;
	while (!xend_is_stopping() && task_now() < deadline && domain->move == move && !move->keep)
		if (task_sleep(RETRY_LOOK))
			return false;
	return !xend_is_stopping();
}

static struct peer *reach(const struct domain *domain)
{
	struct peer *peer = NULL;
	struct error *e = NULL;

	if (peer_connect(domain->move->host, domain->move->port,
			 domain->move->tls ? PEER_TLS : PEER_PLAIN, &peer, &e))
		log_debug("%s", error_text(e));
	error_free(&e);
	return peer;
}

static void say_in_doubt(struct domain *domain)
{
	if (is_away(domain))
		domain_set_reason(domain,
				  "it has moved to %s, which has not been told yet that its disks "
				  "are closed here. xend asks until it answers.",
				  domain->move->host);
	else
		domain_set_reason(domain,
				  "it was handed over to %s, which has not said yet that it has "
				  "it. xend asks until it answers; until then it stands still. If "
				  "%s is gone for good, `xm migrate-keep %s' lets it go on here.",
				  domain->move->host, domain->move->host, domain->name);
	record_write_anyway(domain);
}

/* By a person's word. What is the target's for certain is so still. */
static bool is_kept(const struct domain *domain)
{
	return domain->move->keep && !is_away(domain);
}

static void keep(struct domain *domain);

static void doubt_task(void *arg)
{
	struct domain *domain = arg;
	enum outcome outcome = UNKNOWN;
	uint64_t interval = RETRY_FIRST;

	domain->task = task_current();
	task_shield(true);
	while (outcome == UNKNOWN && !is_kept(domain) &&
	       wait_before_retry(domain, domain->move, &interval) && !is_kept(domain)) {
		struct peer *peer = reach(domain);

		if (peer)
			outcome = talk(domain, peer, "ask", NULL);
		peer_free(peer);
	}
	if (outcome == UNKNOWN && is_kept(domain))
		keep(domain);
	else if (outcome == MOVED)
		forget(domain);
	else if (outcome == STAYED)
		not_moved(domain);
	domain_unlock(domain);
	domain_unref(domain);
}

/* Says "drop" until it is understood. The domain is not locked: it runs, and may end. */
static void drop_task(void *arg)
{
	struct domain *domain = arg;
	const struct move *move = domain->move;
	uint64_t interval = RETRY_FIRST / 4;
	bool done = false;

	while (!done && wait_before_retry(domain, move, &interval) && !domain->gone &&
	       domain->move == move) {
		struct peer *peer = reach(domain);

		if (peer && domain->move == move)
			done = drop(domain, peer);
		peer_free(peer);
	}
	if (done && domain_lock(domain, "migrate", NULL) == 0) {
		if (domain->move == move) {
			move_free(domain->move);
			domain->move = NULL;
			record_write_anyway(domain);
		}
		domain_unlock(domain);
	}
	domain_unref(domain);
}

static void start_dropping(struct domain *domain)
{
	if (!task_start(drop_task, domain_ref(domain)))
		domain_unref(domain);
}

/* The task has the lock from now on. */
static void start_asking(struct domain *domain)
{
	domain->task = NULL;
	if (task_start(doubt_task, domain_ref(domain)))
		return;
	log_error("Domain %s: there is no memory to ask %s; the next xend does.", domain->name,
		  domain->move->host);
	domain_unref(domain);
}

/* The target may have all of it still, and must be told. */
static void keep(struct domain *domain)
{
	log_warning("Domain %s goes on here, because somebody says that %s will never have it.",
		    domain->name, domain->move->host);
	domain->move->keep = false;
	run_on(domain);
	if (domain->gone)
		return;
	record_write_anyway(domain);
	start_dropping(domain);
}

void handover_take_back(struct domain *domain, struct peer *peer)
{
	/* A worker may have left half a record there; a line would be read as the rest of it. */
	peer_hang_up(peer);
	run_on(domain);
	record_write_anyway(domain);
	start_dropping(domain);
}

int handover_run(struct domain *domain, struct peer *peer, struct json_object *result,
		 struct error **e)
{
	struct error *why = NULL;
	enum outcome outcome;
	int rc;

	domain_set_state(domain, DOMAIN_HANDED_OVER);
	rc = record_write(domain, e);
	if (rc) {
		/* The old record lets a next xend do the same. */
		handover_take_back(domain, peer);
		return rc;
	}
	outcome = talk(domain, peer, "go", &why);
	if (outcome == MOVED) {
		json_set_int(result, XEND_MV_DOWNTIME_MS,
			     (int64_t)(task_now() - domain->move->suspended_at));
		if (why)
			json_set_string(result, XEND_D_WARNING, error_text(why));
		forget(domain);
	} else if (outcome == STAYED) {
		not_moved(domain);
		rc = error_set(e, EIO, "%s does not have domain '%s' any more. It goes on here.",
			       peer_name(peer), domain->name);
	} else {
		rc = error_set(e, EIO,
			       "The connection with %s broke while domain '%s' was handed over. It "
			       "is kept, and xend asks %s until it answers: `xm list' shows what "
			       "became of it.",
			       peer_name(peer), domain->name, peer_name(peer));
		say_in_doubt(domain);
		start_asking(domain);
	}
	error_free(&why);
	return rc;
}

void migrate_go_on(void)
{
	struct domain *domain;

	TAILQ_FOREACH(domain, &domains, link) {
		if (!domain->move || domain->move->incoming)
			continue;
		if (domain->state == DOMAIN_HANDED_OVER || is_away(domain)) {
			if (domain_lock_now(domain, "migrate") == 0)
				start_asking(domain);
		} else {
			start_dropping(domain);
		}
	}
}
