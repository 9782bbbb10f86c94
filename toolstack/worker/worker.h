/* SPDX-License-Identifier: MIT */
/*
 * xend-worker: one process for each long job. It reads one JSON object from stdin and reports
 * progress as lines of JSON on stdout. The last line is {"result":{...}} (exit status 0) or
 * {"error":"sentence","errno":N} (exit status 1).
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include <stdint.h>

#include "lib/error.h"
#include "lib/json.h"

/* An operation: returns 0 with members set in result, or -errno with *e. */
typedef int worker_op_fn(struct json_object *request, struct json_object *result, struct error **e);

worker_op_fn op_build;
worker_op_fn op_save;
worker_op_fn op_restore;
worker_op_fn op_dump;
worker_op_fn op_resume;
worker_op_fn op_screen;

/*
 * Prints {"progress":{"stage":...,"done":...,"total":...}}, at most about a hundred times a stage.
 * stage: a constant string, compared by address.
 */
void worker_progress(const char *stage, uint64_t done, uint64_t total);

/* The same with numbers in "numbers", which it takes over; the caller bounds how many. */
void worker_progress_numbers(const char *stage, uint64_t done, uint64_t total,
			     struct json_object *numbers);

/*
 * Prints {"request":WHAT} and waits for a line on stdin. 0 when it is "done", -ECANCELED when it is
 * another one, -EPIPE at the end of input.
 */
int worker_ask(const char *what, struct error **e);

#endif
