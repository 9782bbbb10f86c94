/* SPDX-License-Identifier: MIT */
/* links: hypervisor/core/sched/sched.c hypervisor/core/sched/sched_share.c hypervisor/core/sched/sched_place.c */
/* links: hypervisor/core/sched/sched_param.c hypervisor/core/sched/runstate.c hypervisor/core/base/softirq.c */
/* links: hypervisor/core/base/timer.c hypervisor/lib/heap.c hypervisor/lib/bitmap.c */
/* Weights, caps and slices as tools set them, while the scheduler runs with them on other CPUs. */
#include "sched_sim.h"

#include <xen/sysctl.h>
#include "hv/arch/cpu.h"

/* No domain is destroyed in these tests. */
bool domain_get(struct domain *d)
{
	return true;
}

void domain_put(struct domain *d)
{
}

static struct domain *watched;
static unsigned int locked_with_cap[2];
static unsigned int nr_locked;

/* Notes the cap as another CPU sees it, which has held the lock until now. */
unsigned long spin_lock_irqsave(spinlock_t *l)
{
	unsigned long flags = arch_irq_save();

	if (watched && l == &watched->sched.cap_lock && nr_locked < ARRAY_SIZE(locked_with_cap))
		locked_with_cap[nr_locked++] = watched->sched.cap;
	spin_lock(l);
	return flags;
}

static void set(struct domain *d, unsigned int weight, unsigned int cap)
{
	struct xen_domctl_scheduler_op op = { .sched_id = XEN_SCHEDULER_CREDIT,
					      .cmd = XEN_DOMCTL_SCHEDOP_putinfo };

	op.u.credit.weight = (u16)weight;
	op.u.credit.cap = (u16)cap;
	assert_int_equal(sched_domctl(d, &op), 0);
}

static void a_cap_stays_while_another_cpu_has_its_lock(void **state)
{
	struct domain *d;

	sim_start(2);
	d = sim_domain(2, 256, 50);
	watched = d;
	nr_locked = 0;
	set(d, 256, 0);
	assert_int_equal(nr_locked, 1);
	assert_int_equal(locked_with_cap[0], 50);
	assert_int_equal(d->sched.cap, 0);
	watched = NULL;
	sim_end();
}

/* The extremes, set again and again while vCPUs are charged, parked and refilled. */
static void any_weight_cap_and_slice_is_safe(void **state)
{
	static const unsigned int weights[] = { 1, 2, 255, 256, 65535 };
	static const unsigned int caps[] = { 1, 0, 2, 100, 0xffff, 51200, 0, 51199, 1 };
	struct xen_sysctl_scheduler_op op = { .sched_id = XEN_SCHEDULER_CREDIT,
					      .cmd = XEN_SYSCTL_SCHEDOP_putinfo };
	static const unsigned int slices[] = { XEN_SYSCTL_CSCHED_TSLICE_MIN, 10,
					       XEN_SYSCTL_CSCHED_TSLICE_MAX };
	struct domain *d, *other;

	sim_start(4);
	d = sim_domain(512, 256, 0);
	other = sim_domain(3, 65535, 0);
	sim_pin(other, 0, 1);
	sim_up(d, 0, 0);
	sim_up(other, MILLISECS(3), MILLISECS(2));
	for (unsigned int s = 0; s < ARRAY_SIZE(slices); s++) {
		op.u.sched_credit = (struct xen_sysctl_credit_schedule){ .tslice_ms = slices[s] };
		assert_int_equal(sched_sysctl(&op), 0);
		for (unsigned int w = 0; w < ARRAY_SIZE(weights); w++)
			for (unsigned int c = 0; c < ARRAY_SIZE(caps); c++) {
				set(d, weights[w], caps[c]);
				set(other, weights[ARRAY_SIZE(weights) - 1 - w], 0xffff);
				sim_run(MILLISECS(100));
			}
	}
	/* No CPU's time is lost either. */
	set(d, 256, 0);
	set(other, 256, 0);
	sim_mark();
	sim_run(SECONDS(10));
	sim_expect("all CPUs", sim_share(d, SECONDS(10)) + sim_share(other, SECONDS(10)), 4, 0.01);
	sim_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cap_stays_while_another_cpu_has_its_lock),
		cmocka_unit_test(any_weight_cap_and_slice_is_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
