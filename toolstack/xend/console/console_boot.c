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

struct console_boot {
	uv_pipe_t pipe;
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

static void on_output(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
	struct console_boot *boot = stream->data;

	if (n > 0)
		viewers_show(boot->viewers, buffer->base, (size_t)n);
	else if (n < 0)
		uv_read_stop(stream);
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
	boot->pipe.data = boot;
	uv_read_start((uv_stream_t *)&boot->pipe, give_chunk, on_output);
	domain->console_boot = boot;
	*fd = ends[1];
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* Shows what the loop has not read yet: a terminal's last bytes put it back in order. */
static void show_rest(struct console_boot *boot)
{
	uv_os_fd_t fd;
	ssize_t n;

	if (uv_fileno((uv_handle_t *)&boot->pipe, &fd))
		return;
	while ((n = recv(fd, boot->chunk, sizeof(boot->chunk), MSG_DONTWAIT)) > 0)
		viewers_show(boot->viewers, boot->chunk, (size_t)n);
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
	return viewers;
}

struct viewers *console_boot_viewers(const struct domain *domain)
{
	return domain->console_boot ? domain->console_boot->viewers : NULL;
}
