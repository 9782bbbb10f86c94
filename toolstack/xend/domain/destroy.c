/* SPDX-License-Identifier: MIT */
/* Destroys a domain in a thread, so that the loop goes on meanwhile. */
#include "xend/domain/destroy.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "hv/hv.h"
#include "xend/runtime/offload.h"
#include "xend/runtime/task.h"

/* Lives on the task's stack: the task waits until the thread has ended. */
struct job {
	uint32_t domid;
	const uint8_t *uuid;
	int rc;
	struct error *e;
};

/* Runs in the thread, with a handle of its own: the loop keeps using domain_hv. */
static void destroy(void *arg)
{
	struct job *job = arg;
	struct hv *hv = NULL;
	struct hv_domain_info info;

	job->rc = hv_open(&hv, &job->e);
	if (job->rc == 0)
		job->rc = hv_domain_info(hv, job->domid, &info, &job->e);
	/* Other threads may have run first, so check the UUID here. */
	if (job->rc == 0 && memcmp(info.uuid, job->uuid, sizeof(info.uuid)) != 0)
		job->rc = error_set(&job->e, ESRCH, "Domain %u is another one by now.", job->domid);
	if (job->rc == 0)
		job->rc = hv_domain_destroy(hv, job->domid, &job->e);
	hv_close(hv);
}

static void keep(void *arg)
{
}

int destroy_and_wait(uint32_t domid, const uint8_t uuid[16], struct error **e)
{
	struct job job = { .domid = domid, .uuid = uuid };
	bool before = task_shield(true);
	int rc = offload(destroy, keep, &job, TASK_FOREVER);

	task_shield(before);
	if (rc)
		return error_set(e, rc, "Cannot destroy domain %u: no thread can be had.", domid);
	error_move(e, &job.e);
	return job.rc;
}
