/* SPDX-License-Identifier: MIT */
/*
 * Event channels: what the rest of the hypervisor sends and asks (core/event/evtchn.c).
 * xen/event_channel.h is the interface.
 */
#ifndef HV_EVTCHN_H
#define HV_EVTCHN_H

#include "hv/arch.h"

int __must_check evtchn_domain_create(struct domain *d, unsigned int max_ports);
int __must_check
evtchn_domain_destroy(struct domain *d); /* closes every port in steps: 0 or -ERESTART */
void evtchn_domain_free(struct domain *d);

/*
 * Virtual interrupts, VIRQ_* of xen.h: of one vCPU (timer, debug), or the domain's (its bound
 * vCPU). Any context but NMI.
 */
void evtchn_send_vcpu_virq(struct vcpu *v, unsigned int virq);
void evtchn_send_domain_virq(struct domain *d, unsigned int virq);
void evtchn_send_dom0_virq(unsigned int virq);
/* The port bound to physical interrupt `pirq` of d: interrupt context. */
void evtchn_send_pirq(struct domain *d, unsigned int port);

/* As if d itself sent on one of its ports: 0, -EINVAL. Any context but NMI. */
int evtchn_send(struct domain *d, unsigned int port);
/* The current domain does. Interrupts are on. */
int evtchn_send_by_hypercall(unsigned int port);

/* A port that is made for d by the hypervisor or a builder: its number, or -errno. */
int evtchn_alloc_unbound(struct domain *d, domid_t remote);

/* Ports that sched_op poll waits for: bit is set now? -EINVAL if there is no such port. */
int evtchn_port_poll(struct domain *d, unsigned int port);
/*
 * sched_op poll. begin: v (current) waits for `port`, or for several (-1): sets VPF_POLL; look at
 * the ports after it, an event that comes from then on ends the wait. end: clears VPF_POLL, for the
 * caller to go on or to vcpu_wake(v); false: it was ended already.
 */
void evtchn_poll_begin(struct vcpu *v, int port);
bool evtchn_poll_end(struct vcpu *v);

/* Is an upcall pending and not masked for v: an exit to the guest must deliver it. */
static inline bool vcpu_event_deliverable(const struct vcpu *v)
{
	const vcpu_info_t *vi = v->vcpu_info;

	return READ_ONCE(vi->evtchn_upcall_pending) && !READ_ONCE(vi->evtchn_upcall_mask);
}
/*
 * Is there something that v must not sleep over? A vCPU that goes to sleep sets its flag and then
 * asks this; who sends something makes it pending and then calls vcpu_notify.
 */
static inline bool vcpu_must_look(const struct vcpu *v)
{
	return vcpu_event_deliverable(v) || arch_vcpu_nmi_deliverable(v);
}
/* Makes v look: wakes it when it blocks or polls. */
void vcpu_notify(struct vcpu *v);
/* Sets the pending flag and makes v look (wakes it when it is blocked). */
void vcpu_mark_events_pending(struct vcpu *v);
/* After vcpu_info moved or a restore: every pending port is looked at anew. */
void evtchn_recheck_vcpu(struct vcpu *v);
/* v goes away or its processor changed: interrupts of devices follow it. */
void evtchn_vcpu_moved(struct vcpu *v);

long evtchn_status_for(struct domain *d, void *arg); /* struct evtchn_status */
int evtchn_reset(struct domain *d);		     /* 0 or -ERESTART */

#endif
