/* SPDX-License-Identifier: MIT */
/*
 * Tasks: what xend does in several steps, written from top to bottom.
 *
 * xend has one thread and one event loop. Creating a domain waits for a worker, for backends, for
 * scripts; as a chain of callbacks nobody could follow what is undone when the fifth step fails. So
 * each operation runs as a task: a function with a stack of its own that gives the loop back
 * whenever it waits. Only one of them runs at a time and only a wait lets another one run, so
 * between two waits nothing needs a lock.
 *
 * What may have changed in a wait has to be looked at again behind it: waits end early, too.
 */
#ifndef XEND_RUNTIME_TASK_H
#define XEND_RUNTIME_TASK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <uv.h>

struct task;

/* Prepares the loop for tasks; once, before all others. */
int task_setup(uv_loop_t *loop);
/* Frees what task_setup and finished tasks keep. */
void task_teardown(void);

/* Starts a task; it runs as soon as the loop is idle. NULL: no memory for its stack. */
struct task *task_start(void (*run)(void *arg), void *arg);
/* The task that runs now; NULL in the loop itself. */
struct task *task_current(void);
/* How many have not ended. */
unsigned int task_count(void);

#define TASK_FOREVER UINT64_MAX

/* Milliseconds of the loop's clock, now and `after_ms` from now. */
uint64_t task_now(void);
uint64_t task_deadline(uint64_t after_ms);

/*
 * Waits until somebody wakes the task (0), the deadline has passed (-ETIMEDOUT), or the task was
 * cancelled (-ECANCELED, at once and again at each later wait).
 */
int task_wait(uint64_t deadline);
/* As a wait that nobody ends early: 0 or -ECANCELED. */
int task_sleep(uint64_t ms);
void task_wake(struct task *task);

/* Has each wait of the task fail from now on, outside of shields. */
void task_cancel(struct task *task);
/*
 * For undoing: the waits of the running task are not cancelled between task_shield(true) and
 * task_shield(false). Calls do not nest; gives back what held before.
 */
bool task_shield(bool on);
bool task_cancelled(void);

/* Something that tasks wait for together. Zero-initialised ones are not valid: see cond_init. */
struct waiter;
struct cond {
	TAILQ_HEAD(, waiter) waiters;
};

void cond_init(struct cond *cond);
/* As task_wait; the caller checks its condition again. */
int cond_wait(struct cond *cond, uint64_t deadline);
void cond_wake(struct cond *cond);

#endif
