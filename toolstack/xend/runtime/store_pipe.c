/* SPDX-License-Identifier: MIT */
/* A connection of its own to xenstored, on which a number of requests are under way at a time. */
#include "xend/runtime/store_pipe.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <xen/io/xs_wire.h>

#include "lib/str.h"
#include "xend/runtime/store_link.h"

/* Requests at a time. Their answers, of 20 bytes, must fit into the socket's buffer. */
#define MOST 64

static struct {
	int fd; /* -1: none */
	struct str out;
	struct {
		uint32_t type;
		const char *path;
	} asked[MOST];
	uint32_t count;
	int err; /* of the first refusal, positive */
	const char *refused;
} line = { .fd = -1, .out = STR_INIT };

void store_pipe_open(void)
{
	int fd = store_link_connect();

	line.fd = fd < 0 ? -1 : fd;
}

void store_pipe_close(void)
{
	if (line.fd >= 0)
		close(line.fd);
	line.fd = -1;
	str_free(&line.out);
}

bool store_pipe_is_open(void)
{
	return line.fd >= 0;
}

static void send_all(void)
{
	const char *at = str_text(&line.out);
	size_t left = line.out.len;

	while (left) {
		ssize_t n = send(line.fd, at, left, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			store_link_lost("The connection to xenstored is lost (%s)",
					strerror(errno));
		at += n;
		left -= (size_t)n;
	}
	str_free(&line.out);
}

static void receive(void *to, size_t length)
{
	for (char *at = to; length;) {
		ssize_t n = recv(line.fd, at, length, MSG_WAITALL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			store_link_lost("The connection to xenstored is lost (%s)",
					n ? strerror(errno) : "it was closed");
		at += n;
		length -= (size_t)n;
	}
}

static int error_number(const char *name)
{
	for (size_t i = 0; i < sizeof(xsd_errors) / sizeof(xsd_errors[0]); i++)
		if (strcmp(xsd_errors[i].errstring, name) == 0)
			return xsd_errors[i].errnum;
	return EINVAL;
}

/* The answer to the request with that number. */
static void take_answer(uint32_t number)
{
	char body[XENSTORE_PAYLOAD_MAX + 1];
	struct xsd_sockmsg header;
	int err;

	receive(&header, sizeof(header));
	if (header.req_id != number || header.len > XENSTORE_PAYLOAD_MAX ||
	    (header.type != XS_ERROR && header.type != line.asked[number].type))
		store_link_lost("xenstored's answer has nothing to do with what was asked");
	receive(body, header.len);
	if (header.type != XS_ERROR || line.err)
		return;
	body[header.len] = '\0';
	err = error_number(body);
	if (err == ENOENT && line.asked[number].type == XS_RM)
		return;
	line.err = err;
	line.refused = line.asked[number].path;
}

static void exchange(void)
{
	store_link_ask();
	send_all();
	for (uint32_t i = 0; i < line.count; i++)
		take_answer(i);
	store_link_answered();
	line.count = 0;
}

void store_pipe_add(uint32_t type, const char *path, const char *more, size_t length)
{
	struct xsd_sockmsg header = { .type = type, .len = (uint32_t)(strlen(path) + 1 + length) };

	if (header.len > XENSTORE_PAYLOAD_MAX) {
		line.refused = line.err ? line.refused : path;
		line.err = line.err ? line.err : E2BIG;
		return;
	}
	if (line.count == MOST)
		exchange();
	header.req_id = line.count;
	line.asked[line.count].type = type;
	line.asked[line.count++].path = path;
	str_add_bytes(&line.out, (const char *)&header, sizeof(header));
	str_add_bytes(&line.out, path, strlen(path) + 1);
	str_add_bytes(&line.out, more, length);
}

int store_pipe_flush(const char **refused)
{
	int err;

	exchange();
	err = line.err;
	*refused = line.refused;
	line.err = 0;
	return err;
}
