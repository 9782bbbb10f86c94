/* SPDX-License-Identifier: MIT */
/* Calls that may hang run in threads of their own. */
/* links: toolstack/xend/runtime/offload.c toolstack/xend/runtime/task.c toolstack/lib/alloc.c */
/* libs: -luv */
#include "xend/runtime/offload.h"
#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include "unit.h"
#include "xend/runtime/task.h"

struct job {
	sem_t may_end;
	pthread_t thread;
};

static uv_loop_t *loop;
static struct task *waiting;
static struct job *pending;
static int result, discarded;

static int set_up(void **state)
{
	loop = uv_default_loop();
	result = 1;
	discarded = 0;
	pending = NULL;
	return task_setup(loop);
}

static int tear_down(void **state)
{
	assert_int_equal(task_count(), 0);
	task_teardown();
	uv_run(loop, UV_RUN_DEFAULT);
	return 0;
}

static void work(void *arg)
{
	struct job *job = arg;

	sem_wait(&job->may_end);
	job->thread = pthread_self();
}

static void discard(void *arg)
{
	discarded++;
	sem_destroy(&((struct job *)arg)->may_end);
	free(arg);
}

static struct job *job_new(unsigned int may_end)
{
	struct job *job = calloc(1, sizeof(*job));

	sem_init(&job->may_end, 0, may_end);
	return job;
}

static void run_one(void *arg)
{
	struct job *job = pending = job_new(1);

	result = offload(work, discard, job, TASK_FOREVER);
	assert_int_equal(result, 0);
	assert_false(pthread_equal(job->thread, pthread_self()));
	assert_int_equal(discarded, 0);
	discard(job);
}

static void test_work_is_done_elsewhere_and_given_back(void **state)
{
	task_start(run_one, NULL);
	uv_run(loop, UV_RUN_DEFAULT);
	assert_int_equal(result, 0);
}

static void run_too_long(void *arg)
{
	pending = job_new(0);
	result = offload(work, discard, pending, task_deadline(1));
	assert_int_equal(discarded, 0);
	sem_post(&pending->may_end);
}

static void test_what_takes_too_long_is_left_to_itself(void **state)
{
	task_start(run_too_long, NULL);
	uv_run(loop, UV_RUN_DEFAULT);
	assert_int_equal(result, -ETIMEDOUT);
	assert_int_equal(discarded, 1);
}

static void run_cancelled(void *arg)
{
	pending = job_new(0);
	result = offload(work, discard, pending, TASK_FOREVER);
	sem_post(&pending->may_end);
}

static void cancel(void *arg)
{
	task_cancel(waiting);
}

static void test_a_task_that_is_cancelled_does_not_wait(void **state)
{
	waiting = task_start(run_cancelled, NULL);
	task_start(cancel, NULL);
	uv_run(loop, UV_RUN_DEFAULT);
	assert_int_equal(result, -ECANCELED);
	assert_int_equal(discarded, 1);
}

static void run_and_end_the_others(void *arg)
{
	struct job **jobs = arg;

	run_one(NULL);
	for (int i = 0; i < 16; i++)
		sem_post(&jobs[i]->may_end);
}

static void run_stuck(void *arg)
{
	assert_int_equal(offload(work, discard, arg, TASK_FOREVER), 0);
	discard(arg);
}

/* However many calls hang, the next one gets a thread. */
static void test_those_that_hang_hold_up_nobody_else(void **state)
{
	struct job *jobs[16];

	for (int i = 0; i < 16; i++) {
		jobs[i] = job_new(0);
		task_start(run_stuck, jobs[i]);
	}
	task_start(run_and_end_the_others, jobs);
	uv_run(loop, UV_RUN_DEFAULT);
	assert_int_equal(discarded, 17);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_work_is_done_elsewhere_and_given_back, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_what_takes_too_long_is_left_to_itself, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_task_that_is_cancelled_does_not_wait, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_those_that_hang_hold_up_nobody_else, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
