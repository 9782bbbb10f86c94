/* SPDX-License-Identifier: MIT */
/*
 * Pausing domains and vCPUs. Pauses nest, because they are counts: a vCPU may run when its own
 * count and its domain's are zero and no VPF_* flag is set.
 */
#include "hv/domain.h"

#include "hv/atomic.h"
#include "hv/console.h"
#include "hv/sched.h"
#include "lib/errno.h"

void vcpu_pause(struct vcpu *v)
{
	ASSERT(v != current);
	atomic_inc(&v->pause_count);
	vcpu_sleep_sync(v);
}

void vcpu_pause_nosync(struct vcpu *v)
{
	atomic_inc(&v->pause_count);
	vcpu_sleep_nosync(v);
}

void vcpu_unpause(struct vcpu *v)
{
	if (atomic_sub_return(&v->pause_count, 1) == 0)
		vcpu_wake(v);
}

void domain_pause(struct domain *d)
{
	struct vcpu *v;

	ASSERT(d != current->domain);
	atomic_inc(&d->pause_count);
	for_each_vcpu(d, v)
		vcpu_sleep_sync(v);
}

void domain_unpause(struct domain *d)
{
	struct vcpu *v;

	if (atomic_sub_return(&d->pause_count, 1) == 0)
		for_each_vcpu(d, v)
			vcpu_wake(v);
}

#define CONTROLLER_PAUSES_MAX 255

int domain_pause_by_controller(struct domain *d)
{
	bool first;

	spin_lock(&d->lock);
	if (d->controller_pause_count >= CONTROLLER_PAUSES_MAX) {
		spin_unlock(&d->lock);
		return -EBUSY;
	}
	first = d->controller_pause_count++ == 0;
	spin_unlock(&d->lock);
	if (first)
		domain_pause(d);
	return 0;
}

int domain_unpause_by_controller(struct domain *d)
{
	bool last;

	spin_lock(&d->lock);
	if (d->controller_pause_count == 0) {
		spin_unlock(&d->lock);
		return -EINVAL;
	}
	last = --d->controller_pause_count == 0;
	spin_unlock(&d->lock);
	if (last)
		domain_unpause(d);
	return 0;
}
