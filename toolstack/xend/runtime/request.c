/* SPDX-License-Identifier: MIT */
/*
 * From a line of JSON to one answer: envelope, method, parameters, the task that runs the handler.
 */
#include "xend/runtime/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/str.h"
#include "xend/server/client.h"
#include "xend/domain/domain.h"
#include "protocol.h"
#include "xend/runtime/task.h"

#define MAX_ID	   64
#define MAX_NUMBER ((int64_t)1 << 53)
/* Milliseconds between two progress lines. */
#define PROGRESS_INTERVAL 100
/* The most characters of a parameter in the log. */
#define LOGGED_MAX 100

struct request {
	TAILQ_ENTRY(request) link;
	bool listed;	   /* among those that run */
	struct task *task; /* NULL: it has not begun */
	bool cancelled;	   /* its client wants it no more */
	struct client *client;
	struct json_object *whole, *id, *params;
	const struct method *method;
	bool answered;
	uint64_t last_progress;
};

static TAILQ_HEAD(, request) running = TAILQ_HEAD_INITIALIZER(running);

static int cancel(struct request *request, struct json_object *result, struct error **e);

static const struct method methods_request[] = {
	{ XEND_M_CANCEL, cancel, { { XEND_P_REQUEST, PARAM_INT_OR_STRING, true } } },
	{ 0 },
};

static const struct method *const tables[] = { methods_request, methods_domain, methods_list,
					       methods_managed, methods_guests, methods_resources,
					       methods_device,	methods_host,	methods_topology,
					       methods_migrate, methods_trust };

/* The methods that can be cancelled, as they take back what they did; what the client is told. */
static const struct {
	const char *method, *text;
} cancellable[] = {
	{ XEND_M_DOMAIN_CREATE, "Cancelled: the domain was not created." },
	{ XEND_M_DOMAIN_START, "Cancelled: the domain was not started." },
	{ XEND_M_DOMAIN_SAVE, "Cancelled: the domain was not saved, and goes on." },
	{ XEND_M_DOMAIN_RESTORE, "Cancelled: the domain was not restored; its file is as it was." },
	{ XEND_M_DOMAIN_SUSPEND, "Cancelled: the domain was not suspended, and goes on." },
	{ XEND_M_DOMAIN_RESUME, "Cancelled: the domain is suspended as before." },
	{ XEND_M_DOMAIN_MIGRATE, "Cancelled: the domain was not moved, and goes on." },
};

/* The methods that change nothing. Programs ask such things all day; the log does not say so. */
static const char *const questions[] = {
	XEND_M_INFO,	      XEND_M_LOG,	    XEND_M_DOMAIN_LIST,	  XEND_M_VCPU_LIST,
	XEND_M_SCHED_GET,     XEND_M_DEVICE_LIST,   XEND_M_CONSOLE_OPEN,  XEND_M_HOST_INFO,
	XEND_M_HOST_DMESG,    XEND_M_HOST_TOPOLOGY, XEND_M_HOST_CPUPOOLS, XEND_M_TOP_SAMPLE,
	XEND_M_GUESTS_STATUS, XEND_M_DOMAIN_TABLE,  XEND_M_WRITE_RATE,
};

/* What the log has of a configuration or a device. The rest is long, or secret. */
static const char *const logged[] = { "name", "vdev", "target", "mac", "bridge", "backend" };

/* Which code each errno of a handler stands for; any other errno is XEND_E_FAILED. */
static const struct {
	int errnum;
	const char *code;
} codes[] = {
	{ EINVAL, XEND_E_BAD_PARAMS },	    { EBADMSG, XEND_E_BAD_CONFIG },
	{ ESRCH, XEND_E_NO_SUCH_DOMAIN },   { ENODEV, XEND_E_NO_SUCH_DEVICE },
	{ EEXIST, XEND_E_EXISTS },	    { ENOTCONN, XEND_E_NOT_RUNNING },
	{ EBADFD, XEND_E_WRONG_STATE },	    { EBUSY, XEND_E_BUSY },
	{ EADDRINUSE, XEND_E_IN_USE },	    { ENOMEM, XEND_E_NO_MEMORY },
	{ ETIMEDOUT, XEND_E_TIMEOUT },	    { ECANCELED, XEND_E_CANCELLED },
	{ EOPNOTSUPP, XEND_E_UNSUPPORTED }, { ENOEXEC, XEND_E_BUILD },
};

const char *request_code(int errnum)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].errnum == abs(errnum))
			return codes[i].code;
	return XEND_E_FAILED;
}

/* --- answers --- */

static struct json_object *envelope(struct json_object *id)
{
	struct json_object *message = json_new_object();

	json_object_object_add(message, XEND_F_ID, json_object_get(id));
	return message;
}

static void send_error(struct client *client, struct json_object *id, const char *code,
		       const char *text)
{
	struct json_object *message = envelope(id), *error = json_new_object();

	json_set_string(error, XEND_F_CODE, code);
	json_set_string(error, XEND_F_MESSAGE, text);
	json_set(message, XEND_F_ERROR, error);
	client_send(client, message);
	json_object_put(message);
}

void request_refuse(struct client *client, const char *code, const char *text)
{
	send_error(client, NULL, code, text);
}

void request_answer_early(struct request *request, struct json_object *result)
{
	struct json_object *message;

	if (request->answered)
		return;
	message = envelope(request->id);
	json_set(message, XEND_F_RESULT, json_object_get(result));
	client_send(request->client, message);
	json_object_put(message);
	request->answered = true;
}

void request_progress(struct request *request, const char *stage, uint64_t done, uint64_t total)
{
	request_progress_numbers(request, stage, done, total, NULL);
}

void request_progress_numbers(struct request *request, const char *stage, uint64_t done,
			      uint64_t total, struct json_object *numbers)
{
	struct json_object *message, *progress;

	if (!request || request->answered ||
	    (task_now() - request->last_progress < PROGRESS_INTERVAL && done < total))
		return;
	request->last_progress = task_now();
	message = envelope(request->id);
	progress = json_new_object();
	json_set_string(progress, "stage", stage);
	json_set_int(progress, "done", (int64_t)done);
	json_set_int(progress, "total", (int64_t)total);
	if (numbers)
		json_set(progress, XEND_F_NUMBERS, json_object_get(numbers));
	json_set(message, XEND_F_PROGRESS, progress);
	client_send(request->client, message);
	json_object_put(message);
}

/* --- parameters --- */

struct client *request_client(struct request *request)
{
	return request->client;
}

struct json_object *request_value(struct request *request, const char *name)
{
	return request->params ? json_find(request->params, name) : NULL;
}

const char *request_string(struct request *request, const char *name)
{
	struct json_object *value = request_value(request, name);

	return value ? json_object_get_string(value) : NULL;
}

bool request_bool(struct request *request, const char *name)
{
	struct json_object *value = request_value(request, name);

	return value && json_object_get_boolean(value);
}

int64_t request_int(struct request *request, const char *name)
{
	struct json_object *value = request_value(request, name);

	return value ? json_object_get_int64(value) : -1;
}

int request_domain(struct request *request, struct domain **domain, struct error **e)
{
	return domain_lookup(request_value(request, XEND_P_DOMAIN), domain, e);
}

static bool is_number(struct json_object *value)
{
	return json_object_is_type(value, json_type_int) && json_object_get_int64(value) >= 0 &&
	       json_object_get_int64(value) <= MAX_NUMBER;
}

static bool is_string(struct json_object *value)
{
	return json_object_is_type(value, json_type_string) &&
	       strlen(json_object_get_string(value)) == (size_t)json_object_get_string_len(value);
}

static bool has_type(struct json_object *value, enum param_type type)
{
	switch (type) {
	case PARAM_STRING:
		return is_string(value);
	case PARAM_INT:
		return is_number(value);
	case PARAM_BOOL:
		return json_object_is_type(value, json_type_boolean);
	case PARAM_OBJECT:
		return json_object_is_type(value, json_type_object);
	case PARAM_LIST:
		return json_object_is_type(value, json_type_array);
	case PARAM_DOMAIN:
	case PARAM_INT_OR_STRING:
		return is_string(value) || is_number(value);
	}
	return false;
}

static const char *type_name(enum param_type type)
{
	static const char *const names[] = {
		[PARAM_STRING] = "a string without zero bytes",
		[PARAM_INT] = "a whole number that is not negative",
		[PARAM_BOOL] = "true or false",
		[PARAM_OBJECT] = "an object",
		[PARAM_LIST] = "a list",
		[PARAM_DOMAIN] = "a name, an id or a UUID",
		[PARAM_INT_OR_STRING] = "a number or a string",
	};

	return names[type];
}

static bool is_known(const struct method *method, const char *name)
{
	for (const struct param *p = method->params; p < method->params + PARAM_MAX && p->name; p++)
		if (strcmp(p->name, name) == 0)
			return true;
	return false;
}

/* Names the parameter that is unknown or null. The caller has counted one of these. */
static int name_unknown(const struct method *method, struct json_object *params, struct error **e)
{
	struct json_object_iterator at = json_object_iter_begin(params),
				    end = json_object_iter_end(params);

	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
		const char *name = json_object_iter_peek_name(&at);

		if (!is_known(method, name))
			return error_set(e, EINVAL, "%s has no parameter '%.64s'.", method->name,
					 name);
		if (!json_object_iter_peek_value(&at))
			return error_set(e, EINVAL, "The parameter '%.64s' of %s is null.", name,
					 method->name);
	}
	return 0;
}

static int check_params(const struct method *method, struct json_object *params, struct error **e)
{
	unsigned int known = 0;

	for (const struct param *p = method->params; p < method->params + PARAM_MAX && p->name;
	     p++) {
		struct json_object *value = params ? json_find(params, p->name) : NULL;

		if (!value && p->required)
			return error_set(e, EINVAL, "%s needs the parameter '%s', %s.",
					 method->name, p->name, type_name(p->type));
		if (!value)
			continue;
		known++;
		if (!has_type(value, p->type))
			return error_set(e, EINVAL, "The parameter '%s' of %s must be %s.", p->name,
					 method->name, type_name(p->type));
	}
	if (!params || known == (unsigned int)json_object_object_length(params))
		return 0;
	return name_unknown(method, params, e);
}

/* --- from the line to the answer --- */

/* NULL: it cannot be cancelled. */
static const char *text_of_cancelled(const struct request *request)
{
	for (size_t i = 0; i < sizeof(cancellable) / sizeof(cancellable[0]); i++)
		if (strcmp(cancellable[i].method, request->method->name) == 0)
			return cancellable[i].text;
	return NULL;
}

static int cancel(struct request *request, struct json_object *result, struct error **e)
{
	struct json_object *id = request_value(request, XEND_P_REQUEST);
	struct request *other;

	TAILQ_FOREACH(other, &running, link)
		if (other->client == request->client && other->id &&
		    json_object_equal(other->id, id))
			break;
	if (!other)
		return error_set(e, EALREADY,
				 "No request %.64s of this connection is under way any more.",
				 json_object_get_string(id));
	if (!text_of_cancelled(other))
		return error_set(e, EOPNOTSUPP, "%s cannot be cancelled.", other->method->name);
	other->cancelled = true;
	if (other->task)
		task_cancel(other->task);
	return 0;
}

static void free_request(struct request *request)
{
	if (request->listed)
		TAILQ_REMOVE(&running, request, link);
	client_request_ended(request->client);
	client_unref(request->client);
	json_object_put(request->whole);
	free(request);
}

static bool is_question(const struct request *request)
{
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
		if (strcmp(questions[i], request->method->name) == 0)
			return true;
	return false;
}

static void add_param(struct str *line, const char *name, struct json_object *value)
{
	str_printf(line, "%s%s=", line->len ? " " : "", name);
	str_add_shown(line, json_object_get_string(value), LOGGED_MAX);
}

/* Who changed what must be found out later, and what was refused. */
static void log_request(const struct request *request, const char *refusal)
{
	const struct method *method = request->method;
	struct str line = STR_INIT;

	if (is_question(request))
		return;
	for (const struct param *p = method->params;
	     request->params && p < method->params + PARAM_MAX && p->name; p++) {
		struct json_object *value = json_find(request->params, p->name);

		if (value && !json_object_is_type(value, json_type_object))
			add_param(&line, p->name, value);
		for (size_t i = 0; value && json_object_is_type(value, json_type_object) &&
				   i < sizeof(logged) / sizeof(logged[0]);
		     i++)
			if (json_find(value, logged[i]))
				add_param(&line, logged[i], json_find(value, logged[i]));
	}
	if (refusal)
		log_info("A client's %s (%s) failed: %s", method->name, str_text(&line), refusal);
	else
		log_info("A client's %s (%s) is done.", method->name, str_text(&line));
	str_free(&line);
}

static void run_request(void *arg)
{
	struct request *request = arg;
	struct json_object *result = json_new_object();
	struct error *e = NULL;
	int rc;

	request->task = task_current();
	if (request->cancelled)
		task_cancel(request->task);
	rc = request->method->run(request, result, &e);

	if (rc == -ECANCELED && request->cancelled) {
		error_free(&e);
		error_set(&e, ECANCELED, "%s", text_of_cancelled(request));
	}
	if (rc == 0)
		request_answer_early(request, result);
	else
		send_error(request->client, request->id, request_code(rc), error_text(e));
	log_request(request, rc ? error_text(e) : NULL);
	error_free(&e);
	json_object_put(result);
	free_request(request);
}

static const struct method *find_method(const char *name)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct method *method = tables[i]; method->name; method++)
			if (strcmp(method->name, name) == 0)
				return method;
	return NULL;
}

/* Fills the request from its object. Returns NULL, or the error code with its sentence in *e. */
static const char *decode(struct request *request, struct error **e)
{
	struct json_object *whole = request->whole, *id = json_find(whole, XEND_F_ID);
	const char *name;
	int64_t version;

	if (id && (!(json_object_is_type(id, json_type_int) || is_string(id)) ||
		   strlen(json_object_get_string(id)) > MAX_ID)) {
		error_set(e, EINVAL,
			  "The id of a request must be a whole number or a string of at most %d "
			  "bytes.",
			  MAX_ID);
		return XEND_E_BAD_REQUEST;
	}
	request->id = id;
	if (json_get_int(whole, XEND_F_VERSION, 0, MAX_NUMBER, &version, e) ||
	    json_get_string(whole, XEND_F_METHOD, &name, e) ||
	    json_opt_typed(whole, XEND_F_PARAMS, json_type_object, &request->params, e))
		return XEND_E_BAD_REQUEST;
	if (version != XEND_PROTOCOL_VERSION) {
		error_set(e, EINVAL,
			  "This xend speaks version %d of the protocol, the request version %lld.",
			  XEND_PROTOCOL_VERSION, (long long)version);
		return XEND_E_VERSION;
	}
	request->method = find_method(name);
	if (!request->method) {
		error_set(e, EINVAL, "xend has no method '%.64s'.", name);
		return XEND_E_UNKNOWN_METHOD;
	}
	if (check_params(request->method, request->params, e))
		return XEND_E_BAD_PARAMS;
	return NULL;
}

void request_receive(struct client *client, const char *line, size_t length)
{
	struct request *request;
	struct error *e = NULL;
	struct json_object *whole = json_parse_object(line, length, &e);
	const char *code;

	if (!whole) {
		request_refuse(client, XEND_E_BAD_REQUEST, error_text(e));
		error_free(&e);
		return;
	}
	request = xcalloc(1, sizeof(*request));
	request->client = client_ref(client);
	request->whole = whole;
	client_request_begun(client);
	code = decode(request, &e);
	if (!code) {
		request->listed = true;
		TAILQ_INSERT_TAIL(&running, request, link);
		if (task_start(run_request, request))
			return;
		error_set(&e, ENOMEM, "There is no memory for another request. Try again later.");
		code = XEND_E_NO_MEMORY;
	}
	send_error(client, request->id, code, error_text(e));
	error_free(&e);
	free_request(request);
}
