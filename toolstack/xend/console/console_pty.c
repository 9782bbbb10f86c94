/* SPDX-License-Identifier: MIT */
/* The pty of a console: a raw pair; xend keeps both ends. */
#include "xend/console/console_pty.h"

#include <fcntl.h>
#include <pty.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "lib/alloc.h"

struct console_pty {
	uv_poll_t poll;
	int master;
	/*
	 * Held open: if no slave is open, reads of the master fail and poll reports it ready all
	 * the time.
	 */
	int slave;
	char path[64];
	void (*on_input)(void *arg, const char *bytes, size_t length);
	void *arg;
};

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct console_pty *pty = poll->data;
	char bytes[512];
	ssize_t n = read(pty->master, bytes, sizeof(bytes));

	if (n > 0)
		pty->on_input(pty->arg, bytes, (size_t)n);
}

struct console_pty *console_pty_make(uv_loop_t *loop,
				     void (*on_input)(void *arg, const char *bytes, size_t length),
				     void *arg)
{
	struct console_pty *pty = xcalloc(1, sizeof(*pty));
	struct termios raw;

	if (openpty(&pty->master, &pty->slave, NULL, NULL, NULL)) {
		free(pty);
		return NULL;
	}
	fcntl(pty->master, F_SETFD, FD_CLOEXEC);
	fcntl(pty->slave, F_SETFD, FD_CLOEXEC);
	if (ttyname_r(pty->slave, pty->path, sizeof(pty->path)) || tcgetattr(pty->slave, &raw))
		goto failed;
	cfmakeraw(&raw);
	tcsetattr(pty->slave, TCSANOW, &raw);
	if (uv_poll_init(loop, &pty->poll, pty->master))
		goto failed;
	pty->poll.data = pty;
	pty->on_input = on_input;
	pty->arg = arg;
	uv_poll_start(&pty->poll, UV_READABLE, on_readable);
	return pty;
failed:
	close(pty->master);
	close(pty->slave);
	free(pty);
	return NULL;
}

const char *console_pty_path(const struct console_pty *pty)
{
	return pty->path;
}

void console_pty_write(struct console_pty *pty, const char *bytes, size_t length)
{
	ssize_t n = write(pty->master, bytes, length);

	(void)n;
}

static void on_closed(uv_handle_t *poll)
{
	struct console_pty *pty = poll->data;

	close(pty->master);
	close(pty->slave);
	free(pty);
}

void console_pty_free(struct console_pty *pty)
{
	if (pty)
		uv_close((uv_handle_t *)&pty->poll, on_closed);
}
