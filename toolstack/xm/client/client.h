/* SPDX-License-Identifier: MIT */
/* A connection to xend: requests and their answers, progress, and the stream that a console turns
 * it into. */
#ifndef XM_CLIENT_CLIENT_H
#define XM_CLIENT_CLIENT_H

#include <json.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/str.h"

struct client;

/* Told of each progress line of a request. total is 0 when it is not known. */
typedef void client_progress(void *data, const char *stage, uint64_t done, uint64_t total);

/*
 * Connect to xend's socket: XEND_SOCKET of the environment, or XEND_SOCKET_PATH. Returns 0, or
 * -errno and the sentence that a person is to read.
 */
int client_open(struct client **client, struct error **e);

/* Close and free it; NULL is fine. */
void client_close(struct client *client);

/*
 * Send a request and wait for its answer. `params` may be NULL and is consumed. *result is the
 * caller's, never NULL after success. Returns 0; -EREMOTEIO and xend's own sentence when it
 * answered with an error; another -errno when the connection or the answer is of no use. `progress`
 * may be NULL.
 */
int client_call(struct client *client, const char *method, struct json_object *params,
		client_progress *progress, void *data, struct json_object **result,
		struct error **e);

/* The two halves of client_call(), for who has several requests under way, each on a connection of
 * its own. */
int client_send(struct client *client, const char *method, struct json_object *params,
		struct error **e);
int client_wait(struct client *client, const char *method, client_progress *progress, void *data,
		struct json_object **result, struct error **e);

/*
 * After a request that turns the connection into a stream: its file descriptor, which stays the
 * client's, and in `early` (appended) what was received of the stream already.
 */
int client_stream(struct client *client, struct str *early);

#endif
