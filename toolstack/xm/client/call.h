/* SPDX-License-Identifier: MIT */
/* What nearly every command does: ask xend, and say so if it refuses. */
#ifndef XM_CLIENT_CALL_H
#define XM_CLIENT_CALL_H

#include <json.h>

#include "xm/client/answer.h"
#include "xm/client/client.h"

/*
 * Connect, say what is wrong if that fails. NULL then. A process has one connection; the first call
 * makes it.
 */
struct client *xm_client(void);

/*
 * Ask xend, with progress on a terminal as "WHAT: ..." (NULL: without). Returns the result, the
 * caller's, or NULL after the error was said on stderr. `params` is consumed.
 */
struct json_object *xm_call(const char *method, struct json_object *params, const char *what);

/* The same for requests whose result says nothing of interest: an enum xm_status. */
int xm_order(const char *method, struct json_object *params, const char *what);

/* A new object with the parameter "domain". */
struct json_object *xm_domain_params(const char *domain);

/* Print a value as JSON, indented. Returns XM_OK. */
int xm_print_json(struct json_object *value);

#endif
