/* SPDX-License-Identifier: MIT */
/*
 * The end of a move at which the domain arrives.
 *
 * The domain's state is all that counts (domain.h): COMPLETE, ARRIVED, then it runs. Each is on the
 * disk before the source hears of it. A connection that breaks changes nothing; the source comes
 * again with the number of the move.
 */
#include "xend/migrate/target.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "xend/device/announce.h"
#include "xend/domain/acquire.h"
#include "xend/domain/boot.h"
#include "xend/domain/domain.h"
#include "xend/domain/move.h"
#include "xend/domain/record.h"
#include "xend/domain/recover.h"
#include "xend/migrate/arrival.h"
#include "xend/migrate/images.h"
#include "xend/migrate/names.h"
#include "xend/migrate/offer.h"
#include "xend/migrate/peer.h"
#include "xend/runtime/task.h"

/* Milliseconds for the next line of a source that only has to send it. */
#define PATIENCE 30000

static const char operation[] = "arrive";

/* --- complete, arrived, running --- */

/*
 * It is this host's, and the source has closed its disks. `surely`: as it says itself; else the
 * move stays in the record, as the answer to a source that asks.
 */
static int begin(struct domain *domain, bool surely, struct error **e)
{
	struct move *move = domain->move;
	char *temporary = domain->name;
	int rc;

	domain->name = domain->old_name;
	domain->old_name = NULL;
	domain->move = surely ? NULL : move;
	rc = domain_boot_begin(domain, &move->size, e);
	if (rc) {
		domain->old_name = domain->name;
		domain->name = temporary;
		domain->move = move;
		record_write_anyway(domain);
		return rc;
	}
	free(temporary);
	announce_interfaces(domain);
	if (surely)
		move_free(move);
	return 0;
}

static int say(struct peer *peer, const char *word)
{
	return peer_say(peer, peer_line(word), NULL);
}

/* The source has given it away. From here on only this host may run it. */
static int take(struct domain *domain, struct peer *peer)
{
	struct error *e = NULL;

	if (domain->state == DOMAIN_COMPLETE) {
		domain_set_state(domain, DOMAIN_ARRIVED);
		if (record_write(domain, &e)) {
			/* It may be on the disk all the same: no answer, and the source asks. */
			log_error("Domain %s: %s", domain->name, error_text(e));
			error_free(&e);
			return -EIO;
		}
	}
	return say(peer, "arrived");
}

/* The source goes on with it. */
static int forget(struct domain *domain, struct peer *peer)
{
	if (domain->state != DOMAIN_COMPLETE || domain_tear_down(domain, NULL))
		return -EPROTO;
	log_info("Domain %s goes on at %s; its copy here is gone.", domain->name,
		 domain->move->host);
	domain->managed = false;
	domain_set_reason(domain, NULL);
	domain_settle(domain);
	return say(peer, "unknown");
}

static int run(struct domain *domain, struct peer *peer)
{
	struct error *e = NULL;

	if (domain->state == DOMAIN_RUNNING) {
		/* It has been kept. Now the source knows. */
		move_free(domain->move);
		domain->move = NULL;
		record_write_anyway(domain);
		return say(peer, "runs");
	}
	/* They may lie where the other host can write, too. */
	if (images_check_again(domain->config, &e) == 0 && begin(domain, true, &e) == 0)
		return say(peer, "runs");
	peer_refuse(peer, error_text(e));
	error_free(&e);
	return -EIO;
}

/* One line of the source. Not 0: the conversation is over. */
static int answer(struct domain *domain, struct peer *peer, const char *word)
{
	bool complete = domain->state == DOMAIN_COMPLETE;

	if (strcmp(word, "ask") == 0)
		return say(peer, complete ? "received" : "arrived");
	if (strcmp(word, "go") == 0)
		return take(domain, peer);
	if (strcmp(word, "closed") == 0 && !complete)
		return run(domain, peer);
	if (strcmp(word, "drop") == 0)
		return forget(domain, peer);
	return -EPROTO;
}

/* Until the domain runs or is gone, or the connection is. */
static void converse(struct domain *domain, struct peer *peer)
{
	struct json_object *line;
	const char *word;
	int rc = 0;

	while (rc == 0 && !domain->gone && domain->move) {
		rc = peer_hear(peer, TASK_FOREVER, &word, &line, NULL);
		if (rc == 0) {
			bool before = task_shield(true);

			rc = answer(domain, peer, word);
			task_shield(before);
		}
		json_object_put(line);
	}
}

/* Nobody has said yet whose it is, or that its disks are free. */
static void say_in_doubt(struct domain *domain)
{
	if (domain->gone || !domain->move || domain->state == DOMAIN_RUNNING || domain->reason)
		return;
	domain_set_reason(domain,
			  "it has come from %s as a whole, and waits until %s has let go of it. If "
			  "%s is gone for good, `xm migrate-keep %s' starts it here.",
			  domain->move->host, domain->move->host, domain->move->host, domain->name);
	record_write_anyway(domain);
}

int target_keep(struct domain *domain, struct error **e)
{
	int rc;

	log_warning("Domain %s is started, because somebody says that %s will never have it again.",
		    domain->name, domain->move->host);
	domain_set_state(domain, DOMAIN_ARRIVED);
	rc = record_write(domain, e);
	return rc ? rc : begin(domain, false, e);
}

/* --- a connection about a move that has begun --- */

static struct domain *find(const char *id)
{
	struct domain *domain;

	TAILQ_FOREACH(domain, &domains, link)
		if (domain->move && domain->move->incoming && strcmp(domain->move->id, id) == 0)
			return domain_ref(domain);
	return NULL;
}

static void serve_again(struct peer *peer, struct json_object *line, const char *word)
{
	struct domain *domain;
	const char *id;

	if (json_get_string(line, "move", &id, NULL))
		return;
	domain = find(id);
	/* The task of an older connection lets go of the domain. */
	if (domain && domain->move->peer)
		peer_hang_up(domain->move->peer);
	if (domain && domain_lock(domain, operation, NULL)) {
		domain_unref(domain);
		domain = NULL;
	}
	if (domain && (!domain->move || domain->domid < 0)) {
		domain_release(domain);
		domain = NULL;
	}
	if (!domain) {
		say(peer, "unknown");
		return;
	}
	domain->move->peer = peer;
	if (answer(domain, peer, word) == 0)
		converse(domain, peer);
	say_in_doubt(domain);
	if (domain->move)
		domain->move->peer = NULL;
	domain_release(domain);
}

/* --- a new one --- */

/* There is memory for it: the source may suspend it, and send. */
static int say_ready(void *arg, struct error **e)
{
	struct peer *peer = arg;
	int rc = peer_say(peer, peer_line("ready"), e);

	return rc ? rc : peer_lend(peer, e);
}

static int fill(struct domain *domain, struct peer *peer, bool resumes_afresh, struct error **e)
{
	struct boot boot = { .resumes_afresh = resumes_afresh,
			     .image_fd = peer_fd(peer),
			     .size = &domain->move->size,
			     .ready = say_ready,
			     .ready_arg = peer };
	int rc = domain_boot_receive(domain, &boot, e);

	peer_take_back(peer);
	if (rc)
		return rc;
	domain_set_state(domain, DOMAIN_COMPLETE);
	rc = record_write(domain, e);
	if (rc)
		domain_tear_down(domain, NULL);
	return rc;
}

/* Takes the offer's configuration over. *domain: new, locked, under its temporary name. */
static int admit(struct offer *offer, struct peer *peer, struct domain **out, struct error **e)
{
	struct config *config = offer->config;
	struct domain *domain;
	int rc;

	offer->config = NULL;
	rc = domain_admit(config, operation, &domain, e);
	if (rc)
		return rc;
	domain->old_name = domain->name;
	domain->name = arriving_name(domain->old_name);
	domain->managed = offer->managed;
	domain->move = move_new(offer->move, true, peer_name(peer), 0);
	domain->move->size = offer->size;
	domain->move->peer = peer;
	*out = domain;
	return 0;
}

static void receive(struct peer *peer, struct offer *offer)
{
	struct domain *domain = NULL;
	struct error *e = NULL;
	int rc = admit(offer, peer, &domain, &e);

	if (rc == 0) {
		log_info("Domain %s comes from %s.", domain->old_name, peer_name(peer));
		rc = fill(domain, peer, offer->resumes_afresh, &e);
	}
	if (rc) {
		log_error("%s is not taken over from %s: %s",
			  domain ? domain->old_name : "A domain", peer_name(peer), error_text(e));
		peer_refuse(peer, error_text(e));
	} else {
		if (say(peer, "received") == 0)
			converse(domain, peer);
		say_in_doubt(domain);
	}
	error_free(&e);
	if (!domain)
		return;
	if (rc) {
		/* Whether or not it is managed at the source: it has never been here. */
		domain->managed = false;
		domain_set_reason(domain, NULL);
		domain_settle(domain);
	}
	if (domain->move)
		domain->move->peer = NULL;
	domain_release(domain);
}

static void serve_offer(struct peer *peer, struct json_object *line)
{
	struct json_object *reasons, *answer = peer_line("reasons"), *next = NULL;
	struct offer offer;
	struct error *e = NULL;
	const char *word;
	bool none;

	if (offer_read(&offer, line, &e)) {
		reasons = json_new_array();
		json_append(reasons, json_new_string(error_text(e)));
		error_free(&e);
	} else {
		reasons = arrival_reasons(&offer);
	}
	none = json_object_array_length(reasons) == 0;
	json_set(answer, "reasons", reasons);
	if (peer_say(peer, answer, NULL) == 0 && none &&
	    peer_hear(peer, task_deadline(PATIENCE), &word, &next, NULL) == 0 &&
	    strcmp(word, "begin") == 0)
		receive(peer, &offer);
	json_object_put(next);
	offer_free(&offer);
}

void target_serve(struct peer *peer)
{
	struct json_object *line;
	const char *word;

	if (recover_wait(NULL, NULL) ||
	    peer_hear(peer, task_deadline(PATIENCE), &word, &line, NULL))
		return;
	if (strcmp(word, "offer") == 0)
		serve_offer(peer, line);
	else
		serve_again(peer, line, word);
	json_object_put(line);
}
