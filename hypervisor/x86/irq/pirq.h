/* SPDX-License-Identifier: MIT */
/*
 * A domain's names for physical interrupts, for physdev_op. The first ones, up to the number of
 * GSIs, are the GSIs' own numbers; messages get higher ones. hv/irq.h is what event channels use.
 */
#ifndef X86_IRQ_PIRQ_H
#define X86_IRQ_PIRQ_H

#include "hv/irq.h"
#include "x86/irq/irq.h"

/*
 * Gives nr descriptors consecutive pirqs of d. wish: the first one, or -1. Out: the first, or
 * -errno: -EEXIST the wished one names something else, -ENOSPC, -EINVAL, -EBUSY a descriptor is
 * another's. Mapping a descriptor again gives the pirq that it has.
 */
int pirq_map(struct domain *d, int wish, struct irq_desc *const *descs, unsigned int nr);
/* Stops the interrupt and forgets it, its event channel included; messages mapped together go
 * together. -EINVAL: not mapped. */
int pirq_unmap(struct domain *d, unsigned int pirq);
/* Sets a number aside for a later pirq_map that wishes it. -ENOSPC. */
int pirq_reserve(struct domain *d);
bool pirq_is_mapped(struct domain *d, unsigned int pirq);
/* The page that tells d, a bit for each pirq, which need an EOI. -EINVAL: not a page of d; -EBUSY:
 * there is one; -ENOMEM. */
int pirq_set_eoi_page(struct domain *d, mfn_t mfn);

#endif
