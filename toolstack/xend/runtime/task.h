/* SPDX-License-Identifier: MIT */
/*
 * Tasks: operations of several steps, written from top to bottom.
 *
 * xend has one thread and one event loop. Creating a domain waits for a worker, for backends, for
 * scripts; in a chain of callbacks nobody could follow what to undo when the fifth step fails. So
 * each operation runs as a task: a function with a stack of its own that returns to the loop
 * whenever it waits. One task runs at a time, and tasks switch only in a wait. So between two waits
 * nothing needs a lock.
 *
 * After a wait, check again whatever may have changed. A wait may also end early.
 */
#ifndef XEND_RUNTIME_TASK_H
#define XEND_RUNTIME_TASK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <uv.h>

struct task;

/* Prepares the loop for tasks. Call it once, before the other functions. */
int task_setup(uv_loop_t *loop);
/* Frees what task_setup and finished tasks keep. */
void task_teardown(void);

/* Starts a task; the loop runs it in its next turn. NULL: no memory for its stack. */
struct task *task_start(void (*run)(void *arg), void *arg);
/* The task that runs now; NULL in the loop itself. */
struct task *task_current(void);
/* The number of tasks that have not ended. */
unsigned int task_count(void);

#define TASK_FOREVER UINT64_MAX

/* Milliseconds of the loop's clock, now and `after_ms` from now. */
uint64_t task_now(void);
uint64_t task_deadline(uint64_t after_ms);

/*
 * Waits until somebody wakes the task (0), the deadline passes (-ETIMEDOUT) or the task is
 * cancelled (-ECANCELED, at once and at each later wait).
 */
int task_wait(uint64_t deadline);
/* Waits for the whole time, whoever wakes the task: 0 or -ECANCELED. */
int task_sleep(uint64_t ms);
void task_wake(struct task *task);

/* From now on each wait of the task outside a shield fails with -ECANCELED. */
void task_cancel(struct task *task);
/*
 * For code that undoes: between task_shield(true) and task_shield(false), cancelling does not end
 * the waits of the running task. Calls do not nest: pass the returned earlier state to restore it.
 */
bool task_shield(bool on);
bool task_cancelled(void);

/* A condition that several tasks can wait for. cond_init it first; all zeros is not valid. */
struct waiter;
struct cond {
	TAILQ_HEAD(, waiter) waiters;
};

void cond_init(struct cond *cond);
/* As task_wait. The caller must check its condition again. */
int cond_wait(struct cond *cond, uint64_t deadline);
void cond_wake(struct cond *cond);

#endif
