/* SPDX-License-Identifier: MIT */
/*
 * Device interrupts: their vectors, which guest gets them, and how they are acknowledged.
 *
 * An interrupt is sent to one CPU with one vector of that CPU's own table; it can be moved.
 * Edge-triggered ones (and messages) are acknowledged at once. A level-triggered one is masked at
 * its controller before the local APIC is acknowledged, and unmasked by the guest's EOI, which says
 * that the device has been looked after. So a guest that never says so blocks nobody but its own
 * device.
 */
#ifndef X86_IRQ_IRQ_H
#define X86_IRQ_IRQ_H

#include "hv/domain.h"
#include "hv/time.h"

struct irq_desc;

/* What the controller of an interrupt does; all with the descriptor's lock, interrupts off. */
struct irq_ops {
	void (*mask)(struct irq_desc *desc);
	void (*unmask)(struct irq_desc *desc);
	/* From now on to that CPU and vector. False: not possible at this moment, nothing was
	 * changed. */
	bool (*route)(struct irq_desc *desc, unsigned int cpu, unsigned int vector);
	/* Without the lock: a descriptor that is nobody's any more, and those that were made with
	 * it, go. NULL: they stay. */
	void (*release)(struct irq_desc *first);
};

/* [L] its lock, interrupts off. Descriptors are never freed as memory, so a late interrupt may look
 * at one that is unused. */
struct irq_desc {
	spinlock_t lock; /* LOCK_IRQ */
	const struct irq_ops *ops;
	u32 gsi;		/* [L] ~0: it is a message */
	void *message;		/* [L] struct msi_entry, x86/pci/msi.c */
	bool level, active_low; /* [L] */
	bool configured;	/* [L] a GSI's trigger mode was set by Domain-0 */
	bool same_vector; /* [L] can only be moved with its vector number unchanged: not maskable */
	bool immovable;	  /* [L] */

	unsigned int cpu, vector; /* [L] vector 0: none yet */
	unsigned int old_cpu,
		old_vector;	 /* [L] before the last move: still valid for what was on its way */
	s_time_t moved_at;	 /* [L] */
	unsigned int wanted_cpu; /* [L] */

	bool started;	       /* [L] a guest gets it: unmasked, but while eoi_due */
	bool eoi_due;	       /* [L] masked until the guest's EOI */
	u32 busy;	       /* [A] handlers at work outside the lock */
	struct domain *domain; /* [L] whose pirq it is, or NULL */
	unsigned int port;     /* [L] event channel */
	struct irq_desc *next_free;
};

void irq_init(void); /* boot, after ioapic_init; again does nothing */

/* The descriptor of a global system interrupt; NULL: there is no such. */
struct irq_desc *irq_of_gsi(u32 gsi);
/* A descriptor for a message, or NULL on no memory; irq_free: it is shut down and nobody's. */
struct irq_desc *irq_alloc(const struct irq_ops *ops, void *message);
void irq_free(struct irq_desc *desc);

/*
 * Gives each of nr descriptors (a power of two) a vector on `cpu`, consecutive and aligned to nr,
 * and routes it there. 0, -ENOSPC. Without the locks.
 */
int __must_check irq_assign_vectors(struct irq_desc *const *descs, unsigned int nr,
				    unsigned int cpu);
void irq_release_vectors(struct irq_desc *desc);

/* In: the lock is held. Assigns a vector if there is none, unmasks. 0, -ENOSPC, -EBUSY. */
int __must_check irq_start(struct irq_desc *desc, unsigned int cpu);
/* In: not the lock. Masks it and waits for handlers: afterwards no handler of it runs. */
void irq_stop(struct irq_desc *desc);
/* The device has been looked after. */
void irq_eoi(struct irq_desc *desc);
void irq_set_affinity(struct irq_desc *desc, unsigned int cpu);

/* How a GSI signals. -EBUSY: in use with another setting; -EEXIST: it was set to this before;
 * -EINVAL: no such GSI. */
int __must_check irq_setup_gsi(u32 gsi, bool level, bool active_low);
void irq_dump(char key);

#endif
