/* SPDX-License-Identifier: MIT */
/*
 * The order of locks, outermost first. A CPU that holds a lock may take only locks of a higher
 * rank; the debug build checks each acquisition. Two locks of one rank are never held together,
 * except for the ranks marked LOCK_PAIR: the line says in which order.
 */
#ifndef HV_LOCKS_H
#define HV_LOCKS_H

enum lock_rank {
	LOCK_NONE = 0,	/* not checked: locks of boot and panic */
	LOCK_DOMCTL,	/* one control operation at a time */
	LOCK_DOMLIST,	/* the list of domains */
	LOCK_DOMAIN,	/* d->lock: vCPU bring-up, pause counts, state of shutdown */
	LOCK_GRANT,	/* a domain's grant table */
	LOCK_PV_MMU,	/* d->arch: page tables of a PV domain */
	LOCK_P2M,	/* a domain's p2m (x86/hvm/p2m.c) */
	LOCK_EVTCHN,	/* a domain's event ports; LOCK_PAIR, by domain ID */
	LOCK_PIRQ,	/* a domain's physical interrupts */
	LOCK_PAGE_LIST, /* a domain's pages and counts */
	LOCK_VCPU,	/* v->lock: periodic timers, vcpu_info registration */
	LOCK_MSI,	/* the list of messages (x86/pci/msi.c) */
	LOCK_IRQ,	/* an interrupt's descriptor; taken with interrupts off */
	LOCK_IOAPIC,
	LOCK_PCI,	/* configuration space */
	LOCK_SCHED,	/* a CPU's run queue; interrupts off; LOCK_PAIR, by CPU number */
	LOCK_SCHED_CAP, /* a domain's budget of CPU time; interrupts off */
	LOCK_TIMER,	/* a CPU's timers; interrupts off */
	LOCK_HEAP,	/* the page allocator */
	LOCK_SLAB,
	LOCK_VMAP,
	LOCK_IPI,     /* cross-CPU calls */
	LOCK_CONSOLE, /* interrupts off */
};

#endif
