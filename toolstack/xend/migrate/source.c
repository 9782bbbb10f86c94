/* SPDX-License-Identifier: MIT */
/* The end of a move from which the domain goes: up to the moment at which it is handed over. */
#include "xend/migrate/source.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "config/config.h"
#include "lib/log.h"
#include "lib/str.h"
#include "protocol.h"
#include "xend/domain/domain.h"
#include "xend/domain/freeze.h"
#include "xend/domain/layout.h"
#include "xend/domain/live.h"
#include "xend/domain/measure.h"
#include "xend/domain/move.h"
#include "xend/domain/record.h"
#include "xend/domain/worker.h"
#include "xend/migrate/handover.h"
#include "xend/migrate/offer.h"
#include "xend/migrate/peer.h"
#include "xend/runtime/request.h"
#include "xend/runtime/task.h"

/* Milliseconds: for the target's checks, and for it to find memory. */
#define CHECK_PATIENCE 120000
/* For the target to finish what it has read. */
#define FINISH_PATIENCE 120000

static int make_id(char id[MOVE_ID], struct error **e)
{
	uint8_t bytes[(MOVE_ID - 1) / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return error_set(e, EIO, "There are no random numbers to be had.");
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(id + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

/* The next line must be `word`. */
static int expect(struct peer *peer, uint64_t patience, const char *word, struct error **e)
{
	struct json_object *line;
	const char *said;
	int rc = peer_hear(peer, task_deadline(patience), &said, &line, e);

	if (rc == 0 && strcmp(said, word) != 0)
		rc = error_set(e, EPROTO, "%s says '%.20s' in place of '%s'.", peer_name(peer),
			       said, word);
	json_object_put(line);
	return rc;
}

/* --- the offer --- */

static int say_offer(struct domain *domain, struct peer *peer, const char *id, struct error **e)
{
	struct hv_cpu_policy policy;
	struct domain_size size;
	int rc = measure_domain(domain, &size, e);

	if (rc == 0)
		rc = hv_policy_get_domain(domain_hv, (uint32_t)domain->domid, &policy, e);
	if (rc)
		return rc;
	rc = peer_say(peer, offer_line(id, domain, &size, &policy), e);
	hv_policy_free(&policy);
	return rc;
}

/* One sentence of all reasons. */
static int refused(const struct domain *domain, struct peer *peer, struct json_object *reasons,
		   struct error **e)
{
	struct str s = STR_INIT;
	int rc;

	for (size_t i = 0; i < json_object_array_length(reasons); i++) {
		struct json_object *reason = json_object_array_get_idx(reasons, i);

		str_add(&s, s.len ? "\n  " : "  ");
		str_add_shown(&s, json_object_get_string(reason), 1000);
	}
	rc = error_set(e, EBADFD, "Domain '%s' cannot go to %s:\n%s", domain->name, peer_name(peer),
		       str_text(&s));
	str_free(&s);
	return rc;
}

static int hear_reasons(const struct domain *domain, struct peer *peer, struct error **e)
{
	struct json_object *line, *reasons;
	const char *word;
	int rc = peer_hear(peer, task_deadline(CHECK_PATIENCE), &word, &line, e);

	if (rc)
		return rc;
	rc = json_get_typed(line, "reasons", json_type_array, &reasons, e);
	if (rc == 0 && json_object_array_length(reasons))
		rc = refused(domain, peer, reasons, e);
	json_object_put(line);
	return rc;
}

/* --- the memory --- */

/* The worker has sent so much of it that the rest goes in a moment. */
static int suspend_now(void *arg, const char *what, struct error **e)
{
	struct domain *domain = arg;
	int rc = freeze_domain(domain, e);

	domain->move->suspended_at = task_now();
	return rc;
}

static struct json_object *live_order(const struct domain *domain,
				      const struct migrate_order *order)
{
	struct json_object *o = json_new_object();

	json_set_int(o, "downtime_ms", (int64_t)order->downtime_ms);
	json_set_bool(o, "strict", order->strict);
	json_set_bool(o, "throttle", order->throttle);
	json_set_int(o, "timeout_ms", (int64_t)order->timeout_ms);
	json_set_int(o, "rate", (int64_t)order->rate);
	json_set_int(o, "cap", domain->move->cap);
	json_set_bool(o, "must", order->live == LIVE_ALWAYS);
	return o;
}

/* What the worker says of it, for the report. */
static void copy_report(struct json_object *to, struct json_object *from, bool live)
{
	static const char *const keys[] = { XEND_MV_LIVE, XEND_MV_WHY_NOT, XEND_MV_ROUNDS,
					    XEND_MV_SENT, XEND_MV_LAST,	   XEND_MV_PERCENT };

	json_set_bool(to, XEND_MV_LIVE, false);
	for (size_t i = 0; live && i < sizeof(keys) / sizeof(keys[0]); i++)
		if (json_find(from, keys[i]))
			json_set(to, keys[i], json_object_get(json_find(from, keys[i])));
}

static int send_memory(struct domain *domain, const struct migrate_order *order, struct peer *peer,
		       struct request *asker, struct json_object *report, struct error **e)
{
	struct json_object *job = json_new_object(), *result = NULL;
	bool live = order->live != LIVE_NEVER;
	int rc = peer_lend(peer, e);

	json_set_string(job, "op", "save");
	worker_name_domain(job, domain);
	json_set_int(job, "fd", 3);
	if (live)
		json_set(job, "live", live_order(domain, order));
	if (rc == 0)
		rc = worker_run_with_help(job, peer_fd(peer), asker, live ? suspend_now : NULL,
					  domain, &result, e);
	peer_take_back(peer);
	if (rc == 0)
		copy_report(report, result, live);
	json_object_put(result);
	json_object_put(job);
	return rc;
}

/*
 * The worker has lost the connection. The target may have said why, and its sentence is the better
 * one.
 */
static void take_their_reason(struct peer *peer, struct error **e)
{
	struct json_object *line;
	struct error *theirs = NULL;
	const char *word;

	if (peer_hear(peer, task_deadline(1000), &word, &line, &theirs) == -EREMOTEIO) {
		error_free(e);
		error_move(e, &theirs);
	}
	error_free(&theirs);
	json_object_put(line);
}

/* From the first change on this side until the target has all of it. */
static int send_guest(struct domain *domain, const struct migrate_order *order, struct peer *peer,
		      struct request *asker, struct json_object *report, struct error **e)
{
	int rc = order->live != LIVE_NEVER ? live_begin(domain, e) : 0;

	domain_set_state(domain, DOMAIN_SAVING);
	if (rc == 0)
		rc = record_write(domain, e);
	if (rc == 0 && order->live == LIVE_NEVER)
		rc = suspend_now(domain, "suspend", e);
	if (rc)
		return rc;
	rc = send_memory(domain, order, peer, asker, report, e);
	if (rc) {
		if (rc != -ECANCELED)
			take_their_reason(peer, e);
		return rc;
	}
	return expect(peer, FINISH_PATIENCE, "received", e);
}

/* --- the whole --- */

static int connect_and_ask(struct domain *domain, const struct migrate_order *order, char *id,
			   struct peer **peer, struct error **e)
{
	int rc = layout_check_known(domain, e);

	if (rc == 0)
		rc = freeze_check(domain, e);
	if (rc == 0)
		rc = make_id(id, e);
	if (rc == 0)
		rc = peer_connect(order->host, order->port, order->tls ? PEER_TLS : PEER_PLAIN,
				  peer, e);
	if (rc == 0)
		rc = say_offer(domain, *peer, id, e);
	return rc ? rc : hear_reasons(domain, *peer, e);
}

static int move(struct domain *domain, const struct migrate_order *order, struct peer *peer,
		const char *id, struct request *asker, struct json_object *result, struct error **e)
{
	int rc = peer_say(peer, peer_line("begin"), e);
	bool before;

	if (rc == 0)
		rc = expect(peer, CHECK_PATIENCE, "ready", e);
	if (rc)
		return rc;
	if (domain->move)
		log_warning("Domain %s: %s has not been told that it goes on here.", domain->name,
			    domain->move->host);
	move_free(domain->move);
	domain->move = move_new(id, false, order->host, order->port);
	domain->move->tls = order->tls;
	rc = send_guest(domain, order, peer, asker, result, e);
	before = task_shield(true);
	if (rc)
		handover_take_back(domain, peer);
	else
		rc = handover_run(domain, peer, result, e);
	task_shield(before);
	return rc;
}

int migrate_domain(struct domain *domain, const struct migrate_order *order, struct request *asker,
		   struct json_object *result, struct error **e)
{
	struct peer *peer = NULL;
	char id[MOVE_ID] = "";
	int rc = connect_and_ask(domain, order, id, &peer, e);

	if (rc == 0 && !order->check) {
		log_info("Domain %s goes to %s.", domain->name, order->host);
		rc = move(domain, order, peer, id, asker, result, e);
	}
	peer_free(peer);
	return rc;
}
