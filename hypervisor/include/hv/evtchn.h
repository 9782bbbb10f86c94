/* SPDX-License-Identifier: MIT */
/*
 * Event channels: the functions that the rest of the hypervisor calls (core/event).
 * xen/event_channel.h defines the interface to guests.
 */
#ifndef HV_EVTCHN_H
#define HV_EVTCHN_H

#include "hv/arch/guest.h"
#include "hv/domain.h"

/* max_ports: the highest port number that d may use. 0 or -ENOMEM. */
int __must_check evtchn_domain_create(struct domain *d, unsigned int max_ports);
/* Closes every port in bounded steps: 0 or -ERESTART. */
int __must_check evtchn_domain_destroy(struct domain *d);
void evtchn_domain_free(struct domain *d);

/*
 * Send virtual interrupts (VIRQ_* of xen.h): to one vCPU (timer, debug), or to the vCPU that the
 * domain bound the VIRQ to. Any context but NMI.
 */
void evtchn_send_vcpu_virq(struct vcpu *v, unsigned int virq);
void evtchn_send_domain_virq(struct domain *d, unsigned int virq);
void evtchn_send_dom0_virq(unsigned int virq);
/* Sends an event to the `port` that d bound to a physical interrupt. Interrupt context. */
void evtchn_send_pirq(struct domain *d, unsigned int port);

/* Sends as if d itself sent on one of its ports: 0 or -EINVAL. Any context but NMI. */
int evtchn_send(struct domain *d, unsigned int port);
/* The same for the current domain. Interrupts are on. */
int evtchn_send_by_hypercall(unsigned int port);

/*
 * Allocates an unbound port of d for `remote`, by order of the hypervisor or a builder: its number,
 * or -errno.
 */
int evtchn_alloc_unbound(struct domain *d, domid_t remote);

/* For sched_op poll: is the port pending now? 0 or 1; -EINVAL if there is no such port. */
int evtchn_port_poll(struct domain *d, unsigned int port);
/*
 * sched_op poll, for v == current.
 *
 * begin: v now waits for `port`, or for several ports (-1): sets VPF_POLL. The caller looks at the
 * ports after this call; any event from then on ends the wait.
 *
 * end: clears VPF_POLL. True: the caller goes on, or calls vcpu_wake(v). False: somebody else has
 * ended the wait already.
 */
void evtchn_poll_begin(struct vcpu *v, int port);
bool evtchn_poll_end(struct vcpu *v);

/* Is an upcall pending and not masked for v? Then an exit to the guest must deliver it. */
static inline bool vcpu_event_deliverable(const struct vcpu *v)
{
	const vcpu_info_t *vi = v->vcpu_info;

	return READ_ONCE(vi->evtchn_upcall_pending) && !READ_ONCE(vi->evtchn_upcall_mask);
}
/*
 * Is there something that v must not sleep over? A vCPU that goes to sleep sets its flag first and
 * then asks this. A sender makes its event pending first and then calls vcpu_notify.
 */
static inline bool vcpu_must_look(const struct vcpu *v)
{
	return vcpu_event_deliverable(v) || arch_vcpu_interrupt_deliverable(v);
}
/* Makes v notice what is pending: wakes v if it blocks or polls. */
void vcpu_notify(struct vcpu *v);
/* Sets v's upcall-pending flag and makes v notice it. */
void vcpu_mark_events_pending(struct vcpu *v);
/* After vcpu_info moved or a restore: makes v look at every pending port again. */
void evtchn_recheck_vcpu(struct vcpu *v);
/* v's processor changed: the interrupts of its devices follow v. */
void evtchn_vcpu_moved(struct vcpu *v);

long evtchn_status_for(struct domain *d, void *arg); /* struct evtchn_status */
int evtchn_reset(struct domain *d);		     /* 0 or -ERESTART */

#endif
