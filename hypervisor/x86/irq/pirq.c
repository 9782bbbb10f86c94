/* SPDX-License-Identifier: MIT */
/*
 * Each domain's table of physical interrupts: mapping, binding to event channels, EOI. pirq.h has
 * the rules.
 */
#include "x86/irq/pirq.h"

#include "hv/arch/pirq.h"
#include "hv/atomic.h"
#include "hv/console.h"
#include "hv/evtchn.h"
#include "hv/guest_page.h"
#include "hv/hv_heap.h"
#include "lib/errno.h"
#include "x86/irq/gsi.h"
#include "x86/irq/ioapic.h"

#define NR_MESSAGE_PIRQS 2048
#define PIRQS_IN_PAGE	 (PAGE_SIZE * 8)

struct pirq {
	struct irq_desc *desc; /* NULL: not mapped */
	u16 group;	       /* first of a group: the group's size; else 0 */
	bool reserved;
	bool bound;
};

/* [L] lock */
struct pirq_domain {
	spinlock_t lock; /* LOCK_PIRQ */
	unsigned int nr, nr_gsis;
	struct guest_page eoi_page; /* [L] va: the page with a bit for each pirq, or NULL */
	struct pirq pirqs[];
};

static struct pirq *pirq_of(struct pirq_domain *p, unsigned int pirq)
{
	return pirq < p->nr && p->pirqs[pirq].desc ? &p->pirqs[pirq] : NULL;
}

static void eoi_map_set(struct pirq_domain *p, unsigned int pirq, bool needed)
{
	if (!p->eoi_page.va || pirq >= PIRQS_IN_PAGE)
		return;
	if (needed)
		bit_set_atomic(p->eoi_page.va, pirq);
	else
		bit_clear_atomic(p->eoi_page.va, pirq);
}

/* --- mapping --- */

static bool range_is_free(const struct pirq_domain *p, unsigned int first, unsigned int nr,
			  bool or_reserved)
{
	for (unsigned int i = first; i < first + nr; i++)
		if (i >= p->nr || p->pirqs[i].desc || (p->pirqs[i].reserved && !or_reserved))
			return false;
	return true;
}

static int find_free(const struct pirq_domain *p, unsigned int nr)
{
	for (unsigned int first = p->nr_gsis; first + nr <= p->nr; first++)
		if (range_is_free(p, first, nr, false))
			return (int)first;
	return -ENOSPC;
}

/* The pirq that maps this descriptor, or -1. */
static int find_desc(const struct pirq_domain *p, const struct irq_desc *desc)
{
	if (desc->gsi < p->nr_gsis && p->pirqs[desc->gsi].desc == desc)
		return (int)desc->gsi;
	for (unsigned int i = 0; i < p->nr; i++)
		if (p->pirqs[i].desc == desc)
			return (int)i;
	return -1;
}

static bool desc_claim(struct irq_desc *desc, struct domain *d)
{
	unsigned long flags = spin_lock_irqsave(&desc->lock);
	bool ok = !desc->domain;

	if (ok)
		desc->domain = d;
	spin_unlock_irqrestore(&desc->lock, flags);
	return ok;
}

static void desc_disclaim(struct irq_desc *desc)
{
	unsigned long flags = spin_lock_irqsave(&desc->lock);

	desc->domain = NULL;
	desc->port = 0;
	spin_unlock_irqrestore(&desc->lock, flags);
}

/* Lock held. */
static int map_locked(struct domain *d, int wish, struct irq_desc *const *descs, unsigned int nr)
{
	struct pirq_domain *p = d->pirqs;
	int first = find_desc(p, descs[0]);

	if (first >= 0)
		return wish < 0 || wish == first ? first : -EEXIST;
	if (wish >= 0) {
		/* A GSI's number may map only that GSI. */
		if ((unsigned int)wish < p->nr_gsis && descs[0]->gsi != (u32)wish)
			return -EINVAL;
		if ((unsigned int)wish >= p->nr)
			return -EINVAL;
		if (!range_is_free(p, (unsigned int)wish, nr, true))
			return -EEXIST;
		first = wish;
	} else {
		first = descs[0]->gsi < p->nr_gsis ? (int)descs[0]->gsi : find_free(p, nr);
		if (first < 0)
			return first;
	}
	for (unsigned int i = 0; i < nr; i++) {
		if (!desc_claim(descs[i], d)) {
			while (i--)
				desc_disclaim(descs[i]);
			return -EBUSY;
		}
	}
	for (unsigned int i = 0; i < nr; i++) {
		p->pirqs[(unsigned int)first + i] =
			(struct pirq){ .desc = descs[i], .group = i ? 0 : (u16)nr };
		eoi_map_set(p, (unsigned int)first + i, descs[i]->level);
	}
	return first;
}

int pirq_map(struct domain *d, int wish, struct irq_desc *const *descs, unsigned int nr)
{
	int ret;

	if (!d->pirqs || !nr)
		return -EINVAL;
	spin_lock(&d->pirqs->lock);
	ret = map_locked(d, wish, descs, nr);
	spin_unlock(&d->pirqs->lock);
	return ret;
}

/* Lock held. A port that is still bound stays bound, but gets no more interrupts. */
static int unmap_locked(struct domain *d, unsigned int pirq)
{
	struct pirq_domain *p = d->pirqs;
	struct pirq *first = pirq_of(p, pirq);
	struct irq_desc *desc;
	unsigned int nr;

	if (!first || !first->group)
		return -EINVAL;
	desc = first->desc;
	nr = first->group;
	for (unsigned int i = 0; i < nr; i++) {
		irq_stop(first[i].desc);
		desc_disclaim(first[i].desc);
		first[i] = (struct pirq){ 0 };
		eoi_map_set(p, pirq + i, false);
	}
	if (desc->ops->release)
		desc->ops->release(desc);
	return 0;
}

int pirq_unmap(struct domain *d, unsigned int pirq)
{
	int ret;

	if (!d->pirqs)
		return -EINVAL;
	spin_lock(&d->pirqs->lock);
	ret = unmap_locked(d, pirq);
	spin_unlock(&d->pirqs->lock);
	return ret;
}

int pirq_reserve(struct domain *d)
{
	int pirq;

	if (!d->pirqs)
		return -EINVAL;
	spin_lock(&d->pirqs->lock);
	pirq = find_free(d->pirqs, 1);
	if (pirq >= 0)
		d->pirqs->pirqs[pirq].reserved = true;
	spin_unlock(&d->pirqs->lock);
	return pirq;
}

bool pirq_is_mapped(struct domain *d, unsigned int pirq)
{
	return d->pirqs && pirq_of(d->pirqs, pirq);
}

/* --- event channels --- */

int pirq_guest_bind(struct vcpu *v, unsigned int pirq, unsigned int port, bool will_share)
{
	struct domain *d = v->domain;
	struct pirq_domain *p = d->pirqs;
	struct irq_desc *desc;
	struct pirq *entry;
	unsigned long flags;
	int err = 0;

	if (!p || pirq >= p->nr)
		return -EINVAL;
	spin_lock(&p->lock);
	/* Some kernels bind GSIs without mapping them first. */
	if (!p->pirqs[pirq].desc && pirq < p->nr_gsis) {
		desc = irq_of_gsi(pirq);
		err = desc ? map_locked(d, (int)pirq, &desc, 1) : -EINVAL;
	}
	entry = pirq_of(p, pirq);
	if (err < 0 || !entry) {
		spin_unlock(&p->lock);
		return err < 0 ? err : -EINVAL;
	}
	desc = entry->desc;
	if (entry->bound) {
		err = -EEXIST;
	} else if (desc->gsi != ~0U && gsi_is_taken(desc->gsi)) {
		err = -EBUSY; /* the hypervisor uses it, as for its serial port */
	} else {
		flags = spin_lock_irqsave(&desc->lock);
		desc->port = port;
		err = irq_start(desc, v->processor);
		spin_unlock_irqrestore(&desc->lock, flags);
		entry->bound = !err;
		eoi_map_set(p, pirq, desc->level);
	}
	spin_unlock(&p->lock);
	return err;
}

void pirq_guest_unbind(struct domain *d, unsigned int pirq)
{
	struct pirq_domain *p = d->pirqs;
	struct pirq *entry;

	if (!p)
		return;
	spin_lock(&p->lock);
	entry = pirq_of(p, pirq);
	if (entry && entry->bound) {
		irq_stop(entry->desc);
		entry->bound = false;
	}
	spin_unlock(&p->lock);
}

void pirq_guest_eoi(struct domain *d, unsigned int pirq)
{
	struct pirq_domain *p = d->pirqs;
	struct pirq *entry;

	if (!p)
		return;
	spin_lock(&p->lock);
	entry = pirq_of(p, pirq);
	if (entry && entry->bound)
		irq_eoi(entry->desc);
	spin_unlock(&p->lock);
}

void pirq_set_affinity(struct domain *d, unsigned int pirq, unsigned int cpu)
{
	struct pirq_domain *p = d->pirqs;
	struct pirq *entry;

	if (!p)
		return;
	spin_lock(&p->lock);
	entry = pirq_of(p, pirq);
	if (entry)
		irq_set_affinity(entry->desc, cpu);
	spin_unlock(&p->lock);
}

bool pirq_needs_eoi(struct domain *d, unsigned int pirq)
{
	struct pirq_domain *p = d->pirqs;
	const struct pirq *entry;
	bool needs;

	if (!p)
		return false;
	spin_lock(&p->lock);
	entry = pirq_of(p, pirq);
	needs = entry && entry->desc->level;
	spin_unlock(&p->lock);
	return needs;
}

int pirq_set_eoi_page(struct domain *d, gfn_t gfn)
{
	struct pirq_domain *p = d->pirqs;
	struct guest_page page;
	int err;

	if (!p)
		return -EINVAL;
	/* Check before mapping the page, since unmapping it would flush every CPU's TLB. */
	spin_lock(&p->lock);
	err = p->eoi_page.va ? -EBUSY : 0;
	spin_unlock(&p->lock);
	if (!err)
		err = guest_page_map(d, gfn, &page);
	if (err)
		return err;
	spin_lock(&p->lock);
	if (p->eoi_page.va) {
		spin_unlock(&p->lock);
		guest_page_unmap(&page);
		return -EBUSY;
	}
	p->eoi_page = page;
	for (unsigned int i = 0; i < p->nr; i++)
		eoi_map_set(p, i, p->pirqs[i].desc && p->pirqs[i].desc->level);
	spin_unlock(&p->lock);
	return 0;
}

/* --- creation and destruction --- */

int pirq_domain_create(struct domain *d)
{
	struct pirq_domain *p;
	unsigned int nr_gsis, nr;

	irq_init();
	nr_gsis = ioapic_gsi_end();
	nr = nr_gsis + NR_MESSAGE_PIRQS;
	p = hv_alloc(sizeof(*p) + nr * sizeof(p->pirqs[0]));
	if (!p)
		return -ENOMEM;
	spin_lock_init(&p->lock, LOCK_PIRQ);
	p->nr = nr;
	p->nr_gsis = nr_gsis;
	d->pirqs = p;
	return 0;
}

/*
 * d is dying or was never started, so no pirq is bound any more. Later calls for d find no table.
 */
void pirq_domain_destroy(struct domain *d)
{
	struct pirq_domain *p = d->pirqs;

	if (!p)
		return;
	spin_lock(&p->lock);
	for (unsigned int pirq = 0; pirq < p->nr; pirq++)
		if (p->pirqs[pirq].group)
			unmap_locked(d, pirq);
	spin_unlock(&p->lock);
	if (p->eoi_page.va)
		guest_page_unmap(&p->eoi_page);
	d->pirqs = NULL;
	hv_free(p);
}
