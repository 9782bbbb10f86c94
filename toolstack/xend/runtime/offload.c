/* SPDX-License-Identifier: MIT */
/*
 * Runs calls that may hang, each in a thread of its own. If the task stops waiting before the
 * thread ends, on_finished cleans up later.
 *
 * The thread wakes the loop by an eventfd. libuv's uv_async_send would have the loop spin until the
 * thread is through with it; on a single processor the thread does not run meanwhile.
 */
#include "xend/runtime/offload.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/eventfd.h>
#include <uv.h>

#include "lib/alloc.h"
#include "xend/runtime/task.h"

struct offload {
	uv_poll_t poll;
	int finished; /* an eventfd */
	uv_thread_t thread;
	void (*work)(void *arg);
	void (*discard)(void *arg);
	void *arg;
	struct task *task; /* NULL: the task has stopped waiting */
	bool done;
};

static void run(void *arg)
{
	struct offload *offload = arg;

	offload->work(offload->arg);
	eventfd_write(offload->finished, 1);
}

static void on_closed(uv_handle_t *handle)
{
	struct offload *offload = handle->data;

	close(offload->finished);
	free(offload);
}

static void end(struct offload *offload)
{
	uv_close((uv_handle_t *)&offload->poll, on_closed);
}

/* Cleans up for a task that has stopped waiting. A task that still waits does so itself. */
static void on_finished(uv_poll_t *poll, int status, int events)
{
	struct offload *offload = poll->data;

	uv_poll_stop(poll);
	uv_thread_join(&offload->thread);
	offload->done = true;
	if (offload->task) {
		task_wake(offload->task);
		return;
	}
	offload->discard(offload->arg);
	end(offload);
}

/* An event when the thread has ended. NULL: no descriptor can be had. */
static struct offload *make(void)
{
	struct offload *offload = xcalloc(1, sizeof(*offload));

	offload->finished = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (offload->finished < 0 ||
	    uv_poll_init(uv_default_loop(), &offload->poll, offload->finished)) {
		if (offload->finished >= 0)
			close(offload->finished);
		free(offload);
		return NULL;
	}
	offload->poll.data = offload;
	return offload;
}

int offload(void (*work)(void *arg), void (*discard)(void *arg), void *arg, uint64_t deadline)
{
	struct offload *offload = make();
	int rc = 0;

	if (!offload) {
		discard(arg);
		return -EAGAIN;
	}
	offload->work = work;
	offload->discard = discard;
	offload->arg = arg;
	offload->task = task_current();
	if (uv_thread_create(&offload->thread, run, offload)) {
		end(offload);
		discard(arg);
		return -EAGAIN;
	}
	uv_poll_start(&offload->poll, UV_READABLE, on_finished);
	while (!offload->done && rc == 0)
		rc = task_wait(deadline);
	if (!offload->done) {
		offload->task = NULL;
		return rc;
	}
	end(offload);
	return 0;
}
