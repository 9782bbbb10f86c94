/* SPDX-License-Identifier: MIT */
/* links: toolstack/xend/runtime/request.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/log.c toolstack/lib/str.c */
/* libs: -ljson-c */
/*
 * xend's protocol: a line of a client, whatever it holds, is answered once, in valid JSON and with
 * the id that it had; and a method is called only with parameters of the types that it asked for.
 */
#include "lib/log.h"
#include "lib/str.h"
#include "xend/server/client.h"
#include "xend/domain/domain.h"
#include "protocol.h"
#include "xend/runtime/request.h"
#include "xend/runtime/task.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned int answers, references, requests;
static struct json_object *last;

struct client *client_ref(struct client *client)
{
	references++;
	return client;
}

void client_unref(struct client *client)
{
	references--;
}

void client_request_begun(struct client *client)
{
	requests++;
}

void client_request_ended(struct client *client)
{
	requests--;
}

/* As the client would read it. */
void client_send(struct client *client, struct json_object *message)
{
	struct str line = STR_INIT;
	struct error *e = NULL;

	json_print(message, &line);
	json_object_put(last);
	last = json_parse_object(str_text(&line), line.len, &e);
	if (!last || !json_object_object_get_ex(last, XEND_F_ID, NULL) ||
	    memchr(line.text, '\n', line.len))
		abort();
	answers += !json_find(last, XEND_F_PROGRESS);
	str_free(&line);
}

uint64_t task_now(void)
{
	return 0;
}

struct task *task_start(void (*run)(void *arg), void *arg)
{
	run(arg);
	return (struct task *)&answers;
}

/* A request is through before the next one comes, so nobody cancels it. */
struct task *task_current(void)
{
	return NULL;
}

void task_cancel(struct task *task)
{
	abort();
}

int domain_lookup(struct json_object *domain, struct domain **out, struct error **e)
{
	return error_set(e, ESRCH, "Domain '%s' does not exist.",
			 domain ? json_object_get_string(domain) : "?");
}

static int run_every_type(struct request *request, struct json_object *result, struct error **e)
{
	struct json_object *object = request_value(request, "object");
	const char *string = request_string(request, "string");
	struct domain *domain;

	if (!string || (object && !json_object_is_type(object, json_type_object)) ||
	    request_int(request, "int") < -1)
		abort();
	request_progress(request, string, 1, 2);
	json_set_string(result, "string", string);
	json_set_bool(result, "bool", request_bool(request, "bool"));
	if (request_value(request, XEND_P_DOMAIN))
		return request_domain(request, &domain, e);
	return 0;
}

static int run_nothing(struct request *request, struct json_object *result, struct error **e)
{
	return 0;
}

const struct method methods_domain[] = {
	{ "every.type",
	  run_every_type,
	  { { "string", PARAM_STRING, true },
	    { "int", PARAM_INT, false },
	    { "bool", PARAM_BOOL, false },
	    { "object", PARAM_OBJECT, false },
	    { XEND_P_DOMAIN, PARAM_DOMAIN, false },
	    { "either", PARAM_INT_OR_STRING, false } } },
	{ 0 },
};
const struct method methods_managed[] = { { "nothing", run_nothing, { { 0 } } }, { 0 } };
const struct method methods_resources[] = { { 0 } }, methods_device[] = { { 0 } },
		    methods_list[] = { { 0 } }, methods_host[] = { { 0 } },
		    methods_guests[] = { { 0 } }, methods_topology[] = { { 0 } },
		    methods_migrate[] = { { 0 } }, methods_trust[] = { { 0 } };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_object *whole = json_parse((const char *)data, size, NULL),
			   *id = json_find(whole, XEND_F_ID);

	log_set_stderr(0);
	answers = 0;
	request_receive(NULL, (const char *)data, size);
	if (answers != 1 || references || requests)
		abort();
	/* An id that cannot be one comes back as null. */
	if (!json_object_equal(json_find(last, XEND_F_ID), id) && json_find(last, XEND_F_ID))
		abort();
	json_object_put(last);
	last = NULL;
	json_object_put(whole);
	return 0;
}
