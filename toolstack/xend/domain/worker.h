/* SPDX-License-Identifier: MIT */
/* xend-worker: the process that builds, saves or restores one domain, so that xend itself never
 * waits. */
#ifndef XEND_RUNTIME_WORKER_H
#define XEND_RUNTIME_WORKER_H

#include "lib/error.h"
#include "lib/json.h"

struct domain;
struct request;

#define WORKER_PATH	"/usr/lib/xenolith/xend-worker"
#define WORKER_PATH_ENV "XEND_WORKER" /* another path, for tests */

/* Says in an order which domain it is about: the number, and the UUID that the worker looks at
 * before it begins. */
void worker_name_domain(struct json_object *order, const struct domain *domain);

/*
 * Runs the worker with one request, in a task. fd becomes its descriptor 3 (-1: none). Progress
 * goes to `asker`, which may be NULL. *result is to be put. Cancelling the task kills the worker.
 */
int worker_run(struct json_object *order, int fd, struct request *asker,
	       struct json_object **result, struct error **e);

#endif
