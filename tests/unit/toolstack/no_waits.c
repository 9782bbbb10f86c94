/* SPDX-License-Identifier: MIT */
/* For tests in which one task runs: nobody comes to wake it, and what a thread does is done at
 * once. */
#include <errno.h>

#include "xend/runtime/offload.h"
#include "xend/runtime/task.h"

void cond_init(struct cond *cond)
{
	TAILQ_INIT(&cond->waiters);
}

int cond_wait(struct cond *cond, uint64_t deadline)
{
	return -ETIMEDOUT;
}

void cond_wake(struct cond *cond)
{
}

int offload(void (*work)(void *arg), void (*discard)(void *arg), void *arg, uint64_t deadline)
{
	work(arg);
	return 0;
}
