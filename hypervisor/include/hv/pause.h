/* SPDX-License-Identifier: MIT */
/*
 * Pausing domains and vCPUs. When the functions that wait return, the vCPUs are off every CPU.
 */
#ifndef HV_PAUSE_H
#define HV_PAUSE_H

struct domain;
struct vcpu;

/*
 * Reasons why a vCPU does not run. It is runnable when pause_flags, its own pause count and its
 * domain's pause count are zero.
 */
enum vcpu_pause_flag {
	VPF_BLOCKED = 1 << 0, /* sched_op block: an event wakes it */
	VPF_DOWN = 1 << 1,    /* not up (VCPUOP_up) */
	VPF_POLL = 1 << 2,    /* sched_op poll: one of some ports wakes it */
};

void vcpu_pause(struct vcpu *v); /* waits; never on `current` */
void vcpu_pause_nosync(struct vcpu *v);
void vcpu_unpause(struct vcpu *v);
void domain_pause(struct domain *d); /* waits; never on the current domain */
void domain_unpause(struct domain *d);
int domain_pause_by_controller(struct domain *d);   /* 0, -EBUSY */
int domain_unpause_by_controller(struct domain *d); /* 0, -EINVAL if it was not paused */

#endif
