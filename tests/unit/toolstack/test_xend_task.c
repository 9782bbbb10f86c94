/* SPDX-License-Identifier: MIT */
/* Tasks: turns, waits, deadlines, cancellation, and their stacks. */
/* links: toolstack/xend/runtime/task.c toolstack/lib/alloc.c */
/* libs: -luv */
#include "xend/runtime/task.h"
#include <errno.h>
#include <string.h>
#include "unit.h"

static uv_loop_t *loop;
static char trace[64];
static struct cond cond;
static struct task *other;
static int result;

static void note(char c)
{
	size_t length = strlen(trace);

	trace[length] = c;
	trace[length + 1] = '\0';
}

static int set_up(void **state)
{
	loop = uv_default_loop();
	memset(trace, 0, sizeof(trace));
	result = 1;
	cond_init(&cond);
	return task_setup(loop);
}

/* The loop ends by itself when no task is left, because tasks keep no handle open. */
static int tear_down(void **state)
{
	assert_int_equal(task_count(), 0);
	task_teardown();
	uv_run(loop, UV_RUN_DEFAULT);
	return 0;
}

static void run(void)
{
	uv_run(loop, UV_RUN_DEFAULT);
}

static void two_steps(void *arg)
{
	note(*(char *)arg);
	assert_int_equal(task_sleep(1), 0);
	note(*(char *)arg);
}

static void test_tasks_take_turns_where_they_wait(void **state)
{
	task_start(two_steps, (char[]){ "a" });
	task_start(two_steps, (char[]){ "b" });
	run();
	assert_string_equal(trace, "abab");
}

static void wait_for_long(void *arg)
{
	result = task_wait(task_deadline(*(uint64_t *)arg));
	note('w');
}

static void wake_other(void *arg)
{
	task_sleep(5);
	task_wake(other);
}

static void test_a_wait_ends_by_its_deadline(void **state)
{
	uint64_t ms = 10;

	task_start(wait_for_long, &ms);
	run();
	assert_int_equal(result, -ETIMEDOUT);
}

static void test_a_wait_ends_when_it_is_woken(void **state)
{
	uint64_t ms = TASK_FOREVER;

	other = task_start(wait_for_long, &ms);
	task_start(wake_other, NULL);
	run();
	assert_int_equal(result, 0);
}

static void test_a_wake_before_the_wait_is_not_lost(void **state)
{
	uint64_t ms = TASK_FOREVER;

	other = task_start(wait_for_long, &ms);
	task_wake(other);
	run();
	assert_int_equal(result, 0);
}

static void sleep_on(void *arg)
{
	task_wake(task_current());
	result = task_sleep(20);
	note('s');
}

static void test_a_sleep_is_not_cut_short_by_a_wake(void **state)
{
	uint64_t start = uv_now(loop);

	task_start(sleep_on, NULL);
	run();
	assert_int_equal(result, 0);
	assert_true(uv_now(loop) - start >= 19);
}

static void cancel_other(void *arg)
{
	task_cancel(other);
}

static void undo_under_a_shield(void *arg)
{
	assert_int_equal(task_wait(TASK_FOREVER), -ECANCELED);
	assert_int_equal(task_wait(TASK_FOREVER), -ECANCELED);
	task_shield(true);
	result = task_sleep(1);
	task_shield(false);
	assert_true(task_cancelled());
	note('u');
}

static void test_a_cancelled_task_waits_no_more_but_may_undo(void **state)
{
	other = task_start(undo_under_a_shield, NULL);
	task_start(cancel_other, NULL);
	run();
	assert_int_equal(result, 0);
	assert_string_equal(trace, "u");
}

static void wait_for_cond(void *arg)
{
	assert_int_equal(cond_wait(&cond, TASK_FOREVER), 0);
	note('c');
}

static void wake_cond(void *arg)
{
	note('x');
	cond_wake(&cond);
}

static void test_a_condition_wakes_all_that_wait_for_it(void **state)
{
	task_start(wait_for_cond, NULL);
	task_start(wait_for_cond, NULL);
	task_start(wake_cond, NULL);
	run();
	assert_string_equal(trace, "xcc");
	assert_true(TAILQ_EMPTY(&cond.waiters));
}

static void count_and_wait(void *arg)
{
	task_sleep(10);
	++*(int *)arg;
}

static void test_a_thousand_tasks(void **state)
{
	int ended = 0;

	for (int i = 0; i < 1000; i++)
		assert_non_null(task_start(count_and_wait, &ended));
	assert_int_equal(task_count(), 1000);
	run();
	assert_int_equal(ended, 1000);
}

static void deep(int depth)
{
	volatile char room[1024];

	room[0] = (char)depth;
	if (depth)
		deep(depth - 1);
	assert_int_equal(room[0], (char)depth);
}

static void use_the_stack(void *arg)
{
	deep(150);
	note('d');
}

static void test_a_task_has_a_stack_to_work_with(void **state)
{
	task_start(use_the_stack, NULL);
	run();
	assert_string_equal(trace, "d");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tasks_take_turns_where_they_wait, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_wait_ends_by_its_deadline, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_wait_ends_when_it_is_woken, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_wake_before_the_wait_is_not_lost, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_sleep_is_not_cut_short_by_a_wake, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_cancelled_task_waits_no_more_but_may_undo,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_condition_wakes_all_that_wait_for_it, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_thousand_tasks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_task_has_a_stack_to_work_with, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
