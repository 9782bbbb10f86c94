/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: proportional shares with weight and cap. xen/sched.h and xen/domctl.h
 * (scheduler_op) define the interface.
 */
#ifndef HV_SCHED_H
#define HV_SCHED_H

#include "hv/domain.h"

void sched_init(void); /* boot, before any vCPU */
/* Before a CPU starts: sets up its queue, with its idle vCPU as the one that runs. */
void sched_cpu_init(unsigned int cpu);
int __must_check sched_domain_init(struct domain *d);
/* Waits for the handler of d's timer. Call before d's vCPUs are freed. */
void sched_domain_free(struct domain *d);
/* Chooses v->processor. v is not runnable yet. */
void sched_vcpu_init(struct vcpu *v);
void sched_vcpu_free(struct vcpu *v);

/* v may have become runnable. */
void vcpu_wake(struct vcpu *v);
/* v may have stopped being runnable. */
void vcpu_sleep_nosync(struct vcpu *v);
/* The same, and waits until v is off its CPU and its state is written back. */
void vcpu_sleep_sync(struct vcpu *v);
/*
 * Takes v down until somebody brings it up again. A domain whose last vCPU goes down could never
 * come back, so that counts as a power-off.
 */
void vcpu_go_down(struct vcpu *v);
/* Blocks `current` until an event comes. An event that is pending already cancels that. */
void vcpu_block(void);
/* Lets the next vCPU of this CPU's queue run before `current`. */
void vcpu_yield(void);
/*
 * For a hypercall that returns -ERESTART: `current` sleeps, once it leaves the hypervisor, until
 * that time or an event that it can take.
 */
void vcpu_poll_until(s_time_t until);
/* An event came for v. */
void vcpu_unblock(struct vcpu *v);

/* Both return 0, or -EINVAL when the affinity leaves no CPU that is online. */
int __must_check vcpu_set_hard_affinity(struct vcpu *v, const cpumask_t *m);
int __must_check vcpu_set_soft_affinity(struct vcpu *v, const cpumask_t *m);
/* Copies the times that v has spent in each state, up to now. v may be on any CPU. */
void vcpu_runstate_get(const struct vcpu *v, struct vcpu_runstate_info *out);
u64 vcpu_cpu_time(const struct vcpu *v); /* ns in RUNSTATE_running */
u64 cpu_idle_time(unsigned int cpu);	 /* ns */

/* scheduler_op of domctl and sysctl, with the parameters of the credit scheduler. */
long sched_domctl(struct domain *d, struct xen_domctl_scheduler_op *op);
struct xen_sysctl_scheduler_op;
long sched_sysctl(struct xen_sysctl_scheduler_op *op);
unsigned int sched_id(void); /* XEN_SCHEDULER_CREDIT */

/*
 * There is idle work again. If this CPU is not idle, kicks one that is; if none is idle, the next
 * CPU that goes idle finds the work.
 */
void sched_wake_idle_cpu(void);
/* Runs on the stack of a CPU that has no vCPU: softirqs, scrubbing, waiting. */
void __noreturn idle_loop(void);

/*
 * The arch side calls this after the switch, on the new stack, with interrupts off: prev is off its
 * CPU now.
 */
void sched_context_saved(struct vcpu *prev);
void sched_dump(char key);

/*
 * Writes the guest's copy of the runstate (VCPUOP_register_runstate_memory_area). The arch side
 * calls this when it returns to v.
 */
void vcpu_runstate_publish(struct vcpu *v);

#endif
