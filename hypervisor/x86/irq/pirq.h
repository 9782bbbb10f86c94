/* SPDX-License-Identifier: MIT */
/*
 * A domain's numbers for physical interrupts (pirqs), for physdev_op. The first numbers are the
 * GSIs' own; messages get higher ones. Event channels use hv/arch/pirq.h.
 */
#ifndef X86_IRQ_PIRQ_H
#define X86_IRQ_PIRQ_H

#include "hv/frame.h"
#include "x86/irq/irq.h"

/*
 * Gives nr descriptors consecutive pirqs of d. wish: the first pirq, or -1. Returns the first pirq,
 * or -EEXIST: the wished pirq maps something else; -EBUSY: another domain has a descriptor;
 * -ENOSPC; -EINVAL. A descriptor that is mapped already keeps its pirq.
 */
int pirq_map(struct domain *d, int wish, struct irq_desc *const *descs, unsigned int nr);
/*
 * Stops the interrupt and unmaps it; its event channel gets nothing more. Messages mapped together
 * are unmapped together. -EINVAL: not mapped, or not the first of its group.
 */
int pirq_unmap(struct domain *d, unsigned int pirq);
/* Reserves a number for a later pirq_map that asks for it. -ENOSPC, -EINVAL. */
int pirq_reserve(struct domain *d);
bool pirq_is_mapped(struct domain *d, unsigned int pirq);
/*
 * Sets the page that shows d, in a bit for each pirq, which need an EOI. -EINVAL: not a page of d;
 * -EBUSY: set before; -ENOMEM.
 */
int pirq_set_eoi_page(struct domain *d, gfn_t gfn);
/* The guest has handled the interrupt: unmasks it if it is level-triggered. */
void pirq_guest_eoi(struct domain *d, unsigned int pirq);
/* Must the guest send an EOI? Otherwise evtchn unmask is enough to unmask the interrupt. */
bool pirq_needs_eoi(struct domain *d, unsigned int pirq);

#endif
