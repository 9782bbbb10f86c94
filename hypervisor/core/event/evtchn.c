/* SPDX-License-Identifier: MIT */
/*
 * Event channels: a domain's ports, and how they are created, changed and closed.
 * core/event/evtchn.h explains the locks.
 */
#include "core/event/evtchn.h"

#include "hv/arch/pirq.h"
#include "hv/console.h"
#include "hv/hv_heap.h"
#include "hv/hypercall.h"
#include "lib/errno.h"

/* Closing this many ports is one step of a preemptible operation. */
#define CLOSE_BATCH 32

int evtchn_domain_create(struct domain *d, unsigned int max_port)
{
	struct evtchn_domain *e = hv_alloc(sizeof(*e));

	if (!e)
		return -ENOMEM;
	spin_lock_init(&e->lock, LOCK_EVTCHN);
	e->nr_ports = max_port < EVTCHN_2L_NR_CHANNELS ? max_port + 1 : EVTCHN_2L_NR_CHANNELS;
	/* Port 0 is never valid. */
	bitmap_set_bit(e->used, 0);
	d->evtchn = e;
	return 0;
}

void evtchn_domain_free(struct domain *d)
{
	for (unsigned int i = 0; i < PORT_BUCKETS; i++)
		hv_free(d->evtchn->buckets[i]);
	hv_free(d->evtchn);
	d->evtchn = NULL;
}

void evtchn_lock_pair(struct domain *a, struct domain *b)
{
	spin_lock_pair(&a->evtchn->lock, &b->evtchn->lock, a->id < b->id);
}

void evtchn_unlock_pair(struct domain *a, struct domain *b)
{
	spin_unlock_pair(&a->evtchn->lock, &b->evtchn->lock);
}

void evtchn_port_change(struct evtchn_port *p, const struct evtchn_port *to)
{
	unsigned long flags = evtchn_port_lock(p);

	p->type = to->type;
	WRITE_ONCE(p->vcpu, to->vcpu);
	p->peer = to->peer; /* the union's largest member */
	evtchn_port_unlock(p, flags);
}

int evtchn_port_alloc(struct domain *d, const struct evtchn_port *init)
{
	struct evtchn_domain *e = d->evtchn;
	struct evtchn_port *bucket;
	unsigned int port;

	if (e->dying)
		return -EINVAL;
	port = bitmap_first_clear(e->used, e->nr_ports);
	if (port >= e->nr_ports)
		return -ENOSPC;
	if (!e->buckets[port / PORTS_PER_BUCKET]) {
		bucket = hv_alloc(PORTS_PER_BUCKET * sizeof(*bucket));
		if (!bucket)
			return -ENOMEM;
		smp_wmb();
		WRITE_ONCE(e->buckets[port / PORTS_PER_BUCKET], bucket);
	}
	bitmap_set_bit(e->used, port);
	if (init->type == PORT_PIRQ)
		bitmap_set_bit(e->pirqs, port);
	evtchn_port_change(evtchn_port_get(e, port), init);
	return (int)port;
}

void evtchn_port_free(struct domain *d, unsigned int port)
{
	static const struct evtchn_port none;
	struct evtchn_domain *e = d->evtchn;

	evtchn_port_change(evtchn_port_get(e, port), &none);
	/* No sender is left. Clear the event, so that the next user of the port does not see it. */
	bit_clear_atomic(d->shared_info->evtchn_pending, port);
	bitmap_clear_bit(e->pirqs, port);
	bitmap_clear_bit(e->used, port);
}

/* Caller holds d's event lock. */
static void close_virq(struct domain *d, const struct evtchn_port *p)
{
	struct vcpu *v = evtchn_vcpu(d, virq_is_per_vcpu(p->virq) ? p->vcpu : 0);

	if (v)
		WRITE_ONCE(v->ports.of_virq[p->virq], 0);
}

/*
 * Closes an interdomain port whose peer was `r` a moment ago. -EAGAIN: that has changed. The caller
 * holds a reference on r.
 */
static int close_interdomain(struct domain *d, unsigned int port, struct domain *r)
{
	struct evtchn_port *p = evtchn_port_get(d->evtchn, port);
	struct evtchn_port unbound = { .type = PORT_UNBOUND, .allowed = d->id };
	struct evtchn_port *peer;

	evtchn_lock_pair(d, r);
	if (p->type != PORT_INTERDOMAIN || p->peer.domain != r) {
		evtchn_unlock_pair(d, r);
		return -EAGAIN;
	}
	peer = evtchn_port_get(r->evtchn, p->peer.port);
	if (peer != p) {
		unbound.vcpu = peer->vcpu;
		evtchn_port_change(peer, &unbound);
		domain_put(d); /* the peer's reference */
	}
	evtchn_port_free(d, port);
	evtchn_unlock_pair(d, r);
	domain_put(r); /* this port's */
	return 0;
}

int evtchn_port_close(struct domain *d, unsigned int port)
{
	struct evtchn_domain *e = d->evtchn;
	struct evtchn_port *p = evtchn_port_get(e, port);
	struct domain *r;
	int err;

	if (!p)
		return -EINVAL;
	do {
		err = 0;
		r = NULL;
		spin_lock(&e->lock);
		switch ((enum port_type)p->type) {
		case PORT_FREE:
			err = -EINVAL;
			break;
		case PORT_INTERDOMAIN:
			/*
			 * The order of the two event locks depends on the domain IDs: take both in
			 * that order, then check again.
			 */
			r = p->peer.domain;
			if (!domain_get(r))
				BUG();
			break;
		case PORT_PIRQ:
			pirq_guest_unbind(d, p->pirq);
			evtchn_port_free(d, port);
			break;
		case PORT_VIRQ:
			close_virq(d, p);
			evtchn_port_free(d, port);
			break;
		case PORT_UNBOUND:
		case PORT_IPI:
			evtchn_port_free(d, port);
			break;
		}
		spin_unlock(&e->lock);
		if (r) {
			err = close_interdomain(d, port, r);
			domain_put(r);
		}
	} while (err == -EAGAIN);
	return err;
}

/*
 * Closes all ports from e->closing on. -ERESTART: there is more to do, but something else needs the
 * CPU.
 */
static int close_all(struct domain *d)
{
	struct evtchn_domain *e = d->evtchn;
	unsigned int port, done = 0;

	for (;;) {
		spin_lock(&e->lock);
		port = bitmap_next_set(e->used, e->nr_ports, max(e->closing, 1U));
		e->closing = port < e->nr_ports ? port : 0;
		spin_unlock(&e->lock);
		if (port >= e->nr_ports)
			return 0;
		/* -EINVAL means that the owner has just closed the port itself. */
		(void)evtchn_port_close(d, port);
		spin_lock(&e->lock);
		if (e->closing == port)
			e->closing = port + 1;
		spin_unlock(&e->lock);
		if (++done % CLOSE_BATCH == 0 && hypercall_preempt_check())
			return -ERESTART;
	}
}

int evtchn_domain_destroy(struct domain *d)
{
	struct evtchn_domain *e = d->evtchn;

	spin_lock(&e->lock);
	if (!e->dying) {
		e->dying = true;
		e->closing = 0;
	}
	spin_unlock(&e->lock);
	return close_all(d);
}

int evtchn_reset(struct domain *d)
{
	return close_all(d);
}

int evtchn_alloc_unbound(struct domain *d, domid_t remote)
{
	struct evtchn_port init = { .type = PORT_UNBOUND, .allowed = remote };
	int port;

	spin_lock(&d->evtchn->lock);
	port = evtchn_port_alloc(d, &init);
	spin_unlock(&d->evtchn->lock);
	return port;
}

/* Interrupts of devices follow the vCPU that takes them. */
void evtchn_vcpu_moved(struct vcpu *v)
{
	struct domain *d = v->domain;
	struct evtchn_domain *e = d->evtchn;
	struct evtchn_port *p;
	unsigned int port;

	if (!e || !d->pirqs)
		return;
	spin_lock(&e->lock);
	bitmap_for_each(port, e->pirqs, e->nr_ports) {
		p = evtchn_port_get(e, port);
		if (p->vcpu == v->id)
			pirq_set_affinity(d, p->pirq, v->processor);
	}
	spin_unlock(&e->lock);
}

long evtchn_status_for(struct domain *d, void *arg)
{
	struct evtchn_status *status = arg;
	struct evtchn_domain *e = d->evtchn;
	struct evtchn_port *p = evtchn_port_get(e, status->port);

	if (!p)
		return -EINVAL;
	spin_lock(&e->lock);
	status->vcpu = p->vcpu;
	switch ((enum port_type)p->type) {
	case PORT_FREE:
		status->status = EVTCHNSTAT_closed;
		break;
	case PORT_UNBOUND:
		status->status = EVTCHNSTAT_unbound;
		status->u.unbound.dom = p->allowed;
		break;
	case PORT_INTERDOMAIN:
		status->status = EVTCHNSTAT_interdomain;
		status->u.interdomain.dom = p->peer.domain->id;
		status->u.interdomain.port = p->peer.port;
		break;
	case PORT_PIRQ:
		status->status = EVTCHNSTAT_pirq;
		status->u.pirq = p->pirq;
		break;
	case PORT_VIRQ:
		status->status = EVTCHNSTAT_virq;
		status->u.virq = p->virq;
		break;
	case PORT_IPI:
		status->status = EVTCHNSTAT_ipi;
		break;
	}
	spin_unlock(&e->lock);
	return 0;
}
