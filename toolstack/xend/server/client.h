/* SPDX-License-Identifier: MIT */
/*
 * Connections. A client is disconnected when it does not read what it asked for, or sends a line
 * that is too long; it cannot make xend wait, nor keep more than a bounded amount of memory.
 */
#ifndef XEND_SERVER_CLIENT_H
#define XEND_SERVER_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

#include "lib/error.h"
#include "lib/json.h"

struct client;

/* Makes the socket, mode 0600, and begins to listen; a socket that a killed xend left is replaced.
 */
int clients_listen(uv_loop_t *loop, const char *path, struct error **e);
/* Removes the socket and reads no more requests; those that are under way are still answered. */
void clients_stop_listening(void);
/* At the end: disconnects all. */
void clients_disconnect(void);
unsigned int clients_count(void);

/* References: a request keeps its client's struct, not the connection. */
struct client *client_ref(struct client *client);
void client_unref(struct client *client);
bool client_is_connected(const struct client *client);

/* Sends an object as a line. Nothing happens if the client has gone. */
void client_send(struct client *client, struct json_object *message);
/* A request of this client has begun or ended: with too many of them xend does not read on. */
void client_request_begun(struct client *client);
void client_request_ended(struct client *client);

/*
 * From now on the connection carries bytes: what comes goes to `on_bytes` (what came behind the
 * request's line, at once); `on_gone` says once that it ended.
 */
void client_become_raw(struct client *client,
		       void (*on_bytes)(void *arg, const void *bytes, size_t length),
		       void (*on_gone)(void *arg), void *arg);
void client_send_bytes(struct client *client, const void *bytes, size_t length);
/* Hangs up after what was sent has left; on_gone is not called. */
void client_hang_up(struct client *client);

#endif
