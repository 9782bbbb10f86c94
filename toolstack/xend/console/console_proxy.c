/* SPDX-License-Identifier: MIT */
/* A client and a pty joined: what either sends goes to the other, until one of them ends. */
#include "xend/console/console_proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/str.h"
#include "xend/server/client.h"
#include "xend/domain/domain.h"
#include "xend/runtime/store.h"

struct proxy {
	uv_poll_t poll;
	int tty;
	struct client *client; /* with a reference */
};

/* Opens the domain's pty. A path is accepted only if it looks like one that xenconsoled made. */
static int open_tty(struct domain *domain, struct error **e)
{
	char *path = store_read("/local/domain/%d/console/tty", domain->domid);
	uint64_t number;
	int fd = -1;

	if (path && str_starts(path, "/dev/pts/") &&
	    str_to_u64(path + strlen("/dev/pts/"), 10, 0, 1 << 20, &number))
		fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	else
		errno = ENXIO;
	if (fd < 0)
		error_set(e, ENOTCONN,
			  "The console of domain '%s', which xenconsoled serves, cannot be opened: "
			  "%s.",
			  domain->name, strerror(errno));
	free(path);
	return fd;
}

int console_proxy_check(struct domain *domain, struct error **e)
{
	int fd = open_tty(domain, e);

	if (fd < 0)
		return -ENOTCONN;
	close(fd);
	return 0;
}

static void on_closed(uv_handle_t *poll)
{
	struct proxy *proxy = poll->data;

	close(proxy->tty);
	free(proxy);
}

static void end(struct proxy *proxy)
{
	if (uv_is_closing((uv_handle_t *)&proxy->poll))
		return;
	client_unref(proxy->client);
	uv_close((uv_handle_t *)&proxy->poll, on_closed);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct proxy *proxy = poll->data;
	char bytes[4096];
	ssize_t n = status ? 0 : read(proxy->tty, bytes, sizeof(bytes));

	if (n > 0) {
		client_send_bytes(proxy->client, bytes, (size_t)n);
	} else if (n == 0 || errno != EAGAIN) {
		client_hang_up(proxy->client);
		end(proxy);
	}
}

static void on_bytes(void *arg, const void *bytes, size_t length)
{
	struct proxy *proxy = arg;
	ssize_t n = write(proxy->tty, bytes, length);

	/* Bytes that the pty has no room for are lost, as on a line without flow control. */
	(void)n;
}

static void on_gone(void *arg)
{
	end(arg);
}

void console_proxy_open(uv_loop_t *loop, struct domain *domain, struct client *client)
{
	int tty = open_tty(domain, NULL);
	struct proxy *proxy;
	struct termios raw;

	if (tty < 0) {
		client_hang_up(client);
		return;
	}
	if (tcgetattr(tty, &raw) == 0) {
		cfmakeraw(&raw);
		tcsetattr(tty, TCSANOW, &raw);
	}
	proxy = xcalloc(1, sizeof(*proxy));
	proxy->tty = tty;
	proxy->client = client_ref(client);
	uv_poll_init(loop, &proxy->poll, tty);
	proxy->poll.data = proxy;
	uv_poll_start(&proxy->poll, UV_READABLE, on_readable);
	client_become_raw(client, on_bytes, on_gone, proxy);
}
