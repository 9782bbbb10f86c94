/* SPDX-License-Identifier: MIT */
/*
 * Delivery of events. All functions here run in any context but NMI, and take no lock except a
 * port's own.
 */
#include "core/event/evtchn.h"

#include "hv/arch/guest.h"
#include "hv/sched.h"
#include "lib/errno.h"

static noinline void wake_for_event(struct vcpu *v, u32 flags)
{
	if ((flags & VPF_POLL) && evtchn_poll_end(v))
		vcpu_wake(v);
	vcpu_unblock(v);
	arch_vcpu_kick(v);
}

/* The caller has made an event pending for v, by an atomic operation or before a barrier. */
static inline void make_look(struct vcpu *v)
{
	u32 flags = READ_ONCE(v->pause_flags);

	if (unlikely(flags & (VPF_BLOCKED | VPF_POLL)))
		wake_for_event(v, flags);
	else
		arch_vcpu_kick(v);
}

void vcpu_mark_events_pending(struct vcpu *v)
{
	if (!atomic_xchg(&v->vcpu_info->evtchn_upcall_pending, 1))
		make_look(v);
}

void vcpu_notify(struct vcpu *v)
{
	smp_mb();
	make_look(v);
}

void evtchn_poll_begin(struct vcpu *v, int port)
{
	WRITE_ONCE(v->ports.polled, port);
	atomic_inc(&v->domain->evtchn->pollers);
	atomic_or(&v->pause_flags, VPF_POLL);
}

bool evtchn_poll_end(struct vcpu *v)
{
	if (!(__atomic_fetch_and(&v->pause_flags, ~(u32)VPF_POLL, __ATOMIC_SEQ_CST) & VPF_POLL))
		return false;
	atomic_dec(&v->domain->evtchn->pollers);
	return true;
}

/* Wakes the vCPUs that poll this port, whether it is masked or not. */
static noinline void wake_pollers(struct domain *d, unsigned int port)
{
	struct vcpu *v;
	int waits_for;

	for_each_vcpu(d, v) {
		if (!(READ_ONCE(v->pause_flags) & VPF_POLL))
			continue;
		waits_for = READ_ONCE(v->ports.polled);
		if ((waits_for < 0 || waits_for == (int)port) && evtchn_poll_end(v))
			vcpu_wake(v);
	}
}

void evtchn_set_pending(struct domain *d, unsigned int port, unsigned int vcpu)
{
	shared_info_t *s = d->shared_info;
	struct vcpu *v;

	if (bit_test_and_set_atomic(s->evtchn_pending, port))
		return;
	v = evtchn_vcpu(d, vcpu);
	if (likely(v) && !bitmap_test_bit(s->evtchn_mask, port) &&
	    !bit_test_and_set_atomic(&v->vcpu_info->evtchn_pending_sel, port / BITS_PER_LONG))
		vcpu_mark_events_pending(v);
	if (unlikely(READ_ONCE(d->evtchn->pollers)))
		wake_pollers(d, port);
}

/* Interrupts are off. */
static int send_from(struct domain *d, unsigned int port)
{
	struct evtchn_port *p = evtchn_port_get(d->evtchn, port), *peer;
	int err = 0;

	if (unlikely(!p))
		return -EINVAL;
	evtchn_port_acquire(p);
	if (likely(p->type == PORT_INTERDOMAIN)) {
		/* p is locked, so its peer exists and stays bound to it. */
		peer = evtchn_port_at(p->peer.domain->evtchn, p->peer.port);
		evtchn_set_pending(p->peer.domain, p->peer.port, READ_ONCE(peer->vcpu));
	} else if (p->type == PORT_IPI) {
		evtchn_set_pending(d, port, p->vcpu);
	} else if (p->type != PORT_UNBOUND) {
		/* An unbound port is no error: nobody listens, and the event is lost by design. */
		err = -EINVAL;
	}
	evtchn_port_release(p);
	return err;
}

int evtchn_send(struct domain *d, unsigned int port)
{
	unsigned long flags = arch_irq_save();
	int err = send_from(d, port);

	arch_irq_restore(flags);
	return err;
}

int evtchn_send_by_hypercall(unsigned int port)
{
	int err;

	arch_irq_disable();
	err = send_from(current->domain, port);
	arch_irq_enable();
	return err;
}

/*
 * Sends only if the port still has that type and VIRQ: by the time its lock is held, it may be
 * closed, or be something else.
 */
static void send_if(struct domain *d, unsigned int port, enum port_type type, u32 virq)
{
	struct evtchn_port *p = evtchn_port_get(d->evtchn, port);
	unsigned long flags;

	if (!port || !p)
		return;
	flags = evtchn_port_lock(p);
	if (p->type == type && (type != PORT_VIRQ || p->virq == virq))
		evtchn_set_pending(d, port, p->vcpu);
	evtchn_port_unlock(p, flags);
}

void evtchn_send_vcpu_virq(struct vcpu *v, unsigned int virq)
{
	if (v->domain->evtchn)
		send_if(v->domain, READ_ONCE(v->ports.of_virq[virq]), PORT_VIRQ, virq);
}

void evtchn_send_domain_virq(struct domain *d, unsigned int virq)
{
	struct vcpu *v = evtchn_vcpu(d, 0);

	/* vCPU 0 has the port numbers of all global VIRQs; the port says which vCPU it notifies. */
	if (v)
		evtchn_send_vcpu_virq(v, virq);
}

void evtchn_send_dom0_virq(unsigned int virq)
{
	if (dom0)
		evtchn_send_domain_virq(dom0, virq);
}

void evtchn_send_pirq(struct domain *d, unsigned int port)
{
	send_if(d, port, PORT_PIRQ, 0);
}

void evtchn_unmask(struct domain *d, unsigned int port, unsigned int vcpu)
{
	shared_info_t *s = d->shared_info;
	struct vcpu *v = evtchn_vcpu(d, vcpu);

	if (bit_test_and_clear_atomic(s->evtchn_mask, port) &&
	    bitmap_test_bit(s->evtchn_pending, port) && v &&
	    !bit_test_and_set_atomic(&v->vcpu_info->evtchn_pending_sel, port / BITS_PER_LONG))
		vcpu_mark_events_pending(v);
}

int evtchn_port_poll(struct domain *d, unsigned int port)
{
	struct evtchn_port *p = evtchn_port_get(d->evtchn, port);

	if (!p || READ_ONCE(p->type) == PORT_FREE)
		return -EINVAL;
	return bitmap_test_bit(d->shared_info->evtchn_pending, port);
}

void evtchn_recheck_vcpu(struct vcpu *v)
{
	/* A needless upcall does no harm: the guest scans all words. */
	atomic_or(&v->vcpu_info->evtchn_pending_sel, ~0UL);
	vcpu_mark_events_pending(v);
}
