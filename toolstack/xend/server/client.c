/* SPDX-License-Identifier: MIT */
/*
 * xend's clients: lines in, answers out. Reading pauses while a client has too many requests or
 * unread bytes.
 */
#include "xend/server/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/str.h"
#include "protocol.h"
#include "xend/runtime/request.h"

/* The most unanswered requests per client. */
#define MAX_UNANSWERED 32
/*
 * Bytes of unread output: above OUTPUT_HIGH xend stops reading from the client, below OUTPUT_LOW it
 * reads again.
 */
#define OUTPUT_HIGH (1024 * 1024)
#define OUTPUT_LOW  (256 * 1024)
/* Milliseconds that a client may then take without reading anything. */
#define PATIENCE 10000

struct client {
	TAILQ_ENTRY(client) link;
	uv_pipe_t pipe;
	uv_timer_t patience;
	/* The unread output has exceeded OUTPUT_HIGH and not yet fallen to OUTPUT_LOW. */
	bool throttled;
	unsigned int refs, unanswered;
	bool connected, reading;
	/* In take_lines, which must not nest: a client may send 100000 short lines. */
	bool taking;
	bool hanging_up;
	bool ended; /* nothing more is read, but answers may be due */
	struct str input;
	char chunk[8192];
	/* Raw mode, else NULL: */
	void (*on_bytes)(void *arg, const void *bytes, size_t length);
	void (*on_gone)(void *arg);
	void *arg;
};

static struct {
	uv_loop_t *loop;
	uv_pipe_t listener;
	TAILQ_HEAD(, client) list;
	unsigned int count;
	char *path;
} clients;

struct client *client_ref(struct client *client)
{
	client->refs++;
	return client;
}

void client_unref(struct client *client)
{
	if (--client->refs == 0)
		free(client);
}

bool client_is_connected(const struct client *client)
{
	return client->connected;
}

unsigned int clients_count(void)
{
	return clients.count;
}

static void on_closed(uv_handle_t *handle)
{
	client_unref(handle->data);
}

/* Ends the connection at once. */
static void drop(struct client *client)
{
	void (*on_gone)(void *arg) = client->on_gone;

	if (!client->connected)
		return;
	client->connected = false;
	client->on_bytes = NULL;
	client->on_gone = NULL;
	clients.count--;
	TAILQ_REMOVE(&clients.list, client, link);
	str_free(&client->input);
	client->refs++; /* each of the two handles holds one until it is closed */
	uv_close((uv_handle_t *)&client->patience, on_closed);
	uv_close((uv_handle_t *)&client->pipe, on_closed);
	if (on_gone)
		on_gone(client->arg);
}

static void take_lines(struct client *client);
static void adjust_reading(struct client *client);

/* --- out --- */

struct send {
	uv_write_t request;
	char data[];
};

static size_t waiting(const struct client *client)
{
	return uv_stream_get_write_queue_size((const uv_stream_t *)&client->pipe);
}

static void on_impatience(uv_timer_t *timer)
{
	log_warning("A client that does not read what it asked for is disconnected.");
	drop(timer->data);
}

static void throttle(struct client *client)
{
	client->throttled = true;
	uv_timer_start(&client->patience, on_impatience, PATIENCE, 0);
	adjust_reading(client);
}

/* The client has read something. */
static void unthrottle(struct client *client)
{
	uv_timer_start(&client->patience, on_impatience, PATIENCE, 0);
	if (waiting(client) > OUTPUT_LOW)
		return;
	client->throttled = false;
	uv_timer_stop(&client->patience);
	client_ref(client);
	take_lines(client);
	adjust_reading(client);
	client_unref(client);
}

static void on_sent(uv_write_t *request, int status)
{
	struct client *client = request->handle->data;

	free(request->data);
	if (status && status != UV_ECANCELED)
		drop(client);
	if (client->connected && client->throttled)
		unthrottle(client);
}

void client_send_bytes(struct client *client, const void *bytes, size_t length)
{
	struct send *send;
	uv_buf_t buffer;

	if (!client->connected || !length)
		return;
	if (waiting(client) && waiting(client) + length > XEND_MAX_ANSWER) {
		log_warning("A client that does not read what it asked for is disconnected.");
		drop(client);
		return;
	}
	send = xmalloc(sizeof(*send) + length);
	memcpy(send->data, bytes, length);
	send->request.data = send;
	buffer = uv_buf_init(send->data, (unsigned int)length);
	if (uv_write(&send->request, (uv_stream_t *)&client->pipe, &buffer, 1, on_sent)) {
		free(send);
		drop(client);
	} else if (waiting(client) > OUTPUT_HIGH && !client->throttled && !client->on_bytes) {
		throttle(client);
	}
}

void client_send(struct client *client, struct json_object *message)
{
	struct str line = STR_INIT;

	if (!client->connected || client->on_bytes)
		return;
	json_print(message, &line);
	str_add_char(&line, '\n');
	client_send_bytes(client, line.text, line.len);
	str_free(&line);
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
	drop(request->handle->data);
	free(request);
}

void client_hang_up(struct client *client)
{
	uv_shutdown_t *request;

	if (!client->connected || uv_is_closing((uv_handle_t *)&client->pipe) || client->hanging_up)
		return;
	client->hanging_up = true;
	client->ended = true;
	client->on_gone = NULL;
	client->on_bytes = NULL;
	client->reading = false;
	uv_read_stop((uv_stream_t *)&client->pipe);
	request = xmalloc(sizeof(*request));
	if (uv_shutdown(request, (uv_stream_t *)&client->pipe, on_shutdown)) {
		free(request);
		drop(client);
	}
}

/* --- in --- */

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer);

static void give_chunk(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct client *client = handle->data;

	*buffer = uv_buf_init(client->chunk, sizeof(client->chunk));
}

/* Starts or stops reading, according to the client's requests and unread output. */
static void adjust_reading(struct client *client)
{
	bool want = client->unanswered < MAX_UNANSWERED && !client->throttled && !client->ended;

	if (!client->connected || want == client->reading)
		return;
	client->reading = want;
	if (want)
		uv_read_start((uv_stream_t *)&client->pipe, give_chunk, on_read);
	else
		uv_read_stop((uv_stream_t *)&client->pipe);
}

static void take_lines(struct client *client)
{
	char *end;

	if (client->taking)
		return;
	client->taking = true;
	while (client->connected && !client->on_bytes && client->unanswered < MAX_UNANSWERED &&
	       !client->throttled && client->input.len &&
	       (end = memchr(client->input.text, '\n', client->input.len))) {
		size_t length = (size_t)(end - client->input.text);
		char *line = xmalloc(length + 1);

		memcpy(line, client->input.text, length);
		line[length] = '\0';
		str_drop(&client->input, length + 1);
		if (length)
			request_receive(client, line, length);
		free(line);
	}
	if (client->connected && client->input.len >= XEND_MAX_REQUEST && !client->on_bytes &&
	    !memchr(client->input.text, '\n', client->input.len)) {
		request_refuse(client, XEND_E_TOO_LARGE, "A request may have 256 KiB at most.");
		client_hang_up(client);
	}
	client->taking = false;
	if (client->ended && !client->unanswered && !client->throttled)
		client_hang_up(client);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
	struct client *client = stream->data;

	/* The client has closed its sending side, and may still read its answers. */
	if (n == UV_EOF && !client->on_bytes) {
		client->ended = true;
		adjust_reading(client);
		take_lines(client);
		return;
	}
	if (n < 0) {
		drop(client);
		return;
	}
	if (client->on_bytes) {
		client->on_bytes(client->arg, buffer->base, (size_t)n);
		return;
	}
	str_add_bytes(&client->input, buffer->base, (size_t)n);
	client_ref(client);
	take_lines(client);
	adjust_reading(client);
	client_unref(client);
}

void client_request_begun(struct client *client)
{
	client->unanswered++;
}

void client_request_ended(struct client *client)
{
	client->unanswered--;
	client_ref(client);
	take_lines(client);
	adjust_reading(client);
	client_unref(client);
}

void client_become_raw(struct client *client,
		       void (*on_bytes)(void *arg, const void *bytes, size_t length),
		       void (*on_gone)(void *arg), void *arg)
{
	client->on_bytes = on_bytes;
	client->on_gone = on_gone;
	client->arg = arg;
	if (client->input.len)
		on_bytes(arg, client->input.text, client->input.len);
	str_clear(&client->input);
}

/* --- the listener --- */

static void on_connection(uv_stream_t *listener, int status)
{
	struct client *client;

	if (status)
		return;
	client = xcalloc(1, sizeof(*client));
	client->refs = 1;
	client->pipe.data = client;
	uv_pipe_init(clients.loop, &client->pipe, 0);
	uv_timer_init(clients.loop, &client->patience);
	client->patience.data = client;
	if (uv_accept(listener, (uv_stream_t *)&client->pipe)) {
		client->refs++;
		uv_close((uv_handle_t *)&client->patience, on_closed);
		uv_close((uv_handle_t *)&client->pipe, on_closed);
		return;
	}
	client->connected = true;
	clients.count++;
	TAILQ_INSERT_TAIL(&clients.list, client, link);
	if (clients.count > XEND_MAX_CLIENTS) {
		request_refuse(client, XEND_E_BUSY,
			       "xend serves as many clients as it can at once. Try again later.");
		client_hang_up(client);
		return;
	}
	adjust_reading(client);
}

int clients_listen(uv_loop_t *loop, const char *path, struct error **e)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, rc = 0;
	mode_t mask;

	if (strlen(path) >= sizeof(address.sun_path))
		return error_set(e, ENAMETOOLONG, "The socket's path %s is too long.", path);
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set(e, errno, "Cannot make the socket %s: %s.", path, strerror(errno));
	unlink(path);
	mask = umask(0177);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)))
		rc = error_set(e, errno, "Cannot make the socket %s: %s.", path, strerror(errno));
	umask(mask);
	if (rc) {
		close(fd);
		return rc;
	}
	clients.loop = loop;
	clients.path = xstrdup(path);
	TAILQ_INIT(&clients.list);
	uv_pipe_init(loop, &clients.listener, 0);
	uv_pipe_open(&clients.listener, fd);
	rc = uv_listen((uv_stream_t *)&clients.listener, XEND_MAX_CLIENTS, on_connection);
	if (rc)
		return error_set(e, rc, "Cannot listen on %s: %s.", path, uv_strerror(rc));
	return 0;
}

void clients_stop_listening(void)
{
	struct client *client, *next;

	unlink(clients.path);
	uv_close((uv_handle_t *)&clients.listener, NULL);
	for (client = TAILQ_FIRST(&clients.list); client; client = next) {
		next = TAILQ_NEXT(client, link);
		if (client->on_bytes)
			continue;
		client->ended = true;
		adjust_reading(client);
		if (!client->unanswered)
			client_hang_up(client);
	}
}

void clients_disconnect(void)
{
	while (!TAILQ_EMPTY(&clients.list))
		drop(TAILQ_FIRST(&clients.list));
	free(clients.path);
	clients.path = NULL;
}
