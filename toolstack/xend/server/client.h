/* SPDX-License-Identifier: MIT */
/*
 * Connections of clients. xend disconnects a client that does not read its answers, or that sends
 * too long a line. A client can neither make xend wait nor use more than a bounded amount of
 * memory.
 */
#ifndef XEND_SERVER_CLIENT_H
#define XEND_SERVER_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

#include "lib/error.h"
#include "lib/json.h"

struct client;

/*
 * Creates the socket with mode 0600, replacing one that a killed xend has left, and listens. 0 or
 * -errno.
 */
int clients_listen(uv_loop_t *loop, const char *path, struct error **e);
/* Removes the socket and reads no more requests; running ones are still answered. */
void clients_stop_listening(void);
/* Disconnects all clients at once, when xend ends. */
void clients_disconnect(void);
unsigned int clients_count(void);

/* A reference keeps the struct, for a request, but not the connection. */
struct client *client_ref(struct client *client);
void client_unref(struct client *client);
bool client_is_connected(const struct client *client);

/* Sends an object as a line. Does nothing if the client is gone or in raw mode. */
void client_send(struct client *client, struct json_object *message);
/* Count the client's unanswered requests. At 32 xend stops reading from the client. */
void client_request_begun(struct client *client);
void client_request_ended(struct client *client);

/*
 * Raw mode: from now on the connection carries bytes, and xend reads no more requests. on_bytes
 * gets each chunk, first what has come behind the request's line. on_gone is called once when the
 * connection ends.
 */
void client_become_raw(struct client *client,
		       void (*on_bytes)(void *arg, const void *bytes, size_t length),
		       void (*on_gone)(void *arg), void *arg);
void client_send_bytes(struct client *client, const void *bytes, size_t length);
/* Hangs up once everything has been sent. on_gone is not called. */
void client_hang_up(struct client *client);

#endif
