/* SPDX-License-Identifier: MIT */
/*
 * Device interrupts: their vectors, which guest gets them, and how they are acknowledged.
 *
 * An interrupt goes to one CPU, with a vector of that CPU's own table, and can be moved. An
 * edge-triggered interrupt or a message is acknowledged at once. A level-triggered interrupt is
 * masked at its controller before the local APIC is acknowledged. The guest's EOI, which says that
 * the device has been served, unmasks it. So a guest that never sends the EOI blocks its own device
 * only.
 */
#ifndef X86_IRQ_IRQ_H
#define X86_IRQ_IRQ_H

#include "hv/domain.h"
#include "hv/time.h"

struct irq_desc;

/*
 * The operations of an interrupt's controller. Called with the descriptor's lock held and
 * interrupts off, except for release.
 */
struct irq_ops {
	void (*mask)(struct irq_desc *desc);
	void (*unmask)(struct irq_desc *desc);
	/*
	 * Sends the interrupt to this CPU and vector from now on. False: not possible now, nothing
	 * changed.
	 */
	bool (*route)(struct irq_desc *desc, unsigned int cpu, unsigned int vector);
	/*
	 * Without the lock: frees a descriptor that no domain has any more, and those made with it.
	 * NULL: they are kept.
	 */
	void (*release)(struct irq_desc *first);
};

/*
 * [L] guarded by `lock`, interrupts off. A descriptor's memory is never freed, so a late interrupt
 * may safely find an unused one.
 */
struct irq_desc {
	spinlock_t lock; /* LOCK_IRQ */
	const struct irq_ops *ops;
	u32 gsi;		/* [L] ~0: a message */
	void *message;		/* [L] struct msi_entry, x86/pci/msi.c */
	bool level, active_low; /* [L] */
	bool configured;	/* [L] a GSI's trigger mode was set by Domain-0 */
	/* [L] cannot be masked, so a move must keep the vector number */
	bool same_vector;
	bool immovable; /* [L] */

	unsigned int cpu, vector; /* [L] vector 0: none yet */
	/* [L] before the last move: still valid for interrupts on their way then */
	unsigned int old_cpu, old_vector;
	s_time_t moved_at;	 /* [L] */
	unsigned int wanted_cpu; /* [L] */

	bool started;	       /* [L] a guest gets it: unmasked unless eoi_due */
	bool eoi_due;	       /* [L] masked until the guest's EOI */
	u32 busy;	       /* [A] handlers at work outside the lock */
	struct domain *domain; /* [L] whose pirq it is, or NULL */
	unsigned int port;     /* [L] event channel */
	struct irq_desc *next_free;
};

void irq_init(void); /* after ioapic_init; a second call does nothing */

/* The descriptor of a GSI; NULL: no such GSI. */
struct irq_desc *irq_of_gsi(u32 gsi);
/*
 * irq_alloc: a descriptor for a message; NULL: no memory. irq_free: frees one that is stopped and
 * that no domain has.
 */
struct irq_desc *irq_alloc(const struct irq_ops *ops, void *message);
void irq_free(struct irq_desc *desc);

/*
 * Gives nr descriptors (a power of two) consecutive vectors on `cpu`, aligned to nr, and routes
 * them there. If `cpu` is not possible, CPU 0 is used. 0, -ENOSPC. No descriptor's lock held.
 */
int __must_check irq_assign_vectors(struct irq_desc *const *descs, unsigned int nr,
				    unsigned int cpu);
void irq_release_vectors(struct irq_desc *desc);

/*
 * Assigns a vector if there is none, and unmasks the interrupt. desc->lock held. 0, -ENOSPC,
 * -EBUSY.
 */
int __must_check irq_start(struct irq_desc *desc, unsigned int cpu);
/* Masks the interrupt and waits: afterwards none of its handlers runs. desc->lock not held. */
void irq_stop(struct irq_desc *desc);
/* The guest's EOI: its device has been served. */
void irq_eoi(struct irq_desc *desc);
void irq_set_affinity(struct irq_desc *desc, unsigned int cpu);

/*
 * Sets how a GSI signals. 0; -EBUSY: in use with another setting; -EEXIST: already set to this;
 * -EINVAL: no such GSI.
 */
int __must_check irq_setup_gsi(u32 gsi, bool level, bool active_low);
void irq_dump(char key);

#endif
