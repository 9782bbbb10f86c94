/* SPDX-License-Identifier: MIT */
/*
 * xend-worker: one process for each long job. It reads one JSON object from stdin, says how far it
 * is in JSON lines on stdout, and ends with a line {"result":{...}} (exit status 0) or
 * {"error":"sentence","errno":N} (1).
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include <stdint.h>

#include "lib/error.h"
#include "lib/json.h"

/* An operation: fills in result. */
typedef int worker_op_fn(struct json_object *request, struct json_object *result, struct error **e);

worker_op_fn op_build;
worker_op_fn op_save;
worker_op_fn op_restore;
worker_op_fn op_dump;

/* Says {"progress":{"stage":...,"done":...,"total":...}}, at most some hundred times for one stage.
 */
void worker_progress(const char *stage, uint64_t done, uint64_t total);

/* Says {"request":WHAT} and waits for the line "done" on stdin. */
int worker_ask(const char *what, struct error **e);

#endif
