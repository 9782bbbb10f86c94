/* SPDX-License-Identifier: MIT */
/* Starts xend-tls, gives it a socket, and hears what it says of the other host. */
#include "xend/migrate/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/str.h"
#include "xend/migrate/trust.h"
#include "xend/runtime/proc.h"
#include "xend/runtime/task.h"

/* Milliseconds for the handshake; the process itself gives up a little earlier. */
#define HANDSHAKE_PATIENCE 40000
/* Between two looks at it. */
#define LOOK 20

struct talk {
	struct json_object *line; /* NULL: nothing yet */
	bool any;
};

static void on_line(void *arg, char *text)
{
	struct talk *talk = arg;

	/* It says one line; what follows would be a stranger's words through it. */
	if (talk->any)
		return;
	talk->any = true;
	talk->line = json_parse_object(text, strlen(text), NULL);
}

static int start(const char *what, struct json_object *order, int fd, struct talk *talk,
		 struct proc **proc, struct error **e)
{
	const char *path = getenv(TLS_PROGRAM_ENV);
	const char *argv[] = { path ? path : TLS_PROGRAM, what, NULL };
	const struct proc_spec spec = { .argv = argv, .fd = fd, .on_line = on_line, .arg = talk };
	struct str text = STR_INIT;
	int rc;

	rc = proc_start(&spec, proc, e);
	if (rc)
		return rc;
	json_print(order, &text);
	proc_send(*proc, text.text, text.len);
	proc_end_input(*proc);
	str_free(&text);
	return 0;
}

/* What the process has said, or why it has said nothing. */
static int judge(struct talk *talk, struct error **e)
{
	const char *sentence;

	if (!talk->line)
		return error_set(e, EPROTO,
				 "The process for TLS has failed; xend's log may say why.");
	if (json_get_string(talk->line, "error", &sentence, NULL) == 0)
		return error_set(e, EACCES, "%.2000s", sentence);
	return 0;
}

int tls_tell(const char *what, struct json_object *order, struct json_object **result,
	     struct error **e)
{
	struct talk talk = { .any = false };
	struct proc *proc = NULL;
	int status, rc = start(what, order, -1, &talk, &proc, e);

	*result = NULL;
	json_object_put(order);
	if (rc)
		return rc;
	rc = proc_wait(proc, task_deadline(HANDSHAKE_PATIENCE), &status);
	if (rc)
		error_set(e, rc, "The process for TLS does not end.");
	else
		rc = judge(&talk, e);
	proc_free(proc);
	if (rc == 0)
		*result = talk.line;
	else
		json_object_put(talk.line);
	return rc;
}

/* --- a connection --- */

static int give_socket(int to, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(to, &message, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

/* A process that carries a connection; xend's end of it may be closed long before it ends. */
struct carrier {
	struct talk talk;
	struct proc *proc;
};

static void carrier_end(struct carrier *carrier)
{
	proc_free(carrier->proc);
	json_object_put(carrier->talk.line);
	free(carrier);
}

/* What xend has written last may still be on its way when it closes its end. */
static void linger(void *arg)
{
	struct carrier *carrier = arg;
	int status;

	task_shield(true);
	proc_wait(carrier->proc, TASK_FOREVER, &status);
	carrier_end(carrier);
}

static int wait_for_line(struct carrier *carrier, struct error **e)
{
	uint64_t deadline = task_deadline(HANDSHAKE_PATIENCE);
	int status, rc = -ETIMEDOUT;

	/* It says its line, or ends without one. */
	while (rc == -ETIMEDOUT && !carrier->talk.any && task_now() < deadline)
		rc = proc_wait(carrier->proc, task_deadline(LOOK), &status);
	if (rc == -ECANCELED)
		return error_set(e, rc, "The handshake of TLS was cancelled.");
	if (rc && !carrier->talk.any)
		return error_set(e, rc, "The handshake of TLS takes too long.");
	return 0;
}

/* NULL: it has said none. */
static const char *fingerprint_said(const struct carrier *carrier)
{
	const char *fingerprint;

	return carrier->talk.line &&
			       json_get_string(carrier->talk.line, "fingerprint", &fingerprint,
					       NULL) == 0 &&
			       trust_is_fingerprint(fingerprint) ?
		       fingerprint :
		       NULL;
}

/* The plain end, or an error. `order` and `fd` are taken over. */
static int shake_hands(struct carrier *carrier, struct json_object *order, int fd, struct error **e)
{
	int ends[2] = { -1, -1 }, rc = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		rc = error_set(e, errno, "There are no descriptors for TLS: %s.", strerror(errno));
	if (rc == 0) {
		rc = give_socket(ends[0], fd);
		if (rc)
			error_set(e, rc, "TLS cannot have the connection: %s.", strerror(-rc));
	}
	if (rc == 0)
		rc = start("carry", order, ends[1], &carrier->talk, &carrier->proc, e);
	json_object_put(order);
	if (ends[1] >= 0)
		close(ends[1]);
	close(fd);
	if (rc == 0)
		rc = wait_for_line(carrier, e);
	if (rc == 0)
		rc = judge(&carrier->talk, e);
	/* Nobody is let through who is nobody. */
	if (rc == 0 && !fingerprint_said(carrier))
		rc = error_set(e, EPROTO, "The process for TLS does not say who is there.");
	if (rc && ends[0] >= 0)
		close(ends[0]);
	return rc ? rc : ends[0];
}

/* The process shakes hands with a socket that blocks, and relays with one that does not. */
static void set_blocking(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
}

/* The fingerprints of the host that is called so; all, for a server. */
static int put_trusted(struct json_object *order, enum tls_role role, const char *name,
		       struct error **e)
{
	struct json_object *list, *fingerprints = json_new_array();
	const char *host, *fingerprint;
	int rc = trust_load(&list, e);

	for (size_t i = 0; rc == 0 && i < json_object_array_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		if (json_object_is_type(o, json_type_object) &&
		    json_get_string(o, "host", &host, NULL) == 0 &&
		    json_get_string(o, "fingerprint", &fingerprint, NULL) == 0 &&
		    (role == TLS_SERVER || strcmp(host, name) == 0))
			json_append(fingerprints, json_new_string(fingerprint));
	}
	json_object_put(list);
	json_set(order, "trusted", fingerprints);
	return rc;
}

static int make_order(struct json_object **order, enum tls_role role, const char *name,
		      struct error **e)
{
	int rc;

	*order = json_new_object();
	json_set_string(*order, "name", name);
	json_set_bool(*order, "server", role == TLS_SERVER);
	rc = trust_put_own(*order, e);
	if (rc == 0)
		rc = put_trusted(*order, role, name, e);
	if (rc) {
		json_object_put(*order);
		*order = NULL;
	}
	return rc;
}

int tls_wrap(int fd, enum tls_role role, const char *name, struct error **e)
{
	struct json_object *order;
	struct carrier *carrier;
	int plain, rc = make_order(&order, role, name, e);

	if (rc) {
		close(fd);
		return rc;
	}
	set_blocking(fd);
	carrier = xcalloc(1, sizeof(*carrier));
	plain = shake_hands(carrier, order, fd, e);
	if (plain == -EACCES && role == TLS_SERVER && fingerprint_said(carrier))
		trust_note_asked(name, fingerprint_said(carrier));
	if (plain < 0 || !task_start(linger, carrier)) {
		/* A client that is refused is told so by the process, which ends then. */
		if (plain != -EACCES || !carrier->proc || !task_start(linger, carrier))
			carrier_end(carrier);
		if (plain >= 0) {
			close(plain);
			plain = error_set(e, ENOMEM, "There is no memory for TLS with %s.", name);
		}
		return plain;
	}
	fcntl(plain, F_SETFL, fcntl(plain, F_GETFL) | O_NONBLOCK);
	return plain;
}

int tls_look(int fd, const char *name, struct json_object **result, struct error **e)
{
	struct carrier *carrier;
	struct json_object *order;
	int plain, rc = make_order(&order, TLS_CLIENT, name, e);

	*result = NULL;
	if (rc) {
		close(fd);
		return rc;
	}
	json_set_bool(order, "look", true);
	set_blocking(fd);
	carrier = xcalloc(1, sizeof(*carrier));
	plain = shake_hands(carrier, order, fd, e);
	if (plain >= 0) {
		close(plain);
		*result = json_new_string(fingerprint_said(carrier));
	} else {
		rc = plain;
	}
	carrier_end(carrier);
	return rc;
}
