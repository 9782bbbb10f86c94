/* SPDX-License-Identifier: MIT */
/* Calls xend for a command, over one connection for the whole process, closed at exit. */
#include "xm/client/call.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/json.h"
#include "protocol.h"
#include "xm/command.h"
#include "xm/client/progress.h"

/* A process runs one command, and that command uses one connection. */
static struct client *connection;

static void disconnect(void)
{
	client_close(connection);
	connection = NULL;
}

struct client *xm_client(void)
{
	struct error *error = NULL;

	if (connection)
		return connection;
	if (client_open(&connection, &error)) {
		xm_fail("%s", error_text(error));
		error_free(&error);
		return NULL;
	}
	atexit(disconnect);
	return connection;
}

bool xm_can_ask(void)
{
	return xm_client() != NULL;
}

static void show_progress(void *what, const char *stage, uint64_t done, uint64_t total,
			  struct json_object *numbers)
{
	progress_show(what, stage, done, total);
}

/* After Ctrl-C: says what became of the request, and leaves unless it was done in spite of it. */
static void report_interrupt(const char *what, int rc, const struct error *error)
{
	fprintf(stderr, "%s: %s\n", what,
		rc ? error_text(error) : "It was done before it could be cancelled.");
	if (rc)
		exit(XM_INTERRUPTED);
}

static void end_progress(bool done)
{
	progress_end();
}

struct json_object *xm_call(const char *method, struct json_object *params, const char *what)
{
	static const struct xm_show line = { show_progress, end_progress };

	return xm_call_showing(method, params, what, &line);
}

struct json_object *xm_call_showing(const char *method, struct json_object *params,
				    const char *what, const struct xm_show *show)
{
	struct client *client = xm_client();
	struct json_object *result = NULL;
	struct error *error = NULL;
	bool interrupted;
	int rc;

	if (!client) {
		json_object_put(params);
		return NULL;
	}
	if (what)
		client_cancel_on_interrupt(client);
	rc = client_call(client, method, params, what ? show->progress : NULL, (void *)what,
			 &result, &error);
	show->end(rc == 0);
	interrupted = client_end_interrupts(client);
	if (interrupted)
		report_interrupt(what, rc, error);
	else if (rc)
		xm_fail("%s", error_text(error));
	if (result && json_find(result, XEND_D_WARNING))
		xm_warn("%s", xm_string(result, XEND_D_WARNING, ""));
	error_free(&error);
	return result;
}

int xm_order(const char *method, struct json_object *params, const char *what)
{
	struct json_object *result = xm_call(method, params, what);

	if (!result)
		return XM_FAILED;
	json_object_put(result);
	return XM_OK;
}

struct json_object *xm_domain_params(const char *domain)
{
	struct json_object *params = json_new_object();

	json_set_string(params, XEND_P_DOMAIN, domain);
	return params;
}

int xm_print_json(struct json_object *value)
{
	puts(json_object_to_json_string_ext(value, JSON_C_TO_STRING_PRETTY |
							   JSON_C_TO_STRING_SPACED |
							   JSON_C_TO_STRING_NOSLASHESCAPE));
	return XM_OK;
}
