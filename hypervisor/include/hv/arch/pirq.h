/* SPDX-License-Identifier: MIT */
/*
 * Physical interrupts as core sees them: by the pirq numbers that domains use (xen/physdev.h). Only
 * the processor's side knows vectors and controllers.
 */
#ifndef HV_ARCH_PIRQ_H
#define HV_ARCH_PIRQ_H

#include "lib/types.h"

struct domain;
struct vcpu;

/*
 * For event channels: binds pirq to `port` of v's domain and starts the interrupt. will_share:
 * BIND_PIRQ__WILL_SHARE. 0, -EINVAL, -EEXIST, -EBUSY.
 */
int __must_check pirq_guest_bind(struct vcpu *v, unsigned int pirq, unsigned int port,
				 bool will_share);
void pirq_guest_unbind(struct domain *d, unsigned int pirq);
/* The bound vCPU runs on another CPU now: moves the interrupt there. */
void pirq_set_affinity(struct domain *d, unsigned int pirq, unsigned int cpu);
int __must_check pirq_domain_create(struct domain *d);
void pirq_domain_destroy(struct domain *d); /* unmaps all */

#endif
