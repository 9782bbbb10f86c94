/* SPDX-License-Identifier: MIT */
/* The scheduler's promises: weights, caps, latency, and that no time is lost. */
/* links: hypervisor/core/sched/sched.c hypervisor/core/sched/sched_share.c hypervisor/core/sched/sched_place.c */
/* links: hypervisor/core/sched/sched_param.c hypervisor/core/sched/runstate.c hypervisor/core/base/softirq.c */
/* links: hypervisor/core/base/timer.c hypervisor/lib/heap.c hypervisor/lib/bitmap.c */
#include "sched_sim.h"

#include <xen/sysctl.h>

/* No domain is destroyed in these tests. */
bool domain_get(struct domain *d)
{
	return true;
}

void domain_put(struct domain *d)
{
}

/* All vCPUs compute endlessly: domains get time by weight, a domain's vCPUs equal parts of it. */
static void many_domains(unsigned int cpus, unsigned int nr, unsigned int vcpus,
			 const unsigned int *weights, unsigned int nr_weights)
{
	const s_time_t measured = SECONDS(20);
	double total = 0, share;
	struct vcpu *v;

	sim_start(cpus);
	for (unsigned int i = 0; i < nr; i++) {
		sim_up(sim_domain(vcpus, weights[i % nr_weights], 0), 0, 0);
		total += weights[i % nr_weights];
	}
	sim_run(SECONDS(4));
	sim_mark();
	sim_run(measured);
	for (unsigned int i = 0; i < nr; i++) {
		share = cpus * (weights[i % nr_weights] / total);
		sim_expect("domain", sim_share(sim_domains[i], measured), share, 0.02);
		for_each_vcpu(sim_domains[i], v)
			sim_expect("  vcpu", sim_vcpu_share(v, measured), share / vcpus, 0.10);
	}
	sim_end();
}

static void shares_follow_weights_on_256_cpus_with_4096_vcpus(void **state)
{
	static const unsigned int weights[] = { 128, 256, 512, 1024 };

	many_domains(256, 64, 64, weights, ARRAY_SIZE(weights));
}

static void shares_follow_weights_of_4096_small_domains(void **state)
{
	static const unsigned int weights[] = { 256, 100, 300, 512, 200 };

	many_domains(256, 4096, 1, weights, ARRAY_SIZE(weights));
}

static void shares_follow_weights_on_few_cpus(void **state)
{
	static const unsigned int weights[] = { 256, 512, 1024 };

	many_domains(1, 3, 1, weights, 3);
	many_domains(2, 3, 2, weights, 3);
	many_domains(4, 6, 4, weights, 3);
}

static void three_equals_share_two_cpus(void **state)
{
	static const unsigned int weights[] = { 256 };

	many_domains(2, 3, 1, weights, 1);
}

static void no_cpu_idles_while_a_vcpu_waits(void **state)
{
	u64 idle = 0;

	sim_start(8);
	for (unsigned int i = 0; i < 12; i++)
		sim_up(sim_domain(1, 64 << (i % 4), 0), 0, 0);
	sim_run(SECONDS(1));
	for (unsigned int cpu = 0; cpu < 8; cpu++)
		idle -= cpu_idle_time(cpu);
	sim_run(SECONDS(5));
	for (unsigned int cpu = 0; cpu < 8; cpu++)
		idle += cpu_idle_time(cpu);
	assert_true(idle < (u64)MILLISECS(1));
	sim_end();
}

static void idle_work_is_taken_up_by_a_cpu_that_idles(void **state)
{
	sim_start(3);
	sim_up(sim_domain(1, 256, 0), 0, 0);
	sim_pin(sim_domains[0], 0, 0);
	sim_settle();
	memset(host_kicks, 0, sizeof(host_kicks));
	/* CPU 1 must wake from its halt; CPU 0 is busy. */
	host_set_cpu(0);
	sched_wake_idle_cpu();
	assert_int_equal(host_kicks[1] + host_kicks[2], 1);
	/* The caller itself idles. */
	host_set_cpu(2);
	sched_wake_idle_cpu();
	assert_int_equal(host_kicks[0] + host_kicks[1] + host_kicks[2], 1);
	for (unsigned int cpu = 1; cpu < 3; cpu++) {
		sim_up(sim_domain(1, 256, 0), 0, 0);
		sim_settle();
	}
	memset(host_kicks, 0, sizeof(host_kicks));
	sched_wake_idle_cpu();
	assert_int_equal(host_kicks[0] + host_kicks[1] + host_kicks[2], 0);
	sim_end();
}

static void cap_is_kept_on_an_idle_machine(void **state)
{
	static const unsigned int caps[] = { 1, 10, 25, 50, 99, 150, 320 };
	const s_time_t measured = SECONDS(10);

	sim_start(16);
	for (unsigned int i = 0; i < ARRAY_SIZE(caps); i++)
		sim_up(sim_domain(4, 256, caps[i]), 0, 0);
	sim_run(SECONDS(2));
	sim_mark();
	sim_run(measured);
	for (unsigned int i = 0; i < ARRAY_SIZE(caps); i++)
		sim_expect("capped", sim_share(sim_domains[i], measured), caps[i] / 100.0, 0.02);
	sim_end();
}

static void cap_is_kept_among_others_and_can_be_lifted(void **state)
{
	struct xen_domctl_scheduler_op op = { .sched_id = XEN_SCHEDULER_CREDIT,
					      .cmd = XEN_DOMCTL_SCHEDOP_putinfo };
	const s_time_t measured = SECONDS(10);
	struct domain *capped, *other;

	sim_start(2);
	capped = sim_domain(2, 256, 25);
	other = sim_domain(2, 256, 0);
	sim_up(capped, 0, 0);
	sim_up(other, 0, 0);
	sim_run(SECONDS(2));
	sim_mark();
	sim_run(measured);
	sim_expect("capped", sim_share(capped, measured), 0.25, 0.02);
	sim_expect("other", sim_share(other, measured), 1.75, 0.02);
	op.u.credit.cap = 0;
	assert_int_equal(sched_domctl(capped, &op), 0);
	sim_run(SECONDS(2));
	sim_mark();
	sim_run(measured);
	sim_expect("not capped any more", sim_share(capped, measured), 1.0, 0.02);
	sim_end();
}

/* Four domains are pinned to one CPU, while an overload elsewhere gives other CPUs other clocks. */
static void weights_hold_among_pinned(void **state)
{
	const s_time_t measured = SECONDS(20);
	struct domain *d[3];

	sim_start(4);
	for (unsigned int i = 0; i < 3; i++) {
		d[i] = sim_domain(1, 256u << i, 0);
		sim_pin(d[i], 1, 1);
		sim_up(d[i], 0, 0);
	}
	for (unsigned int i = 0; i < 6; i++)
		sim_up(sim_domain(2, 4096, 0), 0, 0);
	sim_run(SECONDS(5));
	sim_mark();
	sim_run(measured);
	for (unsigned int i = 0; i < 3; i++)
		sim_expect("ratio to the first",
			   sim_share(d[i], measured) / sim_share(d[0], measured), 1 << i, 0.03);
	sim_end();
}

/* A vCPU of low weight that is alone on its CPU does not attract all others, nor does it keep the
 * CPU for itself. */
static void a_light_pinned_vcpu_keeps_little(void **state)
{
	const s_time_t measured = SECONDS(20);
	struct domain *light;
	double sum = 0;

	sim_start(4);
	light = sim_domain(1, 16, 0);
	sim_pin(light, 3, 3);
	sim_up(light, 0, 0);
	sim_run(SECONDS(30));
	for (unsigned int i = 0; i < 8; i++)
		sim_up(sim_domain(1, 256, 0), 0, 0);
	sim_run(SECONDS(5));
	sim_mark();
	sim_run(measured);
	for (unsigned int i = 1; i < sim_nr_domains; i++) {
		sim_expect("normal", sim_share(sim_domains[i], measured), 4.0 / 8, 0.05);
		sum += sim_share(sim_domains[i], measured);
	}
	assert_true(sim_share(light, measured) < 0.08);
	assert_true(sim_share(light, measured) > 0.005);
	sim_end();
}

static void one_that_weighs_more_than_a_cpu_gets_a_cpu(void **state)
{
	const s_time_t measured = SECONDS(10);
	struct domain *heavy;

	sim_start(2);
	heavy = sim_domain(1, 60000, 0);
	sim_up(heavy, 0, 0);
	for (unsigned int i = 0; i < 3; i++)
		sim_up(sim_domain(1, 256, 0), 0, 0);
	sim_run(SECONDS(5));
	sim_mark();
	sim_run(measured);
	sim_expect("heavy", sim_share(heavy, measured), 1.0, 0.02);
	for (unsigned int i = 1; i < 4; i++)
		sim_expect("rest", sim_share(sim_domains[i], measured), 1.0 / 3, 0.03);
	sim_end();
}

/* A domain has one weight, however many of its vCPUs are awake. */
static void weight_is_split_among_the_awake(void **state)
{
	const s_time_t measured = SECONDS(20);
	struct domain *wide, *narrow, *mixed;

	sim_start(2);
	wide = sim_domain(8, 256, 0);
	narrow = sim_domain(1, 256, 0);
	mixed = sim_domain(4, 256, 0);
	sim_up(wide, 0, 0);
	sim_up(narrow, 0, 0);
	/* One of its four vCPUs computes; the others do a little now and then. */
	sim_up(mixed, MICROSECS(50), MILLISECS(20));
	sim_of(mixed->vcpus[0])->burst = 0;
	sim_run(SECONDS(3));
	sim_mark();
	sim_run(measured);
	sim_expect("8 vCPUs", sim_share(wide, measured), 2.0 / 3, 0.03);
	sim_expect("1 vCPU", sim_share(narrow, measured), 2.0 / 3, 0.03);
	sim_expect("1 of 4", sim_share(mixed, measured), 2.0 / 3, 0.03);
	sim_end();
}

/* A big machine with vCPUs of all kinds: computing, capped, and active now and then. */
static void a_mixed_load_on_256_cpus_keeps_weights_and_caps(void **state)
{
	const s_time_t measured = SECONDS(20);
	double share[64], per_weight = 0, weights = 0;
	static const unsigned int weight[] = { 256, 512, 1024 };
	struct vcpu *v;

	sim_start(256);
	for (unsigned int i = 0; i < 64; i++) {
		struct domain *d = sim_domain(64, weight[i % 3], i % 4 == 0 ? 50 + i : 0);

		if (i % 4 == 1)
			sim_up(d, MICROSECS(100 + 10 * i), MILLISECS(20 + i));
		else
			sim_up(d, 0, 0);
	}
	sim_run(SECONDS(4));
	sim_mark();
	sim_run(measured);
	for (unsigned int i = 0; i < 64; i++) {
		share[i] = sim_share(sim_domains[i], measured);
		if (i % 4 >= 2) {
			per_weight += share[i];
			weights += weight[i % 3];
		}
	}
	for (unsigned int i = 0; i < 64; i++) {
		if (i % 4 >= 2)
			sim_expect("computes", share[i], per_weight / weights * weight[i % 3],
				   0.02);
		else if (i % 4 == 0)
			sim_expect("capped", share[i], (50 + i) / 100.0, 0.02);
		else /* it gets what it asks for, which is less than its share */
			sim_expect("now and then", share[i],
				   64 * (100 + 10.0 * i) / (100 + 10.0 * i + (20 + i) * 1000.0),
				   0.05);
		for_each_vcpu(sim_domains[i], v)
			assert_true(sim_vcpu_share(v, measured) > 0);
	}
	sim_end();
}

static void one_that_wakes_runs_soon(void **state)
{
	const s_time_t measured = SECONDS(20);
	struct domain *io;
	struct sim_vcpu *s;

	sim_start(4);
	for (unsigned int i = 0; i < 8; i++)
		sim_up(sim_domain(4, 256, 0), 0, 0);
	io = sim_domain(1, 256, 0);
	sim_up(io, MICROSECS(200), MILLISECS(5));
	sim_run(SECONDS(2));
	s = sim_of(io->vcpus[0]);
	s->latency_sum = s->latency_max = 0;
	s->served = 0;
	sim_mark();
	sim_run(measured);
	if (getenv("UNIT_LOG"))
		fprintf(stderr, "wake-up: %ld us on average, %ld at most\n",
			s->latency_sum / (long)s->served / 1000, s->latency_max / 1000);
	assert_true(s->latency_sum / (s_time_t)s->served < MICROSECS(600));
	assert_true(s->latency_max <= MICROSECS(1500));
	sim_end();
}

/* vCPUs that sleep now and then cannot take more than their share from one that never sleeps. */
static void wake_up_boost_starves_nobody(void **state)
{
	const s_time_t measured = SECONDS(20);
	struct domain *d;

	sim_start(1);
	sim_up(sim_domain(1, 256, 0), 0, 0);
	for (unsigned int i = 0; i < 9; i++) {
		d = sim_domain(1, 256, 0);
		sim_up(d, MICROSECS(700 + 100 * i), MICROSECS(100));
	}
	sim_run(SECONDS(2));
	sim_mark();
	sim_run(measured);
	assert_true(sim_share(sim_domains[0], measured) > 0.08);
	sim_end();
}

/* A vCPU that slept does not get that time afterwards. */
static void a_long_sleeper_does_not_take_over(void **state)
{
	struct domain *sleeper, *other;

	sim_start(2);
	sleeper = sim_domain(2, 256, 0);
	other = sim_domain(4, 256, 0);
	sim_up(other, 0, 0);
	sim_run(SECONDS(100));
	sim_up(sleeper, 0, 0);
	sim_mark();
	sim_run(SECONDS(1));
	sim_expect("after 100 s of sleep", sim_share(sleeper, SECONDS(1)), 1.0, 0.15);
	sim_end();
}

static void nobody_waits_for_ever(void **state)
{
	uint64_t seed = UNIT_SEED;
	struct vcpu *v;

	sim_start(16);
	for (unsigned int i = 0; i < 40; i++) {
		struct domain *d = sim_domain(1 + (unsigned int)(unit_random(&seed) % 6),
					      1u << (unit_random(&seed) % 12),
					      unit_random(&seed) % 5 ? 0 : 40);
		unsigned int first = (unsigned int)(unit_random(&seed) % 16);

		if (unit_random(&seed) % 3 == 0)
			sim_pin(d, first,
				first + (unsigned int)(unit_random(&seed) % (16 - first)));
		sim_up(d,
		       unit_random(&seed) % 2 ? 0 : (s_time_t)(unit_random(&seed) % 5000000) + 1000,
		       (s_time_t)(unit_random(&seed) % 20000000) + 1000);
	}
	sim_run(SECONDS(10));
	sim_mark();
	sim_run(SECONDS(200));
	for (unsigned int i = 0; i < sim_nr_domains; i++)
		for_each_vcpu(sim_domains[i], v)
			assert_true(vcpu_cpu_time(v) > sim_of(v)->cpu_time_mark);
	sim_end();
}

static void pausing_takes_a_vcpu_off_its_cpu(void **state)
{
	struct domain *d;
	struct vcpu_runstate_info r;
	u64 before;

	sim_start(2);
	d = sim_domain(3, 256, 0);
	sim_up(d, 0, 0);
	sim_run(MILLISECS(100));
	for (unsigned int i = 0; i < 3; i++) {
		d->vcpus[i]->pause_count++;
		vcpu_sleep_nosync(d->vcpus[i]);
	}
	sim_settle();
	vcpu_sleep_sync(d->vcpus[1]);
	for (unsigned int i = 0; i < 3; i++) {
		assert_false(d->vcpus[i]->is_running || d->vcpus[i]->sched.queued ||
			     d->vcpus[i]->sched.active);
		assert_int_equal(d->vcpus[i]->runstate.info.state, RUNSTATE_offline);
	}
	before = vcpu_cpu_time(d->vcpus[0]);
	sim_run(SECONDS(1));
	assert_int_equal(vcpu_cpu_time(d->vcpus[0]), before);
	for (unsigned int i = 0; i < 3; i++) {
		d->vcpus[i]->pause_count--;
		vcpu_wake(d->vcpus[i]);
	}
	sim_run(SECONDS(1));
	for (unsigned int i = 0; i < 3; i++) {
		vcpu_runstate_get(d->vcpus[i], &r);
		assert_true(r.time[RUNSTATE_running] > (u64)MILLISECS(500));
		/* Nothing is lost: the times in all states add up to its life. */
		assert_int_equal(r.time[0] + r.time[1] + r.time[2] + r.time[3],
				 (u64)(host_now - sim_began));
	}
	assert_int_equal(per_cpu(run_queue, 0).load + per_cpu(run_queue, 1).load > 0, 1);
	sim_end();
}

static void affinity_is_obeyed_at_once(void **state)
{
	struct domain *d;
	cpumask_t none = { { 0 } };

	sim_start(4);
	d = sim_domain(4, 256, 0);
	sim_up(d, 0, 0);
	sim_run(MILLISECS(100));
	sim_pin(d, 2, 2);
	sim_settle();
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(d->vcpus[i]->processor, 2);
	sim_mark();
	sim_run(SECONDS(4));
	sim_expect("one CPU", sim_share(d, SECONDS(4)), 1.0, 0.001);
	sim_pin(d, 0, 3);
	sim_run(MILLISECS(100));
	sim_mark();
	sim_run(SECONDS(1));
	sim_expect("all four", sim_share(d, SECONDS(1)), 4.0, 0.001);
	assert_int_equal(vcpu_set_hard_affinity(d->vcpus[0], &none), -EINVAL);
	sim_end();
}

static void yield_lets_the_next_run(void **state)
{
	struct domain *a, *b;

	sim_start(1);
	a = sim_domain(1, 256, 0);
	sim_up(a, 0, 0);
	sim_run(MILLISECS(3));
	vcpu_yield();
	assert_false(softirq_is_pending());
	b = sim_domain(1, 256, 0);
	sim_up(b, 0, 0);
	sim_run(MILLISECS(2));
	assert_ptr_equal(current, b->vcpus[0]);
	vcpu_yield();
	sim_settle();
	assert_ptr_equal(current, a->vcpus[0]);
	sim_end();
}

static void tools_see_the_credit_scheduler(void **state)
{
	struct xen_domctl_scheduler_op op = { .sched_id = XEN_SCHEDULER_CREDIT,
					      .cmd = XEN_DOMCTL_SCHEDOP_getinfo };
	struct xen_sysctl_scheduler_op sys = { .sched_id = XEN_SCHEDULER_CREDIT,
					       .cmd = XEN_SYSCTL_SCHEDOP_getinfo };
	struct domain *d;

	sim_start(1);
	d = sim_domain(2, 0, 0);
	assert_int_equal(sched_id(), XEN_SCHEDULER_CREDIT);
	assert_int_equal(sched_domctl(d, &op), 0);
	assert_int_equal(op.u.credit.weight, 256);
	assert_int_equal(op.u.credit.cap, 0);
	op.cmd = XEN_DOMCTL_SCHEDOP_putinfo;
	op.u.credit.cap = 201;
	assert_int_equal(sched_domctl(d, &op), -EINVAL);
	op.sched_id = XEN_SCHEDULER_CREDIT2;
	assert_int_equal(sched_domctl(d, &op), -EINVAL);
	assert_int_equal(sched_sysctl(&sys), 0);
	assert_int_equal(sys.u.sched_credit.tslice_ms, 10);
	assert_int_equal(sys.u.sched_credit.ratelimit_us, 1000);
	sys.cmd = XEN_SYSCTL_SCHEDOP_putinfo;
	sys.u.sched_credit.tslice_ms = 0;
	assert_int_equal(sched_sysctl(&sys), -EINVAL);
	sys.u.sched_credit.tslice_ms = 30;
	assert_int_equal(sched_sysctl(&sys), 0);
	assert_int_equal(sched_params.slice_ms, 30);
	sim_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_follow_weights_on_few_cpus),
		cmocka_unit_test(three_equals_share_two_cpus),
		cmocka_unit_test(no_cpu_idles_while_a_vcpu_waits),
		cmocka_unit_test(idle_work_is_taken_up_by_a_cpu_that_idles),
		cmocka_unit_test(cap_is_kept_on_an_idle_machine),
		cmocka_unit_test(cap_is_kept_among_others_and_can_be_lifted),
		cmocka_unit_test(weights_hold_among_pinned),
		cmocka_unit_test(a_light_pinned_vcpu_keeps_little),
		cmocka_unit_test(one_that_weighs_more_than_a_cpu_gets_a_cpu),
		cmocka_unit_test(weight_is_split_among_the_awake),
		cmocka_unit_test(one_that_wakes_runs_soon),
		cmocka_unit_test(wake_up_boost_starves_nobody),
		cmocka_unit_test(a_long_sleeper_does_not_take_over),
		cmocka_unit_test(nobody_waits_for_ever),
		cmocka_unit_test(pausing_takes_a_vcpu_off_its_cpu),
		cmocka_unit_test(affinity_is_obeyed_at_once),
		cmocka_unit_test(yield_lets_the_next_run),
		cmocka_unit_test(tools_see_the_credit_scheduler),
		cmocka_unit_test(shares_follow_weights_on_256_cpus_with_4096_vcpus),
		cmocka_unit_test(shares_follow_weights_of_4096_small_domains),
		cmocka_unit_test(a_mixed_load_on_256_cpus_keeps_weights_and_caps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
