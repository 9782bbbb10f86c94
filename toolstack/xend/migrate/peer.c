/* SPDX-License-Identifier: MIT */
/* Lines over a socket that does not block, and the socket's loan to a worker. */
#include "xend/migrate/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <uv.h>

#include "lib/alloc.h"
#include "lib/str.h"
#include "xend/migrate/tls.h"
#include "xend/runtime/offload.h"
#include "xend/runtime/task.h"

/* Seconds to connect, and until a host that does not answer any more counts as gone. */
#define CONNECT_SECONDS 10
#define SILENCE_SECONDS 30
/* Milliseconds for a line of ours to be taken, and for a refused peer to read why. */
#define SAY_PATIENCE	30000
#define REFUSE_PATIENCE 5000

struct peer {
	TAILQ_ENTRY(peer) link;
	int fd;
	char *name;
	uv_poll_t poll;
	struct task *task; /* that waits for it */
	struct str input;
};

static TAILQ_HEAD(, peer) peers = TAILQ_HEAD_INITIALIZER(peers);

/* --- the socket --- */

/* The kernel finds out that the other host is gone, also for a worker that only reads. */
void peer_watch_silence(int fd)
{
	const int on = 1, idle = SILENCE_SECONDS / 3, interval = 5, count = 4;
	const unsigned int silence = SILENCE_SECONDS * 1000;

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence, sizeof(silence));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void set_blocking(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, on ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

struct peer *peer_new(int fd, const char *name)
{
	struct peer *peer = xcalloc(1, sizeof(*peer));

	peer->fd = fd;
	peer->name = xstrdup(name);
	peer_watch_silence(fd);
	uv_poll_init_socket(uv_default_loop(), &peer->poll, fd);
	peer->poll.data = peer;
	TAILQ_INSERT_TAIL(&peers, peer, link);
	return peer;
}

static void on_closed(uv_handle_t *handle)
{
	struct peer *peer = handle->data;

	close(peer->fd);
	str_free(&peer->input);
	free(peer->name);
	free(peer);
}

void peer_free(struct peer *peer)
{
	if (!peer)
		return;
	TAILQ_REMOVE(&peers, peer, link);
	uv_close((uv_handle_t *)&peer->poll, on_closed);
}

const char *peer_name(const struct peer *peer)
{
	return peer->name;
}

int peer_fd(const struct peer *peer)
{
	return peer->fd;
}

void peer_hang_up(struct peer *peer)
{
	shutdown(peer->fd, SHUT_RDWR);
}

void peers_hang_up(void)
{
	struct peer *peer;

	TAILQ_FOREACH(peer, &peers, link)
		peer_hang_up(peer);
}

/* --- connecting --- */

struct connecting {
	char *host, port[8];
	int fd;
	struct error *e;
};

static int try_address(const struct addrinfo *address)
{
	const struct timeval patience = { .tv_sec = CONNECT_SECONDS };
	int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC,
			address->ai_protocol);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, address->ai_addr, address->ai_addrlen)) {
		/* The time limit of connect() is reported so. */
		int rc = errno == EINPROGRESS ? -ETIMEDOUT : -errno;

		close(fd);
		return rc;
	}
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){ 0 }, sizeof(patience));
	return fd;
}

static void connect_in_thread(void *arg)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct connecting *c = arg;
	struct addrinfo *list = NULL;
	int rc = getaddrinfo(c->host, c->port, &hints, &list);

	if (rc) {
		error_set(&c->e, EHOSTUNREACH, "The host '%.100s' is not known: %s.", c->host,
			  rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
		return;
	}
	rc = -EHOSTUNREACH;
	for (const struct addrinfo *at = list; at && c->fd < 0; at = at->ai_next) {
		rc = try_address(at);
		c->fd = rc;
	}
	freeaddrinfo(list);
	if (c->fd < 0)
		error_set(&c->e, -rc, "Cannot connect to port %s of %s: %s.%s", c->port, c->host,
			  strerror(-rc),
			  rc == -ECONNREFUSED ? " Is xend-relocation-server on in its "
						"xend-config.sxp?" :
						"");
}

static void connecting_free(void *arg)
{
	struct connecting *c = arg;

	if (c->fd >= 0)
		close(c->fd);
	error_free(&c->e);
	free(c->host);
	free(c);
}

int peer_connect_socket(const char *host, unsigned int port, struct error **e)
{
	struct connecting *c = xcalloc(1, sizeof(*c));
	int rc;

	c->fd = -1;
	c->host = xstrdup(host);
	snprintf(c->port, sizeof(c->port), "%u", port);
	rc = offload(connect_in_thread, connecting_free, c, TASK_FOREVER);
	if (rc)
		return error_set(e, rc, "Connecting to %s was cancelled.", host);
	rc = error_move(e, &c->e);
	if (rc == 0) {
		rc = c->fd;
		c->fd = -1;
	}
	connecting_free(c);
	return rc;
}

int peer_connect(const char *host, unsigned int port, enum peer_wire wire, struct peer **out,
		 struct error **e)
{
	int fd = peer_connect_socket(host, port, e);

	if (fd >= 0 && wire == PEER_TLS) {
		peer_watch_silence(fd);
		fd = tls_wrap(fd, TLS_CLIENT, host, e);
	}
	if (fd < 0)
		return fd;
	*out = peer_new(fd, host);
	return 0;
}

/* --- lines --- */

static void on_event(uv_poll_t *poll, int status, int events)
{
	struct peer *peer = poll->data;

	uv_poll_stop(poll);
	if (peer->task)
		task_wake(peer->task);
}

static int wait_for(struct peer *peer, int event, uint64_t deadline)
{
	int rc;

	peer->task = task_current();
	uv_poll_start(&peer->poll, event, on_event);
	rc = task_wait(deadline);
	uv_poll_stop(&peer->poll);
	peer->task = NULL;
	return rc;
}

static int ended(struct peer *peer, int errnum, struct error **e)
{
	return error_set(e, EPIPE, "The connection with %s has ended%s%s.", peer->name,
			 errnum ? ": " : "", errnum ? strerror(errnum) : "");
}

static int waited_in_vain(struct peer *peer, int rc, struct error **e)
{
	if (rc == -ETIMEDOUT)
		return error_set(e, ETIMEDOUT, "%s does not answer.", peer->name);
	return error_set(e, rc, "The work with %s was cancelled.", peer->name);
}

struct json_object *peer_line(const char *word)
{
	struct json_object *line = json_new_object();

	json_set_string(line, "say", word);
	return line;
}

int peer_say(struct peer *peer, struct json_object *line, struct error **e)
{
	uint64_t deadline = task_deadline(SAY_PATIENCE);
	struct str text = STR_INIT;
	size_t done = 0;
	int rc = 0;

	json_print(line, &text);
	str_add_char(&text, '\n');
	json_object_put(line);
	while (rc == 0 && done < text.len) {
		ssize_t n = send(peer->fd, text.text + done, text.len - done, MSG_NOSIGNAL);

		if (n >= 0) {
			done += (size_t)n;
		} else if (errno == EAGAIN) {
			rc = wait_for(peer, UV_WRITABLE, deadline);
			if (rc)
				waited_in_vain(peer, rc, e);
		} else if (errno != EINTR) {
			rc = ended(peer, errno, e);
		}
	}
	str_free(&text);
	return rc;
}

static int no_sense(struct peer *peer, const char *why, struct error **e)
{
	return error_set(e, EPROTO, "%s says what this xend does not understand (%.200s).",
			 peer->name, why);
}

/* The first `length` bytes of the input. */
static int decode(struct peer *peer, size_t length, const char **word, struct json_object **line,
		  struct error **e)
{
	struct error *why = NULL;
	const char *sentence = NULL;
	int rc = 0;

	*line = json_parse_object(peer->input.text, length, &why);
	if (!*line || json_get_string(*line, "say", word, &why)) {
		rc = no_sense(peer, error_text(why), e);
	} else if (strcmp(*word, "error") == 0) {
		if (json_get_string(*line, "message", &sentence, &why))
			rc = no_sense(peer, error_text(why), e);
		else
			rc = error_set(e, EREMOTEIO, "%s: %.2000s", peer->name, sentence);
	}
	error_free(&why);
	if (rc) {
		json_object_put(*line);
		*line = NULL;
	}
	return rc;
}

static int read_some(struct peer *peer, uint64_t deadline, struct error **e)
{
	char chunk[4096];
	ssize_t n = recv(peer->fd, chunk, sizeof(chunk), 0);
	int rc;

	if (n > 0) {
		str_add_bytes(&peer->input, chunk, (size_t)n);
		return 0;
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		return ended(peer, n ? errno : 0, e);
	rc = wait_for(peer, UV_READABLE, deadline);
	return rc ? waited_in_vain(peer, rc, e) : 0;
}

int peer_hear(struct peer *peer, uint64_t deadline, const char **word, struct json_object **line,
	      struct error **e)
{
	*line = NULL;
	for (;;) {
		char *end =
			peer->input.len ? memchr(peer->input.text, '\n', peer->input.len) : NULL;
		int rc;

		if (end) {
			size_t length = (size_t)(end - peer->input.text);

			rc = decode(peer, length, word, line, e);
			str_drop(&peer->input, length + 1);
			return rc;
		}
		if (peer->input.len > PEER_LINE_MAX)
			return no_sense(peer, "a line is too long", e);
		rc = read_some(peer, deadline, e);
		if (rc)
			return rc;
	}
}

void peer_refuse(struct peer *peer, const char *sentence)
{
	uint64_t deadline = task_deadline(REFUSE_PATIENCE);
	struct json_object *line = peer_line("error");
	bool before = task_shield(true);

	json_set_string(line, "message", sentence);
	if (peer_say(peer, line, NULL) == 0) {
		/*
		 * What it had sent already: with that unread, the kernel would drop our line. A
		 * peer may send for ever; the loop runs between two pieces, and time passes there
		 * alone.
		 */
		shutdown(peer->fd, SHUT_WR);
		while (wait_for(peer, UV_READABLE, deadline) == 0 &&
		       read_some(peer, deadline, NULL) == 0)
			str_clear(&peer->input);
	}
	task_shield(before);
}

/* --- the worker's part --- */

int peer_lend(struct peer *peer, struct error **e)
{
	if (peer->input.len)
		return no_sense(peer, "bytes came too early", e);
	set_blocking(peer->fd, true);
	return 0;
}

void peer_take_back(struct peer *peer)
{
	set_blocking(peer->fd, false);
}
