/* SPDX-License-Identifier: MIT */
/*
 * Where a vCPU's time goes (xen/vcpu.h, struct vcpu_runstate_info), in whole nanoseconds; the
 * states' sum loses nothing.
 */
#include "core/sched/sched_internal.h"

#include "hv/arch/guest_access.h"
#include "hv/arch/time.h"
#include "lib/errno.h"

/* Caller holds the lock of v's queue. */
void runstate_change(struct vcpu *v, int state, s_time_t now)
{
	struct vcpu_runstate_info *r = &v->runstate.info;

	if (r->state == state)
		return;
	if ((u64)now > r->state_entry_time) {
		r->time[r->state] += (u64)now - r->state_entry_time;
		r->state_entry_time = (u64)now;
	}
	r->state = state;
}

int runstate_when_off(const struct vcpu *v)
{
	return READ_ONCE(v->pause_flags) & (VPF_BLOCKED | VPF_POLL) ? RUNSTATE_blocked :
								      RUNSTATE_offline;
}

void vcpu_runstate_get(const struct vcpu *v, struct vcpu_runstate_info *out)
{
	unsigned long flags;
	struct run_queue *rq = sched_lock_vcpu(v, &flags);
	u64 now = (u64)time_now();

	*out = v->runstate.info;
	spin_unlock_irqrestore(&rq->lock, flags);
	if (now > out->state_entry_time)
		out->time[out->state] += now - out->state_entry_time;
}

u64 vcpu_cpu_time(const struct vcpu *v)
{
	struct vcpu_runstate_info r;

	vcpu_runstate_get(v, &r);
	return r.time[RUNSTATE_running];
}

u64 cpu_idle_time(unsigned int cpu)
{
	const struct vcpu *idle = per_cpu(run_queue, cpu).idle;

	return idle ? vcpu_cpu_time(idle) : 0;
}

/*
 * v is current, so nobody else changes its runstate, and its kernel's page tables are loaded.
 *
 * A guest that asked for it (VMASST_TYPE_runstate_update_flag) sees XEN_RUNSTATE_UPDATE in
 * state_entry_time while the rest is being written. A guest that has unmapped its copy gets no
 * update.
 */
void vcpu_runstate_publish(struct vcpu *v)
{
	struct vcpu_runstate_info __guest *guest = READ_ONCE(v->runstate.guest);
	struct vcpu_runstate_info r = v->runstate.info;
	u64 __guest *entry_time;
	u64 flagged;

	if (!guest)
		return;
	if (!(v->domain->vm_assist & BIT(VMASST_TYPE_runstate_update_flag))) {
		if (copy_to_guest(guest, &r, sizeof(r)))
			return;
		return;
	}
	entry_time = (u64 __guest *)((char __guest *)guest +
				     offsetof(struct vcpu_runstate_info, state_entry_time));
	flagged = r.state_entry_time | XEN_RUNSTATE_UPDATE;
	if (copy_to_guest(entry_time, &flagged, sizeof(flagged)))
		return;
	smp_wmb();
	r.state_entry_time = flagged;
	if (copy_to_guest(guest, &r, sizeof(r)))
		return;
	smp_wmb();
	flagged &= ~XEN_RUNSTATE_UPDATE;
	if (copy_to_guest(entry_time, &flagged, sizeof(flagged)))
		return;
}
