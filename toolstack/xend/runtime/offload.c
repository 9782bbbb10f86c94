/* SPDX-License-Identifier: MIT */
/*
 * Runs calls that may hang, each in a thread of its own. If the task stops waiting before the
 * thread ends, on_finished cleans up later.
 */
#include "xend/runtime/offload.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include <uv.h>

#include "lib/alloc.h"
#include "xend/runtime/task.h"

struct offload {
	uv_async_t finished;
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
	uv_async_send(&offload->finished);
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* Cleans up for a task that has stopped waiting. A task that still waits does so itself. */
static void on_finished(uv_async_t *async)
{
	struct offload *offload = async->data;

	uv_thread_join(&offload->thread);
	offload->done = true;
	if (offload->task) {
		task_wake(offload->task);
		return;
	}
	offload->discard(offload->arg);
	uv_close((uv_handle_t *)async, on_closed);
}

int offload(void (*work)(void *arg), void (*discard)(void *arg), void *arg, uint64_t deadline)
{
	struct offload *offload = xcalloc(1, sizeof(*offload));
	int rc = 0;

	*offload = (struct offload){
		.work = work, .discard = discard, .arg = arg, .task = task_current()
	};
	offload->finished.data = offload;
	if (uv_async_init(uv_default_loop(), &offload->finished, on_finished)) {
		free(offload);
		discard(arg);
		return -EAGAIN;
	}
	if (uv_thread_create(&offload->thread, run, offload)) {
		uv_close((uv_handle_t *)&offload->finished, on_closed);
		discard(arg);
		return -EAGAIN;
	}
	while (!offload->done && rc == 0)
		rc = task_wait(deadline);
	if (!offload->done) {
		offload->task = NULL;
		return rc;
	}
	uv_close((uv_handle_t *)&offload->finished, on_closed);
	return 0;
}
