/* SPDX-License-Identifier: MIT */
/*
 * Parameters that tools may set: a domain's weight and cap, global parameters, affinities. Tools
 * see the `credit` scheduler.
 */
#include "core/sched/sched_internal.h"

#include <xen/sysctl.h>
#include "lib/errno.h"

#define CAP_KEEP 0xffff /* putinfo: leave the cap as it is */

unsigned int sched_id(void)
{
	return XEN_SCHEDULER_CREDIT;
}

/* -EINVAL: another scheduler's operation, or a cap above what all of d's vCPUs together can use. */
long sched_domctl(struct domain *d, struct xen_domctl_scheduler_op *op)
{
	if (op->sched_id != XEN_SCHEDULER_CREDIT || d->is_idle)
		return -EINVAL;
	switch (op->cmd) {
	case XEN_DOMCTL_SCHEDOP_getinfo:
		op->u.credit.weight = d->sched.weight;
		op->u.credit.cap = d->sched.cap;
		return 0;
	case XEN_DOMCTL_SCHEDOP_putinfo:
		if (op->u.credit.cap != CAP_KEEP && op->u.credit.cap > 100 * d->max_vcpus)
			return -EINVAL;
		if (op->u.credit.weight)
			WRITE_ONCE(d->sched.weight, op->u.credit.weight);
		if (op->u.credit.cap != CAP_KEEP)
			share_set_cap(d, op->u.credit.cap);
		return 0;
	default:
		/*
		 * putvcpuinfo and getvcpuinfo, too: domctl.h has them fail for a scheduler whose
		 * parameters belong to the domain.
		 */
		return -EINVAL;
	}
}

long sched_sysctl(struct xen_sysctl_scheduler_op *op)
{
	struct xen_sysctl_credit_schedule *c = &op->u.sched_credit;

	if (op->sched_id != XEN_SCHEDULER_CREDIT || op->cpupool_id != 0)
		return -EINVAL;
	switch (op->cmd) {
	case XEN_SYSCTL_SCHEDOP_putinfo:
		if (c->tslice_ms < XEN_SYSCTL_CSCHED_TSLICE_MIN ||
		    c->tslice_ms > XEN_SYSCTL_CSCHED_TSLICE_MAX ||
		    c->vcpu_migr_delay_us > XEN_SYSCTL_CSCHED_MGR_DLY_MAX_US ||
		    (c->ratelimit_us && (c->ratelimit_us > XEN_SYSCTL_SCHED_RATELIMIT_MAX ||
					 c->ratelimit_us < XEN_SYSCTL_SCHED_RATELIMIT_MIN)) ||
		    c->ratelimit_us > c->tslice_ms * 1000)
			return -EINVAL;
		WRITE_ONCE(sched_params.slice_ms, c->tslice_ms);
		WRITE_ONCE(sched_params.ratelimit_us, c->ratelimit_us);
		WRITE_ONCE(sched_params.migrate_delay_us, c->vcpu_migr_delay_us);
		/* fall through */
	case XEN_SYSCTL_SCHEDOP_getinfo:
		c->tslice_ms = sched_params.slice_ms;
		c->ratelimit_us = sched_params.ratelimit_us;
		c->vcpu_migr_delay_us = sched_params.migrate_delay_us;
		return 0;
	default:
		return -EINVAL;
	}
}

static bool leaves_a_cpu(const cpumask_t *m)
{
	return cpumask_intersects(m, &cpu_online_map);
}

int vcpu_set_hard_affinity(struct vcpu *v, const cpumask_t *m)
{
	unsigned long flags;
	struct run_queue *rq;
	bool moves;

	if (v->is_idle || !leaves_a_cpu(m))
		return -EINVAL;
	rq = sched_lock_vcpu(v, &flags);
	v->sched.hard_affinity = *m;
	v->sched.pinned = cpumask_weight(m) == 1;
	moves = !place_allowed(v, rq->cpu);
	if (v->sched.queued) {
		if (moves) {
			sched_dequeue(rq, v);
			share_leave(rq, v);
		} else {
			place_update_offer(rq);
		}
	} else if (moves && rq->curr == v) {
		softirq_raise_on(rq->cpu, SOFTIRQ_SCHEDULE);
	}
	spin_unlock_irqrestore(&rq->lock, flags);
	if (moves)
		vcpu_wake(v);
	return 0;
}

int vcpu_set_soft_affinity(struct vcpu *v, const cpumask_t *m)
{
	unsigned long flags;
	struct run_queue *rq;

	if (v->is_idle || !leaves_a_cpu(m))
		return -EINVAL;
	rq = sched_lock_vcpu(v, &flags);
	v->sched.soft_affinity = *m;
	spin_unlock_irqrestore(&rq->lock, flags);
	return 0;
}
