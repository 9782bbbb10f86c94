/* SPDX-License-Identifier: MIT */
/* links: hypervisor/lib/heap.c hypervisor/lib/bitmap.c hypervisor/lib/rangeset.c hypervisor/lib/printf.c */
/*
 * No timer of a domain outlives what it uses. A running domain with every kind of timer armed, and
 * a cap, is killed and freed while another CPU runs its timers, in every order that a few changes
 * of turns make. The sanitizer catches a handler that touches freed memory.
 */
#include "interleave.h"

#include "core/domain/domain.c"
#include "core/domain/domain_end.c"
#include "core/event/evtchn.c"
#include "core/event/evtchn_send.c"
#include "core/domain/pause.c"
#include "core/sched/runstate.c"
#include "core/sched/sched.c"
#include "core/sched/sched_op.c"
#include "core/sched/sched_param.c"
#include "core/sched/sched_place.c"
#include "core/sched/sched_share.c"
#include "core/base/softirq.c"
#include "core/base/timer.c"
#include "core/domain/vcpu_timer.c"
#include "core/domain/watchdog.c"
#include "hv/arch/cpu.h"
#include "hv/arch/guest.h"
#include "hv/arch/pirq.h"
#include "hv/hv_heap.h"
#include "hv/page_alloc.h"

/* --- lines about a domain --- */

static unsigned int nr_lines;

void hv_log(enum loglevel level, const char *fmt, ...)
{
	nr_lines++;
}

/* --- what is not here: page tables, grants, devices --- */

struct boot_options boot_options;

void console_end(void)
{
}

void console_domain_ends(struct domain *d)
{
}

/* Freed memory is poisoned, pages too. */
void *hv_alloc_pages(unsigned int order)
{
	void *p = aligned_alloc(PAGE_SIZE, PAGE_SIZE << order);

	host_allocs_live++;
	return memset(p, 0, PAGE_SIZE << order);
}

void hv_free_pages(void *va, unsigned int order)
{
	host_allocs_live--;
	free(va);
}

void *shared_page_alloc(struct domain *d, bool guest_writable)
{
	return hv_alloc_pages(0);
}

void shared_page_free(void *va)
{
	hv_free_pages(va, 0);
}

int arch_domain_create(struct domain *d, const struct xen_domctl_createdomain *config)
{
	return 0;
}

void arch_domain_update_wallclock(struct domain *d)
{
}

void arch_domain_free(struct domain *d)
{
}

int arch_domain_relinquish(struct domain *d)
{
	return 0;
}

int arch_vcpu_create(struct vcpu *v)
{
	return 0;
}

void arch_vcpu_free(struct vcpu *v)
{
}

int grant_domain_create(struct domain *d, unsigned int max_frames, unsigned int max_maptrack_frames)
{
	return 0;
}

void grant_domain_free(struct domain *d)
{
}

int grant_domain_release_mappings(struct domain *d)
{
	return 0;
}

int pirq_domain_create(struct domain *d)
{
	return 0;
}

void pirq_domain_destroy(struct domain *d)
{
}

void pirq_guest_unbind(struct domain *d, unsigned int pirq)
{
}

void pirq_set_affinity(struct domain *d, unsigned int pirq, unsigned int cpu)
{
}

int page_claim(struct domain *d, unsigned long pages)
{
	return 0;
}

void vcpu_unregister_info(struct vcpu *v)
{
}

bool hypercall_preempt_check(void)
{
	return false;
}

long subop_dispatch(const struct subop *table, unsigned int rows, unsigned int op,
		    void __guest *arg)
{
	return -ENOSYS;
}

void arch_reboot(void)
{
	abort();
}

void arch_halt(void)
{
	abort();
}

void arch_power_off(void)
{
	abort();
}

void arch_context_switch(struct vcpu *prev, struct vcpu *next)
{
	current = next;
	sched_context_saved(prev);
}

void arch_vcpu_sync_state(struct vcpu *v)
{
	assert_false(v->is_running);
}

void arch_vcpu_kick(struct vcpu *v)
{
	if (v != current && READ_ONCE(v->is_running))
		arch_cpu_kick(READ_ONCE(v->processor));
}

/* --- a domain with everything --- */

#define VCPUS 2

static struct domain *victims;
static unsigned long allocs_before;

static struct {
	bool with_vcpu_timers;
	bool parked;	  /* the refill is due later; else now, and a vCPU runs */
	bool changes_cap; /* another CPU changes the cap meanwhile */
} play;

static void settle(void)
{
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		host_set_cpu(cpu);
		softirq_run();
	}
}

static void start_machine(void)
{
	s_time_t now = host_now;

	host_cpus_init(interleave_scene->cpus);
	host_now = now + SECONDS(1);
	memset(percpu_softirq_pending, 0, sizeof(percpu_softirq_pending));
	memset(percpu_tasklets, 0, sizeof(percpu_tasklets));
	reaper.scheduled = 0;
	if (!idle_domain)
		domain_subsystem_init();
	timer_subsystem_init();
	sched_init();
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		host_set_cpu(cpu);
		timer_cpu_init(cpu);
		sched_cpu_init(cpu);
	}
}

static void arm_vcpu_timers(struct vcpu *v)
{
	const struct evtchn_port init = { .type = PORT_VIRQ,
					  .vcpu = (u16)v->id,
					  .virq = VIRQ_TIMER };

	v->ports.of_virq[VIRQ_TIMER] = (u16)evtchn_port_alloc(victims, &init);
	assert_int_equal(vcpu_timer_set_periodic(v, MILLISECS(10)), 0);
	vcpu_timer_set_singleshot(v, (u64)host_now + 2);
	timer_set(&v->timers.poll, host_now + 3);
}

static void setup(void)
{
	const struct xen_domctl_createdomain config = { .max_vcpus = VCPUS,
							.max_evtchn_port = 100 };
	struct vcpu *v;

	start_machine();
	allocs_before = host_allocs_live;
	/* Its timers belong to CPU 1, and its vCPUs run there. */
	host_set_cpu(1);
	victims = domain_create(1, &config, false);
	for (unsigned int i = 0; i < VCPUS; i++) {
		v = vcpu_create(victims, i);
		v->processor = 1;
		cpumask_clear_cpu(0, &v->sched.hard_affinity);
		if (play.with_vcpu_timers)
			arm_vcpu_timers(v);
		v->pause_flags = i ? VPF_POLL : 0;
	}
	victims->evtchn->pollers = VCPUS - 1;
	if (play.with_vcpu_timers)
		assert_int_equal(domain_watchdog_set(victims, 0, 1), 1);
	assert_int_equal(domain_unpause_by_controller(victims), 0);
	settle();
	/* The domain has used up its cap. */
	share_set_cap(victims, 25);
	victims->sched.budget = -1;
	softirq_raise_on(1, SOFTIRQ_SCHEDULE);
	if (play.parked) {
		settle();
		assert_true(victims->vcpus[0]->sched.parked &&
			    timer_is_armed(&victims->sched.refill));
	}
	host_set_cpu(0);
}

static void body(unsigned int cpu)
{
	struct domain *d;

	if (cpu == 0) {
		while (domain_kill(victims))
			;
	} else if (cpu == 1) {
		for (unsigned int i = 0; i < 2; i++) {
			host_now += MILLISECS(700);
			softirq_raise(SOFTIRQ_TIMER);
			softirq_run();
		}
	} else if (play.changes_cap && (d = domain_get_by_id(1)) != NULL) {
		share_set_cap(d, 50);
		domain_put(d);
	}
}

static void check(void)
{
	if (host_allocs_live != allocs_before)
		interleave_fail("the domain is not gone");
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		if (per_cpu(timer_queue, cpu).heap.nr)
			interleave_fail("a timer of a domain that is gone is armed");
}

static void teardown(void)
{
}

static void explore(const char *name, unsigned int cpus, unsigned int changes)
{
	const struct interleave_scene scene = { name, cpus, changes, setup, body, check, teardown };

	for (unsigned int parked = 0; parked < 2; parked++) {
		play.parked = parked;
		interleave_explore(&scene);
	}
}

static void a_capped_domain_ends_at_any_point_of_its_refill(void **state)
{
	play.with_vcpu_timers = play.changes_cap = false;
	explore("refill", 2, 2);
}

static void a_domain_ends_while_its_cap_is_changed(void **state)
{
	play.with_vcpu_timers = false;
	play.changes_cap = true;
	explore("refill, cap changed", 3, 1);
}

static void a_domain_ends_at_any_point_of_its_timers(void **state)
{
	play.with_vcpu_timers = true;
	play.changes_cap = false;
	explore("all timers", 2, 2);
}

/* --- the crash of several vCPUs at once --- */

static void crash_body(unsigned int cpu)
{
	domain_crash(victims, "vCPU %u broke the rules", cpu);
	if (cpu == 0)
		while (domain_kill(victims))
			;
	else
		softirq_run();
	/* Drop the last of the references that crash_setup() took. */
	domain_put(victims);
}

static void crash_setup(void)
{
	setup();
	for (unsigned int cpu = 0; cpu < interleave_scene->cpus; cpu++)
		assert_true(domain_get(victims));
	nr_lines = 0;
}

static void crash_check(void)
{
	if (nr_lines != 1)
		interleave_fail("the crash is not told once");
	check();
}

static void vcpus_that_crash_at_once_are_one_crash(void **state)
{
	const struct interleave_scene scene = { "crash",    3,		 1,	  crash_setup,
						crash_body, crash_check, teardown };

	memset(&play, 0, sizeof(play));
	interleave_explore(&scene);
}

/* The domain is resumed, as by a debugger, and crashes again. */
static void each_life_has_one_line(void **state)
{
	const struct interleave_scene scene = { "resume", 2, 0, setup, NULL, NULL, teardown };

	memset(&play, 0, sizeof(play));
	interleave_scene = &scene;
	setup();
	nr_lines = 0;
	domain_crash(victims, "once");
	domain_crash(victims, "of no interest");
	assert_int_equal(nr_lines, 1);
	settle();
	domain_resume(victims);
	domain_crash(victims, "anew");
	assert_int_equal(nr_lines, 2);
	assert_int_equal(victims->shutdown.code, SHUTDOWN_crash);
	settle();
	while (domain_kill(victims))
		;
	settle();
	check();
}

static void a_watchdog_that_expires_is_told_once(void **state)
{
	const struct interleave_scene scene = { "watchdog", 2, 0, setup, NULL, NULL, teardown };

	memset(&play, 0, sizeof(play));
	play.with_vcpu_timers = true;
	interleave_scene = &scene;
	setup();
	nr_lines = 0;
	host_now += SECONDS(2);
	softirq_raise_on(1, SOFTIRQ_TIMER);
	settle();
	assert_int_equal(victims->shutdown.code, SHUTDOWN_watchdog);
	assert_int_equal(nr_lines, 1);
	while (domain_kill(victims))
		;
	settle();
	check();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_capped_domain_ends_at_any_point_of_its_refill),
		cmocka_unit_test(a_domain_ends_while_its_cap_is_changed),
		cmocka_unit_test(a_domain_ends_at_any_point_of_its_timers),
		cmocka_unit_test(vcpus_that_crash_at_once_are_one_crash),
		cmocka_unit_test(each_life_has_one_line),
		cmocka_unit_test(a_watchdog_that_expires_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
