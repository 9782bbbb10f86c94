/* SPDX-License-Identifier: MIT */
/*
 * Address spaces: the hypervisor's slots in each, the per-domain area, and the switch from one to
 * another.
 *
 * A vCPU's window belongs to the CPU that has loaded the vCPU's page tables. Before the vCPU runs
 * on another CPU, the first CPU must have loaded other page tables (the idle vCPU's will do).
 */
#include "x86/mm/paging.h"

#include "hv/arch/map.h"
#include "hv/console.h"
#include "hv/hv_heap.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/mm/map_frame.h"
#include "x86/mm/tlb.h"

/* The domain whose page tables this CPU has loaded; NULL: the idle domain. */
static DEFINE_PER_CPU(struct domain *, loaded_domain);

void l4_fill_hypervisor_slots(u64 *l4, const struct domain *d)
{
	memcpy(l4 + HV_FIRST_SLOT, idle_l4 + HV_FIRST_SLOT,
	       (HV_LAST_SLOT - HV_FIRST_SLOT + 1) * sizeof(*l4));
	l4[PERDOMAIN_SLOT] = pte_make(virt_to_mfn(d->arch->perdomain_l3), PTE_TABLE_HV);
}

static unsigned int l2_order(const struct domain *d)
{
	unsigned int pages = DIV_ROUND_UP(max(d->max_vcpus, 1U), (unsigned int)PT_ENTRIES),
		     order = 0;

	while ((1U << order) < pages)
		order++;
	return order;
}

int perdomain_create(struct domain *d)
{
	unsigned int order = l2_order(d);
	u64 *l3 = hv_alloc_pages(0), *l2 = hv_alloc_pages(order);

	if (!l3 || !l2) {
		if (l3)
			hv_free_pages(l3, 0);
		if (l2)
			hv_free_pages(l2, order);
		return -ENOMEM;
	}
	/* Contiguous, so that a vCPU's number is the index of its entry. */
	for (unsigned int i = 0; i < 1U << order; i++)
		l3[i] = pte_make(mfn_add(virt_to_mfn(l2), i), PTE_TABLE_HV);
	d->arch->perdomain_l3 = l3;
	d->arch->perdomain_l2 = l2;
	if (d->is_idle)
		idle_l4[PERDOMAIN_SLOT] = pte_make(virt_to_mfn(l3), PTE_TABLE_HV);
	return 0;
}

void perdomain_free(struct domain *d)
{
	if (d->arch->perdomain_l3)
		hv_free_pages(d->arch->perdomain_l3, 0);
	if (d->arch->perdomain_l2)
		hv_free_pages(d->arch->perdomain_l2, l2_order(d));
	d->arch->perdomain_l3 = d->arch->perdomain_l2 = NULL;
}

int perdomain_vcpu_create(struct vcpu *v)
{
	u64 *l1 = hv_alloc_pages(0);

	if (!l1)
		return -ENOMEM;
	v->arch->perdomain_l1 = l1;
	map_window_init(&v->arch->window, l1 + PERDOMAIN_WINDOW_PAGE,
			perdomain_virt(v, PERDOMAIN_WINDOW_PAGE));
	WRITE_ONCE(v->domain->arch->perdomain_l2[v->id], pte_make(virt_to_mfn(l1), PTE_TABLE_HV));
	return 0;
}

void perdomain_vcpu_free(struct vcpu *v)
{
	if (!v->arch->perdomain_l1)
		return;
	WRITE_ONCE(v->domain->arch->perdomain_l2[v->id], 0);
	hv_free_pages(v->arch->perdomain_l1, 0);
	v->arch->perdomain_l1 = NULL;
}

void address_space_load(struct vcpu *v)
{
	struct domain *d = v->is_idle ? NULL : v->domain, *before = this_cpu(loaded_domain);
	unsigned int cpu = smp_processor_id();

	/*
	 * Join dirty_cpus before the CPU gets the first translation, leave it after the last is
	 * gone.
	 */
	if (d && d != before)
		cpumask_set(cpu, &d->arch->dirty_cpus);
	tlb_load_cr3(v->is_idle ? mfn_to_maddr(virt_to_mfn(idle_l4)) : v->arch->cr3);
	this_cpu(map_window) = &v->arch->window;
	this_cpu(loaded_domain) = d;
	if (before && before != d)
		cpumask_clear_cpu(cpu, &before->arch->dirty_cpus);
}
