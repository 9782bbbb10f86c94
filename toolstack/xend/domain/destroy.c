/* SPDX-License-Identifier: MIT */
/* Destroys a domain in a thread of libuv's pool, so that the loop goes on meanwhile. */
#include "xend/domain/destroy.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <uv.h>

#include "hv/hv.h"
#include "xend/runtime/task.h"

/* Lives on the task's stack: the task waits until done is set. */
struct job {
	uv_work_t work;
	uint32_t domid;
	const uint8_t *uuid;
	int rc;
	struct error *e;
	struct task *task;
	bool done;
};

/* Runs in the thread, with a handle of its own: the loop keeps using domain_hv. */
static void destroy(uv_work_t *work)
{
	struct job *job = work->data;
	struct hv *hv = NULL;
	struct hv_domain_info info;

	job->rc = hv_open(&hv, &job->e);
	if (job->rc == 0)
		job->rc = hv_domain_info(hv, job->domid, &info, &job->e);
	/* The job may have waited for a free thread, so check the UUID here. */
	if (job->rc == 0 && memcmp(info.uuid, job->uuid, sizeof(info.uuid)) != 0)
		job->rc = error_set(&job->e, ESRCH, "Domain %u is another one by now.", job->domid);
	if (job->rc == 0)
		job->rc = hv_domain_destroy(hv, job->domid, &job->e);
	hv_close(hv);
}

static void on_done(uv_work_t *work, int status)
{
	struct job *job = work->data;

	job->done = true;
	task_wake(job->task);
}

int destroy_and_wait(uint32_t domid, const uint8_t uuid[16], struct error **e)
{
	struct job job = { .domid = domid, .uuid = uuid, .task = task_current() };
	bool before = task_shield(true);

	job.work.data = &job;
	if (uv_queue_work(uv_default_loop(), &job.work, destroy, on_done)) {
		task_shield(before);
		return error_set(e, EAGAIN, "Cannot destroy domain %u: no thread can be had.",
				 domid);
	}
	while (!job.done)
		task_wait(TASK_FOREVER);
	task_shield(before);
	error_move(e, &job.e);
	return job.rc;
}
