/* SPDX-License-Identifier: MIT */
/*
 * The end of a move from which the domain goes (docs/design/migration.md). It decides, and asks
 * until it knows.
 */
#ifndef XEND_MIGRATE_SOURCE_H
#define XEND_MIGRATE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/json.h"

struct domain;
struct request;

/* Whether the guest runs while its memory is sent. */
enum migrate_live {
	LIVE_IF_POSSIBLE,
	LIVE_ALWAYS, /* rather not at all than standing still */
	LIVE_NEVER,
};

struct migrate_order {
	const char *host;
	unsigned int port;
	bool tls;   /* not as it is */
	bool check; /* only asks whether it could */
	enum migrate_live live;
	uint64_t downtime_ms; /* that it may stand still for in the last round */
	bool strict;	      /* rather not at all than longer */
	bool throttle;	      /* it may be slowed */
	uint64_t timeout_ms;  /* until it stands still; 0: none */
	uint64_t rate;	      /* bytes a second; 0: no limit */
};

/*
 * In a task that holds the domain's lock. After success the domain is no longer in the list (the
 * caller keeps its reference), and `result` has the report; with `check` nothing has changed.
 *
 * After an error the domain runs on here, unless its state is DOMAIN_HANDED_OVER, or its goal
 * GOAL_MOVED: then the connection broke at a moment that leaves it open who has the domain, or
 * whether the other host knows, and a task of its own has taken the lock over to find out. The
 * error says so.
 */
int migrate_domain(struct domain *domain, const struct migrate_order *order, struct request *asker,
		   struct json_object *result, struct error **e);

/* When xend starts, after recovery: tasks for the moves that the last xend has left open. */
void migrate_go_on(void);

#endif
