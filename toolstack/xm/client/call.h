/* SPDX-License-Identifier: MIT */
/* Asking xend and reporting its refusal, as nearly every command does. */
#ifndef XM_CLIENT_CALL_H
#define XM_CLIENT_CALL_H

#include <json.h>
#include <stdbool.h>

#include "xm/client/answer.h"
#include "xm/client/client.h"

/*
 * The process's one connection; the first call opens it. Returns NULL after an error message when
 * that fails.
 */
struct client *xm_client(void);

/*
 * The same for a command with several domains, which goes on when one of them is refused: whether
 * xend can be asked at all. The error message then comes once, not for each domain.
 */
bool xm_can_ask(void);

/*
 * Ask xend, and show progress on a terminal as "WHAT: ..." (no progress when `what` is NULL).
 * Returns the result, which the caller owns, or NULL after an error message on stderr. `params` is
 * consumed.
 */
struct json_object *xm_call(const char *method, struct json_object *params, const char *what);

/* What a command shows while xend works, in place of the line of progress. */
struct xm_show {
	client_progress *progress;
	/* Puts the terminal in order before anything is said. `done`: there is a result. */
	void (*end)(bool done);
};

/* xm_call() with what the command itself shows; `what` is the `data` of its progress. */
struct json_object *xm_call_showing(const char *method, struct json_object *params,
				    const char *what, const struct xm_show *show);

/* xm_call() for a request whose result does not matter. Returns an enum xm_status. */
int xm_order(const char *method, struct json_object *params, const char *what);

/* A new object with the parameter "domain". */
struct json_object *xm_domain_params(const char *domain);

/* Print a value as JSON, indented. Returns XM_OK. */
int xm_print_json(struct json_object *value);

#endif
