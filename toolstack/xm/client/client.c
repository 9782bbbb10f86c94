/* SPDX-License-Identifier: MIT */
/* The client's side of the protocol: one request at a time, lines of JSON in both directions. */
#include "xm/client/client.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/json.h"
#include "protocol.h"

enum { READ_CHUNK = 64 * 1024 };

/* The id of the request that cancels another one. */
#define CANCEL_ID "cancel"

struct client {
	int fd;
	int64_t last_id;
	bool cancels;	  /* on SIGINT, which is blocked but for the waits */
	bool cancelling;  /* xend was asked to */
	struct str input; /* received and not used yet */
};

static const char *socket_path(void)
{
	const char *path = getenv(XEND_SOCKET_ENV);

	return path && *path ? path : XEND_SOCKET_PATH;
}

/*
 * The sentence for a failed connect(). Only root may use xend's socket, and its directory may hide
 * it from other users.
 */
static int connect_error(int errnum, struct error **e)
{
	if (geteuid() != 0 || errnum == EACCES || errnum == EPERM)
		return error_set(e, EACCES,
				 "Most commands need root access. Please try again as root.");
	/*
	 * A missing socket counts as one without a listener, because people and scripts look for
	 * this one text.
	 */
	if (errnum == ENOENT || errnum == ENOTSOCK)
		errnum = ECONNREFUSED;
	return error_set(e, errnum, "Unable to connect to xend: %s. Is xend running?",
			 strerror(errnum));
}

int client_open(struct client **client, struct error **e)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = socket_path();
	int fd, errnum;

	*client = NULL;
	if (strlen(path) >= sizeof(address.sun_path))
		return error_set(e, ENAMETOOLONG,
				 "Unable to connect to xend: %s=%s is longer than %zu characters.",
				 XEND_SOCKET_ENV, path, sizeof(address.sun_path) - 1);
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set(e, errno, "Unable to connect to xend: no socket: %s.",
				 strerror(errno));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		errnum = errno;
		close(fd);
		return connect_error(errnum, e);
	}
	*client = xcalloc(1, sizeof(**client));
	(*client)->fd = fd;
	return 0;
}

void client_set_patience(struct client *client, unsigned int seconds)
{
	struct timeval limit = { .tv_sec = seconds };

	setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

void client_close(struct client *client)
{
	if (!client)
		return;
	close(client->fd);
	str_free(&client->input);
	free(client);
}

/* The connection ended during a request, so nobody knows how far the work got. */
static int lost(const char *method, const char *why, struct error **e)
{
	return error_set(e, ECONNRESET,
			 "The connection to xend was lost during %s (%s). It may have been done or "
			 "not: see `xm list' and "
			 "`xm log', and try again once xend runs.",
			 method, why);
}

/* --- interrupts --- */

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	interrupted = 1;
}

static void block_interrupts(bool on)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigprocmask(on ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

void client_cancel_on_interrupt(struct client *client)
{
	struct sigaction action = { .sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND },
			 before;

	if (sigaction(SIGINT, NULL, &before) || before.sa_handler != SIG_DFL)
		return;
	interrupted = 0;
	client->cancels = true;
	client->cancelling = false;
	block_interrupts(true);
	sigaction(SIGINT, &action, NULL);
}

bool client_is_interrupted(const struct client *client)
{
	return client->cancels && !client->cancelling && interrupted;
}

bool client_end_interrupts(struct client *client)
{
	if (!client->cancels)
		return false;
	client->cancels = false;
	signal(SIGINT, SIG_DFL);
	/* One that has come since the answer ends the process here. */
	block_interrupts(false);
	return interrupted;
}

static int send_request(struct client *client, struct json_object *id, const char *method,
			struct json_object *params, struct error **e)
{
	struct json_object *request = json_new_object();
	struct str line = STR_INIT;
	size_t sent = 0;
	int rc = 0;

	json_set_int(request, XEND_F_VERSION, XEND_PROTOCOL_VERSION);
	json_set(request, XEND_F_ID, id);
	json_set_string(request, XEND_F_METHOD, method);
	if (params)
		json_set(request, XEND_F_PARAMS, params);
	json_print(request, &line);
	json_object_put(request);
	str_add_char(&line, '\n');
	if (line.len > (size_t)XEND_MAX_REQUEST)
		rc = error_set(e, E2BIG,
			       "The request %s is too large for xend: %zu bytes, at most %d.",
			       method, line.len, XEND_MAX_REQUEST);
	while (rc == 0 && sent < line.len) {
		ssize_t n = send(client->fd, line.text + sent, line.len - sent, MSG_NOSIGNAL);

		if (n >= 0)
			sent += (size_t)n;
		else if (errno != EINTR)
			rc = lost(method, strerror(errno), e);
	}
	str_free(&line);
	return rc;
}

int client_send(struct client *client, const char *method, struct json_object *params,
		struct error **e)
{
	return send_request(client, json_new_int(++client->last_id), method, params, e);
}

/* Waits for bytes or for SIGINT. After the first SIGINT, a second one ends the process. */
static int wait_for_bytes(struct client *client, client_progress *progress, void *data,
			  struct error **e)
{
	struct pollfd fd = { .fd = client->fd, .events = POLLIN };
	struct json_object *params;
	sigset_t none;

	sigemptyset(&none);
	/* It may have come already while a progress function waited. */
	while (!interrupted && ppoll(&fd, 1, NULL, &none) < 0 && errno == EINTR)
		continue;
	if (!interrupted || client->cancelling)
		return 0;
	client->cancelling = true;
	block_interrupts(false);
	if (progress)
		progress(data, "cancelling (Ctrl-C again leaves at once)", 0, 0, NULL);
	params = json_new_object();
	json_set_int(params, XEND_P_REQUEST, client->last_id);
	return send_request(client, json_new_string(CANCEL_ID), XEND_M_CANCEL, params, e);
}

/* Wait until client->input begins with a whole line. *len: its length without the newline. */
static int receive_line(struct client *client, const char *method, client_progress *progress,
			void *data, size_t *len, struct error **e)
{
	size_t searched = 0;

	for (;;) {
		struct str *in = &client->input;
		char *end = in->len > searched ?
				    memchr(in->text + searched, '\n', in->len - searched) :
				    NULL;
		ssize_t n;

		if (end) {
			*len = (size_t)(end - in->text);
			return 0;
		}
		searched = in->len;
		if (in->len > (size_t)XEND_MAX_ANSWER)
			return error_set(e, EPROTO, "xend's answer to %s is longer than %d bytes.",
					 method, XEND_MAX_ANSWER);
		if (client->cancels && !client->cancelling &&
		    wait_for_bytes(client, progress, data, e))
			return -ECONNRESET;
		n = read(client->fd, str_reserve(in, READ_CHUNK), READ_CHUNK);
		if (n > 0)
			in->len += (size_t)n;
		else if (n == 0)
			return lost(method, "it was closed", e);
		else if (errno == EAGAIN)
			return error_set(e, EAGAIN, "xend does not answer %s.", method);
		else if (errno != EINTR)
			return lost(method, strerror(errno), e);
	}
}

static void report_progress(struct json_object *progress, client_progress *report, void *data)
{
	struct json_object *numbers = NULL;
	const char *stage;
	int64_t done, total;

	/* Ignore a malformed progress line: the answer still comes. */
	if (!report || json_get_string(progress, "stage", &stage, NULL) ||
	    json_opt_int(progress, "done", 0, INT64_MAX, 0, &done, NULL) ||
	    json_opt_int(progress, "total", 0, INT64_MAX, 0, &total, NULL) ||
	    json_opt_typed(progress, XEND_F_NUMBERS, json_type_object, &numbers, NULL))
		return;
	report(data, stage, (uint64_t)done, (uint64_t)total, numbers);
}

static int remote_error(const char *method, struct json_object *error, struct error **e)
{
	const char *code = NULL, *message = NULL;
	int rc = json_get_string(error, XEND_F_CODE, &code, e);

	if (rc == 0)
		rc = json_get_string(error, XEND_F_MESSAGE, &message, e);
	if (rc) {
		error_prefix(e, "xend's answer to %s is not understood: ", method);
		return rc;
	}
	return error_set(e, strcmp(code, XEND_E_UNKNOWN_METHOD) == 0 ? ENOSYS : EREMOTEIO, "%s",
			 message);
}

/*
 * Handle one line. Returns 1 for progress or an answer to another request, 0 for the result, -errno
 * for an error.
 */
static int take_line(struct client *client, const char *method, struct json_object *line,
		     client_progress *progress, void *data, struct json_object **result,
		     struct error **e)
{
	struct json_object *id = json_find(line, XEND_F_ID);
	struct json_object *value;

	if (json_object_is_type(id, json_type_string)) {
		/* xend has finished it, cannot take it back, or knows no cancelling. */
		if (client->cancelling && json_find(line, XEND_F_ERROR))
			return error_set(e, EINPROGRESS,
					 "xend does not cancel %s, and goes on with it.", method);
		return 1;
	}
	/*
	 * An answer without an id is for us too: xend sends it when it could not read the request,
	 * or when it has too many clients.
	 */
	if (id && json_object_get_int64(id) != client->last_id)
		return 1;
	value = json_find(line, XEND_F_PROGRESS);
	if (value) {
		report_progress(value, progress, data);
		return 1;
	}
	value = json_find(line, XEND_F_ERROR);
	if (value)
		return remote_error(method, value, e);
	if (!json_object_object_get_ex(line, XEND_F_RESULT, &value))
		return error_set(e, EPROTO,
				 "xend's answer to %s holds neither a result nor an error.",
				 method);
	*result = value ? json_object_get(value) : json_new_object();
	return 0;
}

int client_wait(struct client *client, const char *method, client_progress *progress, void *data,
		struct json_object **result, struct error **e)
{
	int rc;

	*result = NULL;
	do {
		struct json_object *line;
		size_t len = 0;

		rc = receive_line(client, method, progress, data, &len, e);
		if (rc)
			return rc;
		line = json_parse_object(client->input.text, len, e);
		if (!line) {
			error_prefix(e, "xend's answer to %s is not understood: ", method);
			return -EPROTO;
		}
		str_drop(&client->input, len + 1);
		rc = take_line(client, method, line, progress, data, result, e);
		json_object_put(line);
	} while (rc > 0);
	return rc;
}

int client_call(struct client *client, const char *method, struct json_object *params,
		client_progress *progress, void *data, struct json_object **result,
		struct error **e)
{
	int rc = client_send(client, method, params, e);

	*result = NULL;
	return rc ? rc : client_wait(client, method, progress, data, result, e);
}

int client_fd(const struct client *client)
{
	return client->fd;
}

bool client_has_more(const struct client *client)
{
	return client->input.len > 0;
}

int client_stream(struct client *client, struct str *early)
{
	str_add_bytes(early, client->input.text, client->input.len);
	str_clear(&client->input);
	return client->fd;
}
