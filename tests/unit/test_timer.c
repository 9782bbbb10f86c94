/* SPDX-License-Identifier: MIT */
/* Timers and tasklets, on one CPU and between CPUs. */
/* links: hypervisor/core/base/timer.c hypervisor/core/base/softirq.c hypervisor/lib/heap.c hypervisor/lib/bitmap.c */
#include "hv/timer.h"

#include <string.h>
#include "host/host.h"
#include "hv/softirq.h"
#include "unit.h"

static struct timer timers[2000];
static unsigned int fired[ARRAY_SIZE(timers)];
static s_time_t last_key;

static void note(void *data)
{
	unsigned long i = (unsigned long)data;

	assert_int_equal(host_locks_held(), 0);
	assert_int_equal(timers[i].cpu, host_cpu);
	assert_true((s_time_t)timers[i].node.key <= host_now);
	last_key = (s_time_t)timers[i].node.key;
	fired[i]++;
}

static void start(unsigned int cpus)
{
	host_cpus_init(cpus);
	timer_subsystem_init();
	memset(fired, 0, sizeof(fired));
	for (unsigned int cpu = 0; cpu < cpus; cpu++) {
		per_cpu(softirq_pending, cpu) = 0;
		timer_cpu_init(cpu);
	}
	for (unsigned long i = 0; i < ARRAY_SIZE(timers); i++)
		timer_init(&timers[i], note, (void *)i, 0);
}

static void run_until(s_time_t end)
{
	host_now = end;
	if (host_timer_deadline[host_cpu] <= host_now) {
		host_timer_deadline[host_cpu] = STIME_MAX;
		softirq_raise(SOFTIRQ_TIMER);
	}
	softirq_run();
}

static void fires_at_its_time_and_once(void **state)
{
	start(1);
	timer_set(&timers[0], 1000);
	assert_int_equal(host_timer_deadline[0], 1000);
	assert_true(timer_is_armed(&timers[0]));
	run_until(999);
	assert_int_equal(fired[0], 0);
	run_until(1000);
	assert_int_equal(fired[0], 1);
	assert_false(timer_is_armed(&timers[0]));
	assert_int_equal(host_timer_deadline[0], STIME_MAX);
	run_until(5000);
	assert_int_equal(fired[0], 1);
}

static void the_past_fires_at_once(void **state)
{
	start(1);
	host_now = 5000;
	timer_set(&timers[0], 4000);
	timer_set(&timers[1], -1);
	assert_true(softirq_is_pending());
	softirq_run();
	assert_int_equal(fired[0] + fired[1], 2);
}

static void moving_a_timer_later_leaves_the_hardware_alone(void **state)
{
	start(1);
	timer_set(&timers[0], 1000);
	timer_set(&timers[0], 3000);
	assert_int_equal(host_timer_deadline[0], 1000);
	run_until(1000);
	assert_int_equal(fired[0], 0);
	assert_int_equal(host_timer_deadline[0], 3000);
	run_until(3000);
	assert_int_equal(fired[0], 1);
}

static void whether_a_timer_fires_by_a_time(void **state)
{
	start(1);
	assert_false(timer_fires_by(&timers[0], 1000));
	timer_set(&timers[0], 1000);
	assert_true(timer_fires_by(&timers[0], 1000));
	assert_false(timer_fires_by(&timers[0], 999));
	run_until(1000);
	assert_false(timer_fires_by(&timers[0], 5000));
}

static void a_stopped_timer_is_silent(void **state)
{
	start(1);
	timer_set(&timers[0], 1000);
	timer_set(&timers[1], 2000);
	timer_stop(&timers[0]);
	timer_stop(&timers[0]);
	run_until(3000);
	assert_int_equal(fired[0], 0);
	assert_int_equal(fired[1], 1);
	timer_kill(&timers[1]);
	timer_set(&timers[1], 4000);
	run_until(5000);
	assert_int_equal(fired[1], 1);
}

static void another_cpus_timer_asks_that_cpu(void **state)
{
	start(2);
	timer_migrate(&timers[0], 1);
	timer_set(&timers[0], 1000);
	assert_int_equal(host_timer_deadline[1], STIME_MAX);
	assert_int_equal(host_kicks[1], 1);
	host_set_cpu(1);
	softirq_run();
	assert_int_equal(host_timer_deadline[1], 1000);
	run_until(1500);
	assert_int_equal(fired[0], 1);
	host_set_cpu(0);
}

static void an_armed_timer_migrates(void **state)
{
	start(2);
	timer_set(&timers[0], 1000);
	timer_migrate(&timers[0], 1);
	run_until(1200);
	assert_int_equal(fired[0], 0);
	host_set_cpu(1);
	run_until(1200);
	assert_int_equal(fired[0], 1);
	host_set_cpu(0);
}

/* More timers than the heap's first size, while memory is short for some time. */
static void arming_never_fails(void **state)
{
	uint64_t seed = UNIT_SEED;

	start(1);
	for (unsigned int i = 0; i < ARRAY_SIZE(timers); i++) {
		host_alloc_fail_after = i < 300 ? 0 : -1;
		timer_set(&timers[i], 10000 + (s_time_t)(unit_random(&seed) % 100000));
		if (i % 3 == 0)
			softirq_run();
	}
	host_alloc_fail_after = -1;
	for (unsigned int i = 0; i < ARRAY_SIZE(timers); i += 7)
		timer_stop(&timers[i]);
	for (s_time_t t = 10000; t <= 110000; t += 100)
		run_until(t);
	for (unsigned int i = 0; i < ARRAY_SIZE(timers); i++)
		assert_int_equal(fired[i], i % 7 != 0);
}

static unsigned int tasklet_runs;
static struct tasklet again_tasklet;

static void run_again(void *data)
{
	if (++tasklet_runs < 3)
		tasklet_schedule(&again_tasklet);
}

static void a_tasklet_runs_once_for_each_time_it_is_scheduled(void **state)
{
	start(1);
	tasklet_runs = 0;
	again_tasklet = (struct tasklet){ .fn = run_again };
	tasklet_schedule(&again_tasklet);
	tasklet_schedule(&again_tasklet);
	softirq_run();
	assert_int_equal(tasklet_runs, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fires_at_its_time_and_once),
		cmocka_unit_test(the_past_fires_at_once),
		cmocka_unit_test(moving_a_timer_later_leaves_the_hardware_alone),
		cmocka_unit_test(whether_a_timer_fires_by_a_time),
		cmocka_unit_test(a_stopped_timer_is_silent),
		cmocka_unit_test(another_cpus_timer_asks_that_cpu),
		cmocka_unit_test(an_armed_timer_migrates),
		cmocka_unit_test(a_tasklet_runs_once_for_each_time_it_is_scheduled),
		cmocka_unit_test(arming_never_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
