/* SPDX-License-Identifier: MIT */
/*
 * A request: xend parses it, checks its parameters against its method's table, runs it in a task of
 * its own, and answers once. Handlers see only parameters of the right type, and each required one
 * is there.
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
	PARAM_LIST,
	PARAM_DOMAIN,
	PARAM_INT_OR_STRING
};
#define PARAM_MAX 12

struct param {
	const char *name;
	enum param_type type;
	bool required;
};

/*
 * A row of the table of methods. run() fills `result`, an empty object at first. It returns 0, or
 * -errno with a sentence; request_code() maps the errno to the answer's code.
 */
struct method {
	const char *name;
	int (*run)(struct request *request, struct json_object *result, struct error **e);
	struct param params[PARAM_MAX];
};

/* The tables of the method_*.c files; each ends with a row without a name. */
extern const struct method methods_domain[], methods_list[], methods_managed[], methods_guests[],
	methods_resources[], methods_device[], methods_host[], methods_topology[],
	methods_migrate[], methods_trust[];

/* Takes one line from a client. Whatever the line is, it gets an answer, now or later. */
void request_receive(struct client *client, const char *line, size_t length);
/* Sends an error that belongs to no request: {"id":null,"error":...}. */
void request_refuse(struct client *client, const char *code, const char *message);

struct client *request_client(struct request *request);
/* The value of a parameter. Absent ones are NULL, false or -1; numbers are within 0..2^53. */
const char *request_string(struct request *request, const char *name);
bool request_bool(struct request *request, const char *name);
int64_t request_int(struct request *request, const char *name);
struct json_object *request_value(struct request *request, const char *name);
/* The domain that the request names, with a reference for the caller. -ESRCH: there is none. */
int request_domain(struct request *request, struct domain **domain, struct error **e);

/* Reports progress. At most one report per 100 ms is sent, apart from the last. */
void request_progress(struct request *request, const char *stage, uint64_t done, uint64_t total);
/* The same with further numbers for programs; NULL: none. */
void request_progress_numbers(struct request *request, const char *stage, uint64_t done,
			      uint64_t total, struct json_object *numbers);
/* Answers now with `result`, for a request that goes on afterwards (a console). */
void request_answer_early(struct request *request, struct json_object *result);

/* The error code of the protocol for an errno, positive or negative. */
const char *request_code(int errnum);

#endif
