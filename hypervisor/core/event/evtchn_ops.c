/* SPDX-License-Identifier: MIT */
/*
 * The hypercall event_channel_op: each sub-operation checks its argument and creates or changes a
 * port.
 */
#include "core/event/evtchn.h"

#include "hv/arch/guest_access.h"
#include "hv/arch/pirq.h"
#include "hv/hypercall_handlers.h"
#include "lib/errno.h"

/* The domain that a sub-operation names, with a reference. Special domains have no ports. */
static struct domain *target(domid_t id, int *err)
{
	struct domain *d = hypercall_target(id, err);

	if (d && !d->evtchn) {
		domain_put(d);
		*err = -ESRCH;
		return NULL;
	}
	return d;
}

static long op_alloc_unbound(void *arg)
{
	struct evtchn_alloc_unbound *op = arg;
	struct domain *d;
	domid_t remote;
	int ret;

	d = target(op->dom, &ret);
	if (!d)
		return ret;
	remote = op->remote_dom == DOMID_SELF ? current->domain->id : op->remote_dom;
	ret = evtchn_alloc_unbound(d, remote);
	domain_put(d);
	if (ret < 0)
		return ret;
	op->port = (evtchn_port_t)ret;
	return 0;
}

/*
 * Binds a new port of ld to port `rport` of rd. Returns the new port or -errno. Caller holds both
 * event locks.
 */
static int bind_ports(struct domain *ld, struct domain *rd, unsigned int rport)
{
	struct evtchn_port *rp = evtchn_port_get(rd->evtchn, rport);
	struct evtchn_port lnew = { .type = PORT_INTERDOMAIN, .peer = { rd, rport } }, rnew;
	int lport;

	if (!rp || rp->type != PORT_UNBOUND || rp->allowed != ld->id || rd->evtchn->dying)
		return -EINVAL;
	if (!domain_get(rd))
		return -EINVAL;
	if (!domain_get(ld)) {
		domain_put(rd);
		return -EINVAL;
	}
	lport = evtchn_port_alloc(ld, &lnew);
	if (lport < 0) {
		domain_put(ld);
		domain_put(rd);
		return lport;
	}
	rnew = (struct evtchn_port){ .type = PORT_INTERDOMAIN,
				     .vcpu = rp->vcpu,
				     .peer = { ld, (u32)lport } };
	evtchn_port_change(rp, &rnew);
	/*
	 * The peer may have sent while the port was unbound, so the new port starts with an event.
	 */
	evtchn_set_pending(ld, (unsigned int)lport, 0);
	return lport;
}

static long op_bind_interdomain(void *arg)
{
	struct evtchn_bind_interdomain *op = arg;
	struct domain *ld = current->domain, *rd;
	int lport;

	rd = op->remote_dom == DOMID_SELF ? ld : domain_get_by_id(op->remote_dom);
	if (!rd || !rd->evtchn) {
		if (rd)
			domain_put(rd);
		return -ESRCH;
	}
	evtchn_lock_pair(ld, rd);
	lport = bind_ports(ld, rd, op->remote_port);
	evtchn_unlock_pair(ld, rd);
	if (op->remote_dom != DOMID_SELF)
		domain_put(rd);
	if (lport < 0)
		return lport;
	op->local_port = (evtchn_port_t)lport;
	return 0;
}

static long op_bind_virq(void *arg)
{
	struct evtchn_bind_virq *op = arg;
	struct domain *d = current->domain;
	struct evtchn_port init = { .type = PORT_VIRQ };
	struct vcpu *v;
	int port;

	if (op->virq >= NR_VIRQS || (!virq_is_per_vcpu(op->virq) && op->vcpu != 0))
		return -EINVAL;
	v = evtchn_vcpu(d, op->vcpu);
	if (!v)
		return -ENOENT;
	init.vcpu = (u16)op->vcpu;
	init.virq = op->virq;
	spin_lock(&d->evtchn->lock);
	port = v->ports.of_virq[op->virq] ? -EEXIST : evtchn_port_alloc(d, &init);
	if (port > 0)
		WRITE_ONCE(v->ports.of_virq[op->virq], (u16)port);
	spin_unlock(&d->evtchn->lock);
	if (port < 0)
		return port;
	op->port = (evtchn_port_t)port;
	return 0;
}

static long op_bind_ipi(void *arg)
{
	struct evtchn_bind_ipi *op = arg;
	struct domain *d = current->domain;
	struct evtchn_port init = { .type = PORT_IPI };
	int port;

	if (!evtchn_vcpu(d, op->vcpu))
		return -ENOENT;
	init.vcpu = (u16)op->vcpu;
	spin_lock(&d->evtchn->lock);
	port = evtchn_port_alloc(d, &init);
	spin_unlock(&d->evtchn->lock);
	if (port < 0)
		return port;
	op->port = (evtchn_port_t)port;
	return 0;
}

static long op_bind_pirq(void *arg)
{
	struct evtchn_bind_pirq *op = arg;
	struct domain *d = current->domain;
	struct evtchn_port init = { .type = PORT_PIRQ };
	struct vcpu *v = evtchn_vcpu(d, 0);
	int port, err = 0;

	if (!d->pirqs || !v)
		return -EPERM;
	init.pirq = op->pirq;
	/*
	 * Hold the event lock throughout, so that nobody closes the port before the interrupt is
	 * bound to it.
	 */
	spin_lock(&d->evtchn->lock);
	port = evtchn_port_alloc(d, &init);
	if (port > 0) {
		err = pirq_guest_bind(v, op->pirq, (unsigned int)port,
				      op->flags & BIND_PIRQ__WILL_SHARE);
		if (err)
			evtchn_port_free(d, (unsigned int)port);
	}
	spin_unlock(&d->evtchn->lock);
	if (port < 0 || err)
		return port < 0 ? port : err;
	op->port = (evtchn_port_t)port;
	return 0;
}

static long op_close(void *arg)
{
	struct evtchn_close *op = arg;

	return evtchn_port_close(current->domain, op->port);
}

static long op_status(void *arg)
{
	struct evtchn_status *op = arg;
	struct domain *d;
	int err;
	long ret;

	d = target(op->dom, &err);
	if (!d)
		return err;
	/* Fields that this status does not set must not show what the caller had there. */
	op->status = op->vcpu = 0;
	op->u.interdomain.dom = 0;
	op->u.interdomain.port = 0;
	ret = evtchn_status_for(d, op);
	domain_put(d);
	return ret;
}

/* Per-vCPU ports stay where they were bound. */
static bool may_move(const struct evtchn_port *p)
{
	return p->type == PORT_UNBOUND || p->type == PORT_INTERDOMAIN || p->type == PORT_PIRQ ||
	       (p->type == PORT_VIRQ && !virq_is_per_vcpu(p->virq));
}

static long op_bind_vcpu(void *arg)
{
	struct evtchn_bind_vcpu *op = arg;
	struct domain *d = current->domain;
	struct evtchn_port *p = evtchn_port_get(d->evtchn, op->port);
	struct vcpu *v = evtchn_vcpu(d, op->vcpu);
	long err = 0;

	if (!v)
		return -ENOENT;
	if (!p)
		return -EINVAL;
	spin_lock(&d->evtchn->lock);
	if (may_move(p)) {
		WRITE_ONCE(p->vcpu, (u16)op->vcpu);
		if (p->type == PORT_PIRQ)
			pirq_set_affinity(d, p->pirq, v->processor);
	} else {
		err = -EINVAL;
	}
	spin_unlock(&d->evtchn->lock);
	return err;
}

static long op_unmask(void *arg)
{
	struct evtchn_unmask *op = arg;
	struct domain *d = current->domain;
	struct evtchn_port *p = evtchn_port_get(d->evtchn, op->port);

	if (!p || READ_ONCE(p->type) == PORT_FREE)
		return -EINVAL;
	evtchn_unmask(d, op->port, READ_ONCE(p->vcpu));
	return 0;
}

static long op_reset(void *arg)
{
	struct evtchn_reset *op = arg;
	struct domain *d;
	int err;

	d = target(op->dom, &err);
	if (!d)
		return err;
	err = evtchn_reset(d);
	domain_put(d);
	return err;
}

/* The FIFO operations (11 to 13) have no row: -ENOSYS tells a guest to stay with two levels. */
static const struct subop evtchn_ops[] = {
	[EVTCHNOP_bind_interdomain] = { op_bind_interdomain, sizeof(struct evtchn_bind_interdomain),
					CALL_ANY, SUBOP_OUT },
	[EVTCHNOP_bind_virq] = { op_bind_virq, sizeof(struct evtchn_bind_virq), CALL_ANY,
				 SUBOP_OUT },
	[EVTCHNOP_bind_pirq] = { op_bind_pirq, sizeof(struct evtchn_bind_pirq), CALL_ANY,
				 SUBOP_OUT },
	[EVTCHNOP_close] = { op_close, sizeof(struct evtchn_close), CALL_ANY, 0 },
	[EVTCHNOP_status] = { op_status, sizeof(struct evtchn_status), CALL_ANY, SUBOP_OUT },
	[EVTCHNOP_alloc_unbound] = { op_alloc_unbound, sizeof(struct evtchn_alloc_unbound),
				     CALL_ANY, SUBOP_OUT },
	[EVTCHNOP_bind_ipi] = { op_bind_ipi, sizeof(struct evtchn_bind_ipi), CALL_ANY, SUBOP_OUT },
	[EVTCHNOP_bind_vcpu] = { op_bind_vcpu, sizeof(struct evtchn_bind_vcpu), CALL_ANY, 0 },
	[EVTCHNOP_unmask] = { op_unmask, sizeof(struct evtchn_unmask), CALL_ANY, 0 },
	[EVTCHNOP_reset] = { op_reset, sizeof(struct evtchn_reset), CALL_ANY, 0 },
};

/*
 * By far the most frequent operation: two domains that talk to each other wait for nothing else. So
 * it bypasses the table.
 */
static __flatten noinline long op_send(const void __guest *arg)
{
	struct evtchn_send send;

	if (copy_from_guest(&send, arg, sizeof(send)))
		return -EFAULT;
	return evtchn_send_by_hypercall(send.port);
}

long do_event_channel_op(unsigned long cmd, unsigned long arg, unsigned long a2, unsigned long a3,
			 unsigned long a4, unsigned long a5)
{
	if (likely(cmd == EVTCHNOP_send))
		return op_send((const void __guest *)arg);
	return subop_dispatch(evtchn_ops, ARRAY_SIZE(evtchn_ops), (unsigned int)cmd,
			      (void __guest *)arg);
}
