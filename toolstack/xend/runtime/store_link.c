/* SPDX-License-Identifier: MIT */
/*
 * How xend notices that xenstored has ended or hangs. libxenstore talks to xenstored over its
 * socket or, if there is none, over the kernel's /dev/xen/xenbus. Three of its habits make this
 * file necessary:
 *
 *	- It does not report a closed socket; only the next call fails. So the loop polls a
 *	  second connection on which nothing is ever sent.
 *	- A call waits without limit. So a timer runs beside each call.
 *	- The kernel's device opens even if no xenstored serves it. So xend uses the device
 *	  only where xenstored runs in a domain of its own.
 */
#include "xend/runtime/store_link.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <xenstore_lib.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/log_open.h"
#include "xend/domain/domain.h"
#include "xend/xend.h"

unsigned int store_patience = 30000;

static struct {
	struct xs_handle *xs;
	uv_poll_t poll; /* the second, silent connection */
	int silent;	/* its descriptor; -1: none */
	timer_t timer;
} connection = { .silent = -1 };

void store_link_lost(const char *fmt, ...)
{
	va_list ap;
	char *why;

	va_start(ap, fmt);
	why = xvasprintf(fmt, ap);
	va_end(ap);
	log_error("%s: xend ends. Domains run on, but cannot be changed. xend can start again once "
		  "xenstored answers; a "
		  "xenstored that was started anew does not know the domains that run: shut them "
		  "down from inside, and "
		  "restart the host.",
		  why);
	/* Undo nothing: the next xend does so, when it can see the state again. */
	log_close();
	_exit(XEND_EXIT_STORE);
}

/* Runs in a thread of its own, because the loop is blocked in the call. */
static void on_timer(union sigval unused)
{
	store_link_lost("xenstored has not answered for %u seconds", store_patience / 1000);
}

static void set_timer(unsigned int ms)
{
	struct itimerspec when = { .it_value = { .tv_sec = ms / 1000,
						 .tv_nsec = ms % 1000 * 1000000L } };
	int saved = errno;

	timer_settime(connection.timer, 0, &when, NULL);
	errno = saved;
}

void store_link_ask(void)
{
	set_timer(store_patience);
}

void store_link_answered(void)
{
	set_timer(0);
}

/*
 * The errno cannot tell a refusal by xenstored from a broken connection: EINVAL means both. So ask
 * again, for "/".
 */
void store_link_check(void)
{
	int saved = errno;
	char *root;

	if (saved == ENOENT)
		return;
	store_link_ask();
	root = xs_read(connection.xs, XBT_NULL, "/", NULL);
	store_link_answered();
	if (!root && errno != ENOENT && errno != EACCES)
		store_link_lost("The connection to xenstored is lost (%s)", strerror(saved));
	free(root);
	errno = saved;
}

static void on_silent(uv_poll_t *poll, int status, int events)
{
	char byte;
	ssize_t n = recv(connection.silent, &byte, 1, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		store_link_lost("xenstored has ended");
}

int store_link_connect(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, rc = 0;

	if (strlen(xs_daemon_socket()) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, xs_daemon_socket());
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	store_link_ask();
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		rc = -errno;
	store_link_answered();
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

static bool xenstored_is_a_domain(void)
{
	struct hv_domain_info *list;
	bool found = false;
	size_t count;

	if (hv_domain_list(domain_hv, &list, &count, NULL))
		return false;
	for (size_t i = 0; i < count; i++)
		found = found || (list[i].domid && list[i].xenstore && !list[i].dying);
	free(list);
	return found;
}

int store_link_open(uv_loop_t *loop, struct xs_handle **xs, struct error **e)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_timer };
	int rc;

	if (timer_create(CLOCK_MONOTONIC, &event, &connection.timer))
		return error_set(e, errno, "Cannot make a timer: %s.", strerror(errno));
	rc = store_link_connect();
	connection.silent = rc < 0 ? -1 : rc;
	if (rc < 0 && !xenstored_is_a_domain())
		return error_set(e, ENOTCONN,
				 "xenstored is not running (%s: %s). xend can start once it is.",
				 xs_daemon_socket(), strerror(-rc));
	store_link_ask();
	connection.xs = xs_open(0);
	store_link_answered();
	if (!connection.xs)
		return error_set(e, ENOTCONN, "Cannot connect to xenstored: %s.", strerror(errno));
	errno = EIO;
	store_link_check();
	if (connection.silent >= 0) {
		uv_poll_init(loop, &connection.poll, connection.silent);
		uv_poll_start(&connection.poll, UV_READABLE | UV_DISCONNECT, on_silent);
	}
	*xs = connection.xs;
	return 0;
}

void store_link_close(void)
{
	if (connection.silent >= 0) {
		uv_close((uv_handle_t *)&connection.poll, NULL);
		close(connection.silent);
	}
	connection.silent = -1;
	xs_close(connection.xs);
	timer_delete(connection.timer);
}
