/* SPDX-License-Identifier: MIT */
/*
 * The end of a move from which the domain goes (docs/design/migration.md). It decides, and asks
 * until it knows.
 */
#ifndef XEND_MIGRATE_SOURCE_H
#define XEND_MIGRATE_SOURCE_H

#include <stdbool.h>

#include "lib/error.h"
#include "lib/json.h"

struct domain;
struct request;

struct migrate_order {
	const char *host;
	unsigned int port;
	bool check; /* only asks whether it could */
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
