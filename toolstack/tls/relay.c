/* SPDX-License-Identifier: MIT */
/* One loop for both directions, each with one buffer of a record's size. */
#include "tls/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECORD 16384

struct way {
	char bytes[RECORD];
	size_t from, to; /* what is not written yet */
	bool input_ended, ended;
};

struct relay {
	gnutls_session_t tls;
	int tls_fd, plain;
	struct way out; /* from the plain side into TLS */
	struct way in;	/* the reverse */
	bool plain_gone;
};

static bool is_empty(const struct way *way)
{
	return way->from == way->to;
}

static bool must_wait(ssize_t n)
{
	return n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED;
}

/* The next four move what they can: 0, or -EPIPE when the connection is over. */

static int read_plain(struct relay *r)
{
	struct way *way = &r->out;
	ssize_t n;

	if (!is_empty(way) || way->input_ended)
		return 0;
	n = read(r->plain, way->bytes, sizeof(way->bytes));
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -EPIPE;
	way->from = 0;
	way->to = (size_t)n;
	way->input_ended = n == 0;
	return 0;
}

static int write_tls(struct relay *r)
{
	struct way *way = &r->out;
	ssize_t n;

	while (!is_empty(way)) {
		n = gnutls_record_send(r->tls, way->bytes + way->from, way->to - way->from);
		if (n < 0)
			return must_wait(n) ? 0 : -EPIPE;
		way->from += (size_t)n;
	}
	if (way->input_ended && !way->ended) {
		n = gnutls_bye(r->tls, GNUTLS_SHUT_WR);
		if (n < 0)
			return must_wait(n) ? 0 : -EPIPE;
		way->ended = true;
	}
	return 0;
}

static int read_tls(struct relay *r)
{
	struct way *way = &r->in;
	ssize_t n;

	if (!is_empty(way) || way->input_ended)
		return 0;
	n = gnutls_record_recv(r->tls, way->bytes, sizeof(way->bytes));
	if (n < 0)
		return must_wait(n) || !gnutls_error_is_fatal((int)n) ? 0 : -EPIPE;
	way->from = 0;
	way->to = (size_t)n;
	way->input_ended = n == 0;
	return 0;
}

static int write_plain(struct relay *r)
{
	struct way *way = &r->in;
	ssize_t n;

	while (!is_empty(way)) {
		n = send(r->plain, way->bytes + way->from, way->to - way->from, MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -EPIPE;
		way->from += (size_t)n;
	}
	if (way->input_ended && !way->ended) {
		shutdown(r->plain, SHUT_WR);
		way->ended = true;
	}
	return 0;
}

static int wait_for_more(struct relay *r)
{
	struct pollfd fds[2] = { { .fd = r->tls_fd }, { .fd = r->plain } };

	if (!r->plain_gone && is_empty(&r->in) && !r->in.input_ended &&
	    gnutls_record_check_pending(r->tls))
		return 0;
	/* What it had written before is still to be read, and its end. */
	if (r->plain_gone && is_empty(&r->out) && !r->out.input_ended)
		return 0;
	if (!r->plain_gone && is_empty(&r->in) && !r->in.input_ended)
		fds[0].events |= POLLIN;
	if (!is_empty(&r->out) || (r->out.input_ended && !r->out.ended))
		fds[0].events |= POLLOUT;
	if (is_empty(&r->out) && !r->out.input_ended)
		fds[1].events |= POLLIN;
	if (!is_empty(&r->in))
		fds[1].events |= POLLOUT;
	/* A side that has ended both ways would be reported again at once, for ever. */
	if (r->plain_gone)
		fds[1].fd = -1;
	if (poll(fds, 2, -1) < 0)
		return errno == EINTR ? 0 : -EPIPE;
	if (fds[0].revents & (POLLERR | POLLNVAL))
		return -EPIPE;
	if (fds[1].revents & (POLLERR | POLLHUP | POLLNVAL))
		r->plain_gone = true;
	return 0;
}

int relay_run(gnutls_session_t tls, int tls_fd, int plain)
{
	struct relay r = { .tls = tls, .tls_fd = tls_fd, .plain = plain };
	int rc = 0;

	fcntl(tls_fd, F_SETFL, fcntl(tls_fd, F_GETFL) | O_NONBLOCK);
	fcntl(plain, F_SETFL, fcntl(plain, F_GETFL) | O_NONBLOCK);
	while (rc == 0 && !(r.in.ended && r.out.ended)) {
		rc = read_plain(&r);
		if (rc == 0)
			rc = write_tls(&r);
		if (rc == 0 && !r.plain_gone)
			rc = read_tls(&r);
		if (rc == 0 && !r.plain_gone)
			rc = write_plain(&r);
		/* Nobody reads any more; what was to be sent is sent. */
		if (r.plain_gone && r.out.ended)
			break;
		if (rc == 0)
			rc = wait_for_more(&r);
	}
	return rc;
}
