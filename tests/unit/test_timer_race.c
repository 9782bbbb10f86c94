/* SPDX-License-Identifier: MIT */
/* links: hypervisor/lib/heap.c hypervisor/lib/bitmap.c */
/*
 * One CPU stops, kills or moves timers while another runs them, in every order that a few changes
 * of turns make.
 */
#include "interleave.h"

#include "core/base/softirq.c"
#include "core/base/timer.c"
#include "hv/hv_heap.h"

static struct timer *t, crowd[FIRST_SLOTS];
static unsigned int fired;
static bool again; /* the handler arms its timer anew */
static void (*act)(void);

static void fire(void *data)
{
	fired++;
	interleave_step();
	if (again)
		timer_set(data, host_now + 10);
}

static void never(void *data)
{
	interleave_fail("a timer of the crowd fired");
}

static void setup(void)
{
	host_cpus_init(2);
	timer_subsystem_init();
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		host_set_cpu(cpu);
		per_cpu(softirq_pending, cpu) = 0;
		timer_cpu_init(cpu);
	}
	host_set_cpu(0);
	fired = 0;
	t = malloc(sizeof(*t));
	timer_init(t, fire, t, 0);
}

/* CPU 0's heap has no room, so the timer waits in its list. */
static void setup_crowded(void)
{
	setup();
	for (unsigned int i = 0; i < ARRAY_SIZE(crowd); i++) {
		timer_init(&crowd[i], never, NULL, 0);
		timer_set(&crowd[i], SECONDS(1));
	}
	timer_set(t, SECONDS(1));
}

static void setup_due(void)
{
	setup();
	timer_set(t, 5);
	host_now = 20;
	softirq_raise_on(0, SOFTIRQ_TIMER);
}

static void body(unsigned int cpu)
{
	if (cpu == 1)
		act();
}

static void teardown(void)
{
	struct timer_queue *q = &per_cpu(timer_queue, 0);

	if (q->heap.nodes != q->first_array)
		hv_free(q->heap.nodes);
	q->heap.nodes = NULL;
	free(t);
}

static void stop(void)
{
	timer_stop(t);
}

static void check_stopped(void)
{
	if (timer_is_armed(t))
		interleave_fail("it was stopped and is armed");
}

static void a_timer_is_stopped_while_its_heap_grows(void **state)
{
	static const struct interleave_scene scene = { "stop",	      2,    2,
						       setup_crowded, body, check_stopped,
						       teardown };

	act = stop;
	interleave_explore(&scene);
}

static void look(void)
{
	if (!timer_is_armed(t))
		interleave_fail("it is armed and does not look so");
}

static void check_armed(void)
{
	look();
}

static void a_timer_stays_armed_while_its_heap_grows(void **state)
{
	static const struct interleave_scene scene = { "look", 2,	    2,	     setup_crowded,
						       body,   check_armed, teardown };

	act = look;
	interleave_explore(&scene);
}

static void kill_and_free(void)
{
	timer_kill(t);
	free(t);
	t = NULL;
}

static void move_and_kill(void)
{
	timer_migrate(t, 1);
	kill_and_free();
}

static void check_gone(void)
{
	if (per_cpu(timer_queue, 0).heap.nr || per_cpu(timer_queue, 1).heap.nr || fired > 1)
		interleave_fail("it was killed and is armed, or fired twice");
}

static void a_killed_timer_may_be_freed(void **state)
{
	static const struct interleave_scene scene = { "kill", 2,	   3,	    setup_due,
						       body,   check_gone, teardown };

	for (unsigned int i = 0; i < 4; i++) {
		again = i & 1;
		act = i & 2 ? move_and_kill : kill_and_free;
		interleave_explore(&scene);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_timer_is_stopped_while_its_heap_grows),
		cmocka_unit_test(a_timer_stays_armed_while_its_heap_grows),
		cmocka_unit_test(a_killed_timer_may_be_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
