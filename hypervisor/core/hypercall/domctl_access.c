/* SPDX-License-Identifier: MIT */
/* Control operations that permit a domain to use certain interrupts and device memory itself. */
#include "core/hypercall/domctl.h"

#include "hv/arch/control.h"
#include "lib/errno.h"

static long permit(struct domain *d, struct rangeset *set, unsigned long first, unsigned long last,
		   bool allow)
{
	long err;

	spin_lock(&d->lock);
	/* Checks of page tables use the set under this lock. */
	arch_mmu_lock(d);
	err = allow ? rangeset_add(set, first, last) : rangeset_remove(set, first, last);
	arch_mmu_unlock(d);
	spin_unlock(&d->lock);
	return err;
}

long domctl_irq_permission(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_irq_permission *p = &op->u.irq_permission;

	/* The numbers are Domain-0's own. It can pass on only what it may use itself. */
	if (!rangeset_contains(&current->domain->irq_caps, p->pirq, p->pirq))
		return -EPERM;
	return permit(d, &d->irq_caps, p->pirq, p->pirq, p->allow_access);
}

/* Do the frames lie in the physical address space of 52 bits (SDM 3A 4.1.4)? */
static bool frames_ok(u64 first, u64 nr)
{
	const u64 end = 1UL << (52 - PAGE_SHIFT);

	return nr && first < end && nr <= end - first;
}

long domctl_iomem_permission(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_iomem_permission *p = &op->u.iomem_permission;
	u64 first = p->first_mfn, last = first + p->nr_mfns - 1;

	if (!frames_ok(first, p->nr_mfns))
		return -EINVAL;
	if (!rangeset_contains(&current->domain->iomem_caps, first, last))
		return -EPERM;
	return permit(d, &d->iomem_caps, first, last, p->allow_access);
}

/* Checks only: a PV guest maps device memory itself, once it may. */
long domctl_memory_mapping(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_memory_mapping *m = &op->u.memory_mapping;

	if (!frames_ok(m->first_mfn, m->nr_mfns) || !frames_ok(m->first_gfn, m->nr_mfns))
		return -EINVAL;
	return rangeset_contains(&current->domain->iomem_caps, m->first_mfn,
				 m->first_mfn + m->nr_mfns - 1) ?
		       0 :
		       -EPERM;
}
