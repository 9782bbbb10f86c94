/* SPDX-License-Identifier: MIT */
/*
 * Private to evtchn.c (ports and their state), evtchn_send.c (delivery) and evtchn_ops.c (the
 * hypercall).
 *
 * There are two kinds of locks. Whoever changes what a port is holds the domain's event lock
 * (LOCK_EVTCHN), and for an interdomain channel that of both domains. Each port also has a lock of
 * one bit, taken with interrupts off; only the scheduler's locks nest inside it. A port changes
 * only under its own lock, and a sender holds only that.
 *
 * So a sender costs two short atomic sections, shares no lock with other ports, and may be an
 * interrupt handler. While it holds the port that it sends from, nobody can close that port. So the
 * peer port stays bound to it, and the peer's domain lives, because an interdomain port holds a
 * reference on it.
 */
#ifndef CORE_EVENT_EVTCHN_H
#define CORE_EVENT_EVTCHN_H

#include "hv/evtchn.h"

#include <xen/event_channel.h>
#include "hv/arch/cpu.h"
#include "hv/atomic.h"
#include "hv/domain.h"

enum port_type { PORT_FREE, PORT_UNBOUND, PORT_INTERDOMAIN, PORT_PIRQ, PORT_VIRQ, PORT_IPI };

/* [E] written under the event lock and the port's own; read under either of them. */
struct evtchn_port {
	u32 lock;
	u8 type;  /* enum port_type */
	u16 vcpu; /* [E] the vCPU it notifies; may be read without a lock */
	union {
		struct {
			struct domain *domain; /* a reference is held */
			u32 port;
		} peer;		 /* PORT_INTERDOMAIN */
		domid_t allowed; /* PORT_UNBOUND: the domain that may bind to it */
		u32 pirq, virq;
	};
} __aligned(32);
_Static_assert(sizeof(struct evtchn_port) == 32,
	       "a bucket of ports is a page, and is indexed by a shift");

#define PORTS_PER_BUCKET 128
#define PORT_BUCKETS	 (EVTCHN_2L_NR_CHANNELS / PORTS_PER_BUCKET)

struct evtchn_domain {
	spinlock_t lock;       /* LOCK_EVTCHN */
	bool dying;	       /* [E] no new ports */
	unsigned int nr_ports; /* [I] valid ports are below this */
	/* [A] At least the number of vCPUs with VPF_POLL set. */
	u32 pollers;
	unsigned int closing; /* [E] how far evtchn_reset or destruction has come */
	/* [E] Allocated on demand, never freed before the domain. */
	struct evtchn_port *buckets[PORT_BUCKETS];
	BITMAP(used, EVTCHN_2L_NR_CHANNELS);  /* [E] */
	BITMAP(pirqs, EVTCHN_2L_NR_CHANNELS); /* [E] those that are PORT_PIRQ */
};

/* The port's structure; NULL: it was never in use, or is out of range. No lock needed. */
static inline struct evtchn_port *evtchn_port_get(const struct evtchn_domain *e, unsigned int port)
{
	struct evtchn_port *bucket;

	if (unlikely(port >= e->nr_ports))
		return NULL;
	bucket = READ_ONCE(e->buckets[port / PORTS_PER_BUCKET]);
	return likely(bucket) ? bucket + port % PORTS_PER_BUCKET : NULL;
}

/* The same for a port that is known to be in use. */
static inline struct evtchn_port *evtchn_port_at(const struct evtchn_domain *e, unsigned int port)
{
	return READ_ONCE(e->buckets[port / PORTS_PER_BUCKET]) + port % PORTS_PER_BUCKET;
}

/* Interrupts are off. */
static inline void evtchn_port_acquire(struct evtchn_port *p)
{
	while (unlikely(__atomic_exchange_n(&p->lock, 1, __ATOMIC_ACQUIRE)))
		while (READ_ONCE(p->lock))
			cpu_relax();
}

static inline void evtchn_port_release(struct evtchn_port *p)
{
	__atomic_store_n(&p->lock, 0, __ATOMIC_RELEASE);
}

static inline unsigned long evtchn_port_lock(struct evtchn_port *p)
{
	unsigned long flags = arch_irq_save();

	evtchn_port_acquire(p);
	return flags;
}

static inline void evtchn_port_unlock(struct evtchn_port *p, unsigned long flags)
{
	evtchn_port_release(p);
	arch_irq_restore(flags);
}

static inline struct vcpu *evtchn_vcpu(const struct domain *d, unsigned int id)
{
	return id < d->max_vcpus ? READ_ONCE(d->vcpus[id]) : NULL;
}

static inline bool virq_is_per_vcpu(unsigned int virq)
{
	return virq == VIRQ_TIMER || virq == VIRQ_DEBUG || virq == VIRQ_XENOPROF ||
	       virq == VIRQ_XENPMU;
}

/*
 * Allocates a port of d with the type and content of *init: its number, or -ENOSPC, -ENOMEM,
 * -EINVAL (d is dying). Caller holds d's event lock.
 */
int evtchn_port_alloc(struct domain *d, const struct evtchn_port *init);
/*
 * Frees the port for others. Caller holds the event lock; what the port was bound to no longer
 * refers to it.
 */
void evtchn_port_free(struct domain *d, unsigned int port);
/* Replaces type and content of a port. Caller holds the event lock. */
void evtchn_port_change(struct evtchn_port *p, const struct evtchn_port *to);
/* Closes a port of any type: 0; -EINVAL: there is no such port. No lock held. */
int evtchn_port_close(struct domain *d, unsigned int port);
/* Takes the event locks of both domains, which may be the same. */
void evtchn_lock_pair(struct domain *a, struct domain *b);
void evtchn_unlock_pair(struct domain *a, struct domain *b);

/*
 * Sets the port pending for vCPU `vcpu` of d, by the two-level protocol (xen.h, struct
 * shared_info).
 */
void evtchn_set_pending(struct domain *d, unsigned int port, unsigned int vcpu);
/* Unmasks the port, and delivers its event if one is pending. */
void evtchn_unmask(struct domain *d, unsigned int port, unsigned int vcpu);

#endif
