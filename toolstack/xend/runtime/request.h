/* SPDX-License-Identifier: MIT */
/*
 * A request: parsed, its parameters checked against its method's table, run in a task of its own,
 * answered once. Handlers see parameters that are there and of the right type only.
 */
#ifndef XEND_SERVER_REQUEST_H
#define XEND_SERVER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/json.h"

struct client;
struct domain;
struct request;

enum param_type {
	PARAM_STRING,
	PARAM_INT,
	PARAM_BOOL,
	PARAM_OBJECT,
	PARAM_DOMAIN,
	PARAM_INT_OR_STRING
};
#define PARAM_MAX 6

struct param {
	const char *name;
	enum param_type type;
	bool required;
};

/*
 * A row of the table of methods. run fills `result` (an empty object at first) and returns 0, or
 * -errno with a sentence; the errno says which code the answer has (request_code).
 */
struct method {
	const char *name;
	int (*run)(struct request *request, struct json_object *result, struct error **e);
	struct param params[PARAM_MAX];
};

/* The tables of the method_*.c files; each ends with a row without a name. */
extern const struct method methods_domain[], methods_managed[], methods_resources[],
	methods_device[], methods_host[];

/* A line of a client's: it is answered, now or later, whatever it says. */
void request_receive(struct client *client, const char *line, size_t length);
/* An answer to nothing in particular: {"id":null,"error":...}. */
void request_refuse(struct client *client, const char *code, const char *message);

struct client *request_client(struct request *request);
/* NULL, 0, false and -1 for what is absent; numbers are within 0..2^53. */
const char *request_string(struct request *request, const char *name);
bool request_bool(struct request *request, const char *name);
int64_t request_int(struct request *request, const char *name);
struct json_object *request_value(struct request *request, const char *name);
/* The domain that the request names, with a reference for the caller; -ESRCH. */
int request_domain(struct request *request, struct domain **domain, struct error **e);

/* Says how far the work is; too frequent calls are left out. */
void request_progress(struct request *request, const char *stage, uint64_t done, uint64_t total);
/* Answers at once with the result so far: for what goes on afterwards (a console). */
void request_answer_early(struct request *request, struct json_object *result);

/* The code of an errno. */
const char *request_code(int errnum);

#endif
