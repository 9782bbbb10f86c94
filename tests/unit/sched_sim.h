/* SPDX-License-Identifier: MIT */
/*
 * A machine for the scheduler: CPUs, domains whose vCPUs compute endlessly or in bursts, and a
 * clock that jumps from event to event. For one test file: everything is static.
 */
#ifndef SCHED_SIM_H
#define SCHED_SIM_H

#include <stdlib.h>
#include <string.h>
#include "core/sched/sched_internal.h"
#include "host/host.h"
#include "hv/arch/guest.h"
#include "hv/cmdline.h"
#include "hv/evtchn.h"
#include "lib/errno.h"
#include "unit.h"

struct sim_vcpu {
	struct vcpu v;
	s_time_t burst,
		sleep;	   /* computes for `burst`, then sleeps for `sleep`; burst 0: endlessly */
	s_time_t left;	   /* of this burst */
	s_time_t since;	   /* since when it runs, or is runnable */
	s_time_t woken_at; /* the time of a wake-up that was not served yet; 0: none */
	s_time_t latency_sum, latency_max;
	u64 served, cpu_time_mark;
	struct heap_node node; /* in the heap of sleepers */
};

static struct domain *sim_domains[4096];
static unsigned int sim_nr_domains;
static struct heap sim_sleepers;
static struct heap_node *sim_sleepers_array[8192];
static s_time_t sim_burst_end[HV_MAX_CPUS];
static unsigned long sim_switches;
static s_time_t sim_began;

struct domain *idle_domain, *dom0;
struct boot_options boot_options;

static struct sim_vcpu *sim_of(struct vcpu *v)
{
	return container_of(v, struct sim_vcpu, v);
}

void arch_context_switch(struct vcpu *prev, struct vcpu *next)
{
	unsigned int cpu = host_cpu;
	struct sim_vcpu *p = sim_of(prev), *n = sim_of(next);

	assert_ptr_equal(current, prev);
	assert_false(host_irqs_on[cpu]);
	assert_int_equal(host_locks_held(), 0);
	if (!prev->is_idle && p->burst)
		p->left -= host_now - p->since;
	current = next;
	sim_switches++;
	sim_burst_end[cpu] = STIME_MAX;
	if (!next->is_idle) {
		assert_true(next->is_running && next->processor == cpu);
		/* Or it may not run here any more, and this CPU has been told. */
		assert_true(place_allowed(next, cpu) ||
			    (per_cpu(softirq_pending, cpu) & (1U << SOFTIRQ_SCHEDULE)));
		n->since = host_now;
		if (n->woken_at) {
			n->latency_sum += host_now - n->woken_at;
			n->latency_max = max(n->latency_max, host_now - n->woken_at);
			n->served++;
			n->woken_at = 0;
		}
		if (n->burst)
			sim_burst_end[cpu] = host_now + n->left;
	}
	sched_context_saved(prev);
}

void arch_vcpu_sync_state(struct vcpu *v)
{
	assert_false(v->is_running);
}

void evtchn_vcpu_moved(struct vcpu *v)
{
}

struct vcpu *vcpu_create(struct domain *d, unsigned int id)
{
	struct sim_vcpu *s = calloc(1, sizeof(*s));

	s->v.id = id;
	s->v.domain = d;
	s->v.is_idle = d->is_idle;
	s->v.vcpu_info = calloc(1, sizeof(vcpu_info_t));
	s->v.pause_flags = d->is_idle ? 0 : VPF_DOWN;
	sched_vcpu_init(&s->v);
	d->vcpus[id] = &s->v;
	return &s->v;
}

static struct domain *sim_domain(unsigned int nr_vcpus, unsigned int weight, unsigned int cap)
{
	struct domain *d = calloc(1, sizeof(*d));
	struct xen_domctl_scheduler_op op = { .sched_id = XEN_SCHEDULER_CREDIT,
					      .cmd = XEN_DOMCTL_SCHEDOP_putinfo };

	d->id = (domid_t)sim_nr_domains;
	d->max_vcpus = nr_vcpus;
	d->vcpus = calloc(nr_vcpus, sizeof(*d->vcpus));
	assert_int_equal(sched_domain_init(d), 0);
	for (unsigned int i = 0; i < nr_vcpus; i++)
		vcpu_create(d, i);
	op.u.credit.weight = (u16)weight;
	op.u.credit.cap = (u16)cap;
	assert_int_equal(sched_domctl(d, &op), 0);
	sim_domains[sim_nr_domains++] = d;
	return d;
}

static void sim_up(struct domain *d, s_time_t burst, s_time_t sleep)
{
	struct vcpu *v;

	for_each_vcpu(d, v) {
		sim_of(v)->burst = sim_of(v)->left = burst;
		sim_of(v)->sleep = sleep;
		v->pause_flags &= ~(u32)VPF_DOWN;
		vcpu_wake(v);
	}
}

static void sim_pin(struct domain *d, unsigned int first, unsigned int last)
{
	struct vcpu *v;
	cpumask_t m;

	cpumask_zero(&m);
	for (unsigned int cpu = first; cpu <= last; cpu++)
		cpumask_set(cpu, &m);
	for_each_vcpu(d, v)
		assert_int_equal(vcpu_set_hard_affinity(v, &m), 0);
}

static void sim_start(unsigned int cpus)
{
	s_time_t now = host_now;

	host_cpus_init(cpus);
	/* The clock goes on from test to test, because the scheduler has state that is never
	 * reset. */
	sim_began = host_now = now + SECONDS(1);
	sim_nr_domains = 0;
	sim_switches = 0;
	memset(percpu_run_queue, 0, sizeof(percpu_run_queue));
	memset(percpu_softirq_pending, 0, sizeof(percpu_softirq_pending));
	cpumask_zero(&sched_idle_cpus);
	cpumask_zero(&sched_offering_cpus);
	heap_init(&sim_sleepers, sim_sleepers_array, ARRAY_SIZE(sim_sleepers_array));
	idle_domain = calloc(1, sizeof(*idle_domain));
	idle_domain->is_idle = true;
	idle_domain->max_vcpus = cpus;
	idle_domain->vcpus = calloc(cpus, sizeof(*idle_domain->vcpus));
	timer_subsystem_init();
	sched_init();
	sched_params = (struct sched_params){ .slice_ms = 10, .ratelimit_us = 1000 };
	for (unsigned int cpu = 0; cpu < cpus; cpu++) {
		host_set_cpu(cpu);
		sim_burst_end[cpu] = STIME_MAX;
		timer_cpu_init(cpu);
		sched_cpu_init(cpu);
	}
	host_set_cpu(0);
}

static void sim_free_domain(struct domain *d)
{
	for (unsigned int i = 0; i < d->max_vcpus; i++) {
		free(d->vcpus[i]->vcpu_info);
		free(sim_of(d->vcpus[i]));
	}
	free(d->vcpus);
	free(d);
}

static void sim_end(void)
{
	for (unsigned int i = 0; i < sim_nr_domains; i++)
		sim_free_domain(sim_domains[i]);
	sim_free_domain(idle_domain);
}

/* Does everything that is due at this instant, on all CPUs. */
static void sim_settle(void)
{
	bool again = true;

	for (unsigned int rounds = 0; again; rounds++) {
		again = false;
		assert_true(rounds < 1000);
		for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
			if (!per_cpu(softirq_pending, cpu))
				continue;
			host_set_cpu(cpu);
			softirq_run();
			assert_true(host_irqs_on[cpu]);
			assert_int_equal(host_locks_held(), 0);
			again = true;
		}
	}
	host_set_cpu(0);
}

static s_time_t sim_next_event(void)
{
	s_time_t next = STIME_MAX;

	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		next = min(next, host_timer_deadline[cpu]);
		next = min(next, sim_burst_end[cpu]);
	}
	if (heap_min(&sim_sleepers))
		next = min(next, (s_time_t)heap_min(&sim_sleepers)->key);
	return next;
}

static void sim_burst_ends(unsigned int cpu)
{
	struct sim_vcpu *s;

	host_set_cpu(cpu);
	s = sim_of(current);
	sim_burst_end[cpu] = STIME_MAX;
	vcpu_block();
	s->left = s->burst + host_now - s->since; /* switching away subtracts what it ran */
	assert_int_equal(heap_insert(&sim_sleepers, &s->node, (u64)(host_now + s->sleep)), 0);
}

static void sim_run(s_time_t duration)
{
	s_time_t end = host_now + duration, next;
	struct heap_node *n;

	sim_settle();
	while ((next = sim_next_event()) <= end) {
		host_now = max(host_now, next);
		for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
			if (host_timer_deadline[cpu] <= host_now) {
				host_timer_deadline[cpu] = STIME_MAX;
				softirq_raise_on(cpu, SOFTIRQ_TIMER);
			}
			if (sim_burst_end[cpu] <= host_now)
				sim_burst_ends(cpu);
		}
		while ((n = heap_min(&sim_sleepers)) != NULL && (s_time_t)n->key <= host_now) {
			struct sim_vcpu *s = container_of(n, struct sim_vcpu, node);

			heap_remove(&sim_sleepers, n);
			s->woken_at = host_now;
			host_set_cpu(s->v.processor); /* as if a device interrupted there */
			vcpu_unblock(&s->v);
		}
		sim_settle();
	}
	host_now = end;
}

/* CPU time since the last mark, in CPUs. Sets a new mark. */
static void sim_mark(void)
{
	struct vcpu *v;

	for (unsigned int i = 0; i < sim_nr_domains; i++)
		for_each_vcpu(sim_domains[i], v)
			sim_of(v)->cpu_time_mark = vcpu_cpu_time(v);
}

static double sim_vcpu_share(struct vcpu *v, s_time_t duration)
{
	return (double)(vcpu_cpu_time(v) - sim_of(v)->cpu_time_mark) / (double)duration;
}

static double sim_share(struct domain *d, s_time_t duration)
{
	double sum = 0;
	struct vcpu *v;

	for_each_vcpu(d, v)
		sum += sim_vcpu_share(v, duration);
	return sum;
}

static void sim_expect(const char *what, double is, double should, double tolerance)
{
	if (getenv("UNIT_LOG"))
		fprintf(stderr, "%-40s %.4f, expected %.4f (%+.2f %%)\n", what, is, should,
			(is / should - 1) * 100);
	if (is < should * (1 - tolerance) || is > should * (1 + tolerance))
		fail_msg("%s: %.4f CPUs instead of %.4f", what, is, should);
}

#endif
