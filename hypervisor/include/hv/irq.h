/* SPDX-License-Identifier: MIT */
/*
 * Physical interrupts as core sees them. Domains name them by pirq (xen/physdev.h); x86/irq knows
 * vectors and controllers.
 */
#ifndef HV_IRQ_H
#define HV_IRQ_H

#include "hv/domain.h"

/*
 * evtchn: binds pirq to `port` of v's domain and starts the interrupt. flags:
 * BIND_PIRQ__WILL_SHARE. 0, -EINVAL, -EEXIST, -EBUSY.
 */
int __must_check pirq_guest_bind(struct vcpu *v, unsigned int pirq, unsigned int port,
				 bool will_share);
void pirq_guest_unbind(struct domain *d, unsigned int pirq);
/* The guest is done with it: unmasks a level-triggered interrupt. */
void pirq_guest_eoi(struct domain *d, unsigned int pirq);
/* The bound vCPU runs elsewhere now: the interrupt follows it. */
void pirq_set_affinity(struct domain *d, unsigned int pirq, unsigned int cpu);
int __must_check pirq_domain_create(struct domain *d);
void pirq_domain_destroy(struct domain *d); /* unmaps all */
/* May be unmasked by evtchn unmask without an EOI. */
bool pirq_needs_eoi(struct domain *d, unsigned int pirq);

#endif
