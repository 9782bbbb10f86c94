/* SPDX-License-Identifier: MIT */
/*
 * Tasks as coroutines: ucontext switches stacks, and an idle handle of libuv runs the ready tasks.
 */
#include "xend/runtime/task.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "lib/alloc.h"
#include "xend/runtime/fiber.h"

/* Bytes of a task's stack, and of the guard page below it. Untouched pages cost no memory. */
#define STACK_SIZE (256 * 1024)
#define GUARD_SIZE 4096

struct task {
	TAILQ_ENTRY(task) ready_link;
	ucontext_t context;
	void (*run)(void *arg);
	void *arg;
	char *stack;	  /* with its guard page */
	void *fake_stack; /* AddressSanitizer's */
	uv_timer_t timer;
	bool ready; /* in tasks.ready */
	bool woken, timed_out, cancelled, shielded, ended;
};

struct waiter {
	TAILQ_ENTRY(waiter) link;
	struct task *task;
};

static struct {
	uv_loop_t *loop;
	uv_idle_t idle; /* runs while there is a ready task */
	TAILQ_HEAD(, task) ready;
	struct task *current;
	unsigned int count;
	ucontext_t context;	  /* the loop's own */
	const void *stack_bottom; /* the loop's own stack, as AddressSanitizer reports it */
	size_t stack_size;
	char *spare_stack;
} tasks;

static char *stack_allocate(void)
{
	char *stack = tasks.spare_stack;

	if (stack) {
		tasks.spare_stack = NULL;
		return stack;
	}
	stack = mmap(NULL, GUARD_SIZE + STACK_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return NULL;
	if (mprotect(stack, GUARD_SIZE, PROT_NONE)) {
		munmap(stack, GUARD_SIZE + STACK_SIZE);
		return NULL;
	}
	return stack;
}

static void stack_free(char *stack)
{
	if (!tasks.spare_stack)
		tasks.spare_stack = stack;
	else
		munmap(stack, GUARD_SIZE + STACK_SIZE);
}

static void make_ready(struct task *task)
{
	if (task->ready || task->ended)
		return;
	task->ready = true;
	TAILQ_INSERT_TAIL(&tasks.ready, task, ready_link);
	if (task != tasks.current)
		uv_timer_stop(&task->timer);
}

/* Switches to the loop. For a task that has ended, this does not return. */
static void switch_to_loop(struct task *task)
{
	fiber_leave(task->ended ? NULL : &task->fake_stack, tasks.stack_bottom, tasks.stack_size);
	swapcontext(&task->context, &tasks.context);
	fiber_arrive(task->fake_stack, &tasks.stack_bottom, &tasks.stack_size);
}

static void task_main(void)
{
	struct task *task = tasks.current;

	fiber_arrive(NULL, &tasks.stack_bottom, &tasks.stack_size);
	task->run(task->arg);
	task->ended = true;
	switch_to_loop(task);
}

static void free_task(uv_handle_t *timer)
{
	free(timer->data);
}

static void end_task(struct task *task)
{
	tasks.count--;
	stack_free(task->stack);
	uv_close((uv_handle_t *)&task->timer, free_task);
}

static void switch_to_task(struct task *task)
{
	void *fake_stack = NULL;

	tasks.current = task;
	fiber_leave(&fake_stack, task->stack + GUARD_SIZE, STACK_SIZE);
	swapcontext(&tasks.context, &task->context);
	fiber_arrive(fake_stack, NULL, NULL);
	tasks.current = NULL;
	if (task->ended)
		end_task(task);
}

/*
 * Runs the tasks that are ready now. Tasks that become ready meanwhile wait for the loop's next
 * turn, so that sockets and timers get theirs in between.
 */
static void on_idle(uv_idle_t *idle)
{
	TAILQ_HEAD(, task) now = TAILQ_HEAD_INITIALIZER(now);
	struct task *task;

	TAILQ_CONCAT(&now, &tasks.ready, ready_link);
	while ((task = TAILQ_FIRST(&now))) {
		TAILQ_REMOVE(&now, task, ready_link);
		task->ready = false;
		switch_to_task(task);
	}
	if (TAILQ_EMPTY(&tasks.ready))
		uv_idle_stop(idle);
}

static void run_ready(struct task *task)
{
	make_ready(task);
	uv_idle_start(&tasks.idle, on_idle);
}

static void on_timer(uv_timer_t *timer)
{
	struct task *task = timer->data;

	task->timed_out = true;
	run_ready(task);
}

int task_setup(uv_loop_t *loop)
{
	tasks.loop = loop;
	TAILQ_INIT(&tasks.ready);
	return uv_idle_init(loop, &tasks.idle);
}

void task_teardown(void)
{
	uv_close((uv_handle_t *)&tasks.idle, NULL);
	if (tasks.spare_stack)
		munmap(tasks.spare_stack, GUARD_SIZE + STACK_SIZE);
	tasks.spare_stack = NULL;
}

static void prepare_context(ucontext_t *context, char *stack)
{
	getcontext(context);
	context->uc_stack.ss_sp = stack;
	context->uc_stack.ss_size = STACK_SIZE;
	context->uc_link = NULL;
	makecontext(context, task_main, 0);
}

struct task *task_start(void (*run)(void *arg), void *arg)
{
	struct task *task = xcalloc(1, sizeof(*task));

	task->stack = stack_allocate();
	if (!task->stack) {
		free(task);
		return NULL;
	}
	task->run = run;
	task->arg = arg;
	uv_timer_init(tasks.loop, &task->timer);
	task->timer.data = task;
	prepare_context(&task->context, task->stack + GUARD_SIZE);
	tasks.count++;
	run_ready(task);
	return task;
}

struct task *task_current(void)
{
	return tasks.current;
}

unsigned int task_count(void)
{
	return tasks.count;
}

uint64_t task_now(void)
{
	return uv_now(tasks.loop);
}

uint64_t task_deadline(uint64_t after_ms)
{
	uv_update_time(tasks.loop);
	return after_ms == TASK_FOREVER ? TASK_FOREVER : uv_now(tasks.loop) + after_ms;
}

bool task_cancelled(void)
{
	return tasks.current && tasks.current->cancelled && !tasks.current->shielded;
}

int task_wait(uint64_t deadline)
{
	struct task *task = tasks.current;

	if (task_cancelled())
		return -ECANCELED;
	if (!task->woken) {
		task->timed_out = false;
		if (deadline != TASK_FOREVER) {
			uv_update_time(tasks.loop);
			uv_timer_start(&task->timer, on_timer,
				       deadline > uv_now(tasks.loop) ?
					       deadline - uv_now(tasks.loop) :
					       0,
				       0);
		}
		switch_to_loop(task);
		uv_timer_stop(&task->timer);
		if (task_cancelled())
			return -ECANCELED;
		if (!task->woken && task->timed_out)
			return -ETIMEDOUT;
	}
	task->woken = false;
	return 0;
}

int task_sleep(uint64_t ms)
{
	uint64_t deadline = task_deadline(ms);
	int rc;

	do
		rc = task_wait(deadline);
	while (rc == 0);
	return rc == -ETIMEDOUT ? 0 : rc;
}

void task_wake(struct task *task)
{
	if (!task || task->ended)
		return;
	task->woken = true;
	if (task != tasks.current)
		run_ready(task);
}

void task_cancel(struct task *task)
{
	task->cancelled = true;
	if (task != tasks.current && !task->shielded)
		run_ready(task);
}

bool task_shield(bool on)
{
	struct task *task = tasks.current;
	bool before = task->shielded;

	task->shielded = on;
	return before;
}

void cond_init(struct cond *cond)
{
	TAILQ_INIT(&cond->waiters);
}

int cond_wait(struct cond *cond, uint64_t deadline)
{
	struct waiter waiter = { .task = tasks.current };
	int rc;

	TAILQ_INSERT_TAIL(&cond->waiters, &waiter, link);
	rc = task_wait(deadline);
	TAILQ_REMOVE(&cond->waiters, &waiter, link);
	return rc;
}

void cond_wake(struct cond *cond)
{
	struct waiter *waiter;

	TAILQ_FOREACH(waiter, &cond->waiters, link)
		task_wake(waiter->task);
}
