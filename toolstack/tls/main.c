/* SPDX-License-Identifier: MIT */
/*
 * xend-tls: the process that speaks TLS with another host, so that xend does not. What a stranger
 * sends is first read here, where there is nothing to win.
 *
 *	xend-tls carry		a connection, until it ends
 *	xend-tls make		a new key and certificate
 *	xend-tls fingerprint	of a certificate
 *
 * The order is an object of JSON on the standard input. One line of JSON on the standard output is
 * the answer: an object with the members "fingerprint", of the other host, or "key" and
 * "certificate", or "error". For "carry" the descriptor 3 is xend's end, whose first byte brings
 * the connected socket along.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/json.h"
#include "tls/certificate.h"
#include "tls/confine.h"
#include "tls/relay.h"
#include "tls/session.h"

#define ORDER_MAX (1 << 20)
#define PLAIN	  3

static struct json_object *read_order(struct error **e)
{
	struct str text = STR_INIT;
	struct json_object *order = NULL;

	if (file_read_fd(0, "the order", ORDER_MAX, &text, e) == 0)
		order = json_parse_object(text.text, text.len, e);
	str_free(&text);
	return order;
}

static void answer(struct json_object *line)
{
	struct str text = STR_INIT;

	json_print(line, &text);
	str_add_char(&text, '\n');
	/* Nobody to tell it to if xend does not read. */
	if (file_write_fd(1, "the answer", text.text, text.len, NULL))
		_exit(1);
	str_free(&text);
	json_object_put(line);
}

static int receive_socket(struct error **e)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	int fd = -1;

	if (recvmsg(PLAIN, &message, MSG_CMSG_CLOEXEC) != 1)
		return error_set(e, EIO, "No socket has come: %s.", strerror(errno));
	c = CMSG_FIRSTHDR(&message);
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return error_set(e, EIO, "No socket has come.");
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

static int carry(struct json_object *order, struct error **e)
{
	struct json_object *line = json_new_object();
	struct session session = { 0 };
	int fd = receive_socket(e), rc = fd < 0 ? fd : confine_self(e);
	bool look = false;

	if (rc == 0)
		rc = session_begin(&session, fd, order, e);
	if (*session.fingerprint)
		json_set_string(line, "fingerprint", session.fingerprint);
	if (rc)
		json_set_string(line, "error", error_text(*e));
	answer(line);
	json_opt_bool(order, "look", false, &look, NULL);
	json_object_put(order);
	if (rc == 0 && !look)
		relay_run(session.tls, fd, PLAIN);
	session_end(&session);
	return rc;
}

static int tell(const char *what, struct json_object *order, struct error **e)
{
	struct json_object *line = NULL;
	char fingerprint[FINGERPRINT];
	const char *pem;
	int rc = confine_self(e);

	if (rc == 0 && strcmp(what, "make") == 0) {
		rc = certificate_make(&line, e);
	} else if (rc == 0) {
		rc = json_get_string(order, "certificate", &pem, e);
		if (rc == 0)
			rc = certificate_fingerprint(pem, fingerprint, e);
		line = json_new_object();
		if (rc == 0)
			json_set_string(line, "fingerprint", fingerprint);
	}
	if (!line)
		line = json_new_object();
	if (rc)
		json_set_string(line, "error", error_text(*e));
	answer(line);
	json_object_put(order);
	return rc;
}

int main(int argc, char **argv)
{
	struct json_object *order;
	struct error *e = NULL;
	int rc;

	if (argc != 2 || (strcmp(argv[1], "carry") != 0 && strcmp(argv[1], "make") != 0 &&
			  strcmp(argv[1], "fingerprint") != 0)) {
		fprintf(stderr, "xend-tls is xend's. See xend(8), xend-config.sxp(5).\n");
		return 2;
	}
	order = read_order(&e);
	if (!order)
		rc = error_errno(e);
	else if (strcmp(argv[1], "carry") == 0)
		rc = carry(order, &e);
	else
		rc = tell(argv[1], order, &e);
	error_free(&e);
	return rc ? 1 : 0;
}
