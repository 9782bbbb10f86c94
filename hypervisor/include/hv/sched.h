/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: proportional share with weight and cap. xen/sched.h and xen/domctl.h
 * (scheduler_op) are the interface.
 */
#ifndef HV_SCHED_H
#define HV_SCHED_H

#include "hv/domain.h"

void sched_init(void); /* boot, before any vCPU */
void sched_cpu_init(
	unsigned int cpu); /* before a CPU starts: its queue, its idle vCPU as current */
int __must_check sched_domain_init(struct domain *d);
void sched_domain_free(
	struct domain *d); /* waits for its timer's handler; before its vCPUs are freed */
void sched_vcpu_init(struct vcpu *v); /* chooses v->processor; v is not runnable yet */
void sched_vcpu_free(struct vcpu *v);

void vcpu_wake(struct vcpu *v);		/* v may have become runnable */
void vcpu_sleep_nosync(struct vcpu *v); /* v may have stopped being runnable */
void vcpu_sleep_sync(
	struct vcpu *v); /* and waits until it is off its CPU, its state written back */
void vcpu_block(void);	 /* current: until an event; events that came meanwhile cancel it */
void vcpu_yield(void);
/*
 * current, once it leaves the hypervisor: until that time, or an event that it can take. For a
 * hypercall's -ERESTART.
 */
void vcpu_poll_until(s_time_t until);
void vcpu_unblock(struct vcpu *v); /* an event came */

/* Affinity: 0, -EINVAL when it leaves no CPU that is online. */
int __must_check vcpu_set_hard_affinity(struct vcpu *v, const cpumask_t *m);
int __must_check vcpu_set_soft_affinity(struct vcpu *v, const cpumask_t *m);
/* Copies the time of v in each state up to now; v of any CPU. */
void vcpu_runstate_get(const struct vcpu *v, struct vcpu_runstate_info *out);
u64 vcpu_cpu_time(const struct vcpu *v); /* ns in RUNSTATE_running */
u64 cpu_idle_time(unsigned int cpu);	 /* ns */

/* scheduler_op of domctl and sysctl, credit's parameters. */
long sched_domctl(struct domain *d, struct xen_domctl_scheduler_op *op);
struct xen_sysctl_scheduler_op;
long sched_sysctl(struct xen_sysctl_scheduler_op *op);
unsigned int sched_id(void); /* XEN_SCHEDULER_CREDIT */

/* Idle work can go on: if this CPU does not idle, one that does looks for it. If none does, the
 * next one will. */
void sched_wake_idle_cpu(void);

/* Called by arch after the switch, on the new stack, with interrupts off: prev is now off its CPU.
 */
void sched_context_saved(struct vcpu *prev);
void sched_dump(char key);

/* The guest's copy of the runstate (VCPUOP_register_runstate_memory_area): by arch, when it returns
 * to v. */
void vcpu_runstate_publish(struct vcpu *v);

#endif
