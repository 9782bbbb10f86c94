/* SPDX-License-Identifier: MIT */
/* One socket to the worker, which has the bootloader's pty: xend needs no terminal for this. */
#include "xend/console/console_boot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "xend/console/console_viewers.h"
#include "xend/domain/domain.h"

/* The most input in bytes that waits for the worker to read it; input beyond it is lost. */
#define INPUT_LIMIT (16 * 1024)
/*
 * The bytes that a bootloader may write per interval (milliseconds), as a guest may (console.c):
 * beyond them it waits. A guest's disk says what it writes.
 */
#define BUDGET		(256 * 1024)
#define BUDGET_INTERVAL 100

struct console_boot {
	uv_pipe_t pipe;
	uv_timer_t timer;
	unsigned int handles; /* those two, until they are closed */
	uint64_t interval_start;
	size_t spent;
	struct viewers *viewers;
	char chunk[4096];
};

struct console_boot_input {
	uv_write_t request;
	char bytes[];
};

static void give_chunk(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct console_boot *boot = handle->data;

	*buffer = uv_buf_init(boot->chunk, sizeof(boot->chunk));
}

static void on_timer(uv_timer_t *timer);

/* Lets the bootloader wait if the budget is used up. */
static void spend(struct console_boot *boot, size_t n)
{
	uint64_t now = uv_now(boot->timer.loop);

	if (now - boot->interval_start >= BUDGET_INTERVAL) {
		boot->interval_start = now;
		boot->spent = 0;
	}
	boot->spent += n;
	if (boot->spent < BUDGET)
		return;
	uv_read_stop((uv_stream_t *)&boot->pipe);
	uv_timer_start(&boot->timer, on_timer, BUDGET_INTERVAL, 0);
}

static void on_output(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
	struct console_boot *boot = stream->data;

	if (n > 0) {
		viewers_show(boot->viewers, buffer->base, (size_t)n);
		spend(boot, (size_t)n);
	} else if (n < 0) {
		uv_read_stop(stream);
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct console_boot *boot = timer->data;

	uv_read_start((uv_stream_t *)&boot->pipe, give_chunk, on_output);
}

static void on_sent(uv_write_t *request, int status)
{
	/* An error means that the bootloader has ended. */
	free(request->data);
}

static void type(void *arg, const char *bytes, size_t length)
{
	struct console_boot *boot = arg;
	uv_stream_t *stream = (uv_stream_t *)&boot->pipe;
	struct console_boot_input *input;
	uv_buf_t buffer;

	if (uv_stream_get_write_queue_size(stream) + length > INPUT_LIMIT)
		return;
	input = xmalloc(sizeof(*input) + length);
	memcpy(input->bytes, bytes, length);
	input->request.data = input;
	buffer = uv_buf_init(input->bytes, (unsigned int)length);
	if (uv_write(&input->request, stream, &buffer, 1, on_sent))
		free(input);
}

int console_boot_open(uv_loop_t *loop, struct domain *domain, int *fd, struct error **e)
{
	struct viewers *viewers = console_boot_end(domain);
	struct console_boot *boot;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
		viewers_free(viewers);
		return error_set(e, errno, "The bootloader of domain '%s' gets no console: %s.",
				 domain->name, strerror(errno));
	}
	boot = xcalloc(1, sizeof(*boot));
	boot->viewers = viewers ? viewers : viewers_make();
	viewers_connect(boot->viewers, type, boot);
	uv_pipe_init(loop, &boot->pipe, 0);
	uv_pipe_open(&boot->pipe, ends[0]);
	uv_timer_init(loop, &boot->timer);
	boot->handles = 2;
	boot->pipe.data = boot->timer.data = boot;
	uv_read_start((uv_stream_t *)&boot->pipe, give_chunk, on_output);
	domain->console_boot = boot;
	*fd = ends[1];
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct console_boot *boot = handle->data;

	boot->handles--;
	if (!boot->handles)
		free(boot);
}

/*
 * Shows what the loop has not read yet: a terminal's last bytes put it back in order. One that
 * writes on and on has no last bytes.
 */
static void show_rest(struct console_boot *boot)
{
	size_t shown = 0;
	uv_os_fd_t fd;
	ssize_t n;

	if (uv_fileno((uv_handle_t *)&boot->pipe, &fd))
		return;
	while (shown < BUDGET &&
	       (n = recv(fd, boot->chunk, sizeof(boot->chunk), MSG_DONTWAIT)) > 0) {
		viewers_show(boot->viewers, boot->chunk, (size_t)n);
		shown += (size_t)n;
	}
}

struct viewers *console_boot_end(struct domain *domain)
{
	struct console_boot *boot = domain->console_boot;
	struct viewers *viewers;

	if (!boot)
		return NULL;
	viewers = boot->viewers;
	domain->console_boot = NULL;
	show_rest(boot);
	viewers_connect(viewers, NULL, NULL);
	uv_close((uv_handle_t *)&boot->pipe, on_closed);
	uv_close((uv_handle_t *)&boot->timer, on_closed);
	return viewers;
}

struct viewers *console_boot_viewers(const struct domain *domain)
{
	return domain->console_boot ? domain->console_boot->viewers : NULL;
}
