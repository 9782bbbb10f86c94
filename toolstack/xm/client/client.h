/* SPDX-License-Identifier: MIT */
/* A connection to xend: requests with answers and progress, and the raw stream of a console. */
#ifndef XM_CLIENT_CLIENT_H
#define XM_CLIENT_CLIENT_H

#include <json.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/str.h"

struct client;

/*
 * Called for each progress line of a request. total is 0 when it is not known. numbers: an object
 * of some methods (XEND_MN_*), or NULL.
 */
typedef void client_progress(void *data, const char *stage, uint64_t done, uint64_t total,
			     struct json_object *numbers);

/*
 * Connect to xend's socket: the path in the environment variable XEND_SOCKET, or XEND_SOCKET_PATH.
 * Returns 0, or -errno with a sentence for a person.
 */
int client_open(struct client **client, struct error **e);

/*
 * Give up a request when xend has sent nothing for so many seconds: the request fails with -EAGAIN.
 * Without it a client waits for ever.
 */
void client_set_patience(struct client *client, unsigned int seconds);

/* Close and free the client; NULL is allowed. */
void client_close(struct client *client);

/*
 * From now on SIGINT during a request has xend cancel it; a second one ends the process. Nothing
 * changes if SIGINT is ignored.
 */
void client_cancel_on_interrupt(struct client *client);
/* For a progress function that waits itself: whether xend is to be asked to cancel the request. */
bool client_is_interrupted(const struct client *client);
/* SIGINT ends the process as before. Returns whether there was one meanwhile. */
bool client_end_interrupts(struct client *client);

/*
 * Send a request and wait for its answer. `params` and `progress` may be NULL; `params` is
 * consumed. The caller owns *result, which is never NULL after success.
 *
 * Returns 0; -EREMOTEIO with xend's own sentence when xend answers with an error, -ENOSYS when it
 * does not know the method; -EINPROGRESS after an interrupt when xend goes on with the request;
 * another -errno when the connection or the answer is unusable.
 */
int client_call(struct client *client, const char *method, struct json_object *params,
		client_progress *progress, void *data, struct json_object **result,
		struct error **e);

/*
 * The two halves of client_call(), for a caller with several requests in progress, each on its own
 * connection.
 */
int client_send(struct client *client, const char *method, struct json_object *params,
		struct error **e);
int client_wait(struct client *client, const char *method, client_progress *progress, void *data,
		struct json_object **result, struct error **e);

/*
 * For a progress function that does something else until there is more: the file descriptor, which
 * then becomes readable, and whether more has been received already.
 */
int client_fd(const struct client *client);
bool client_has_more(const struct client *client);

/*
 * After a request that turns the connection into a stream: returns the file descriptor, which the
 * client still owns, and appends what was already received of the stream to `early`.
 */
int client_stream(struct client *client, struct str *early);

#endif
