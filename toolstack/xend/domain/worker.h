/* SPDX-License-Identifier: MIT */
/*
 * xend-worker: the process that builds, saves, restores or dumps one domain, so that xend itself
 * never blocks.
 */
#ifndef XEND_RUNTIME_WORKER_H
#define XEND_RUNTIME_WORKER_H

#include "lib/error.h"
#include "lib/json.h"

struct domain;
struct request;

#define WORKER_PATH	"/usr/lib/xenolith/xend-worker"
#define WORKER_PATH_ENV "XEND_WORKER" /* another path, for tests */

/*
 * Names the domain in an order: its number, and the UUID that the worker checks before it begins.
 */
void worker_name_domain(struct json_object *order, const struct domain *domain);

/*
 * In a task: runs the worker with one order. fd becomes its descriptor 3 (-1: none). Progress goes
 * to `asker`, which may be NULL. The caller puts *result. Cancelling the task stops the worker:
 * SIGTERM, then SIGKILL.
 *
 * -ENOMEM (also if the worker was killed), -ECANCELED, -ETIMEDOUT, -EOPNOTSUPP; -ENOEXEC for the
 * worker's other failures; or the errors of proc_start().
 */
int worker_run(struct json_object *order, int fd, struct request *asker,
	       struct json_object **result, struct error **e);

/* Does what a worker asks for in the middle of its work, in the caller's task. 0: it goes on. */
typedef int worker_help_fn(void *arg, const char *what, struct error **e);

/*
 * The same for a worker that asks. After an error of `help` the worker is stopped, and the error is
 * that of `help`.
 */
int worker_run_with_help(struct json_object *order, int fd, struct request *asker,
			 worker_help_fn *help, void *arg, struct json_object **result,
			 struct error **e);

#endif
