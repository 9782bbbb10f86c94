/* SPDX-License-Identifier: MIT */
/* The x86 part of a PV domain: creation, teardown, freeing. */
#include "hv/arch/guest.h"

#include "hv/hv_heap.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/cpu/policy.h"
#include "x86/pv/bounce.h"
#include "x86/mm/paging.h"

/*
 * config is NULL for the idle domain, which owns no memory and whose vCPUs never leave the
 * hypervisor. -ENOMEM, -EOPNOTSUPP.
 */
int arch_domain_create(struct domain *d, const struct xen_domctl_createdomain *config)
{
	struct arch_domain *a;

	/* Only PV guests are supported so far. */
	if (config && (config->flags & XEN_DOMCTL_CDF_hvm))
		return -EOPNOTSUPP;
	a = d->arch = hv_alloc(sizeof(*a));
	if (!a)
		return -ENOMEM;
	spin_lock_init(&a->mmu_lock, LOCK_PV_MMU);
	rangeset_init(&a->ioport_caps, hv_alloc, hv_free);
	if (perdomain_create(d))
		goto out;
	if (d->is_idle)
		return 0;
	a->cpu_policy = hv_alloc(sizeof(struct cpu_policy));
	if (!a->cpu_policy)
		goto out;
	memcpy(a->cpu_policy, &cpu_policy_pv_max, sizeof(struct cpu_policy));
	return 0;

out:
	arch_domain_free(d);
	return -ENOMEM;
}

void arch_domain_free(struct domain *d)
{
	struct arch_domain *a = d->arch;

	if (!a)
		return;
	pv_forget_domain(d);
	perdomain_free(d);
	rangeset_destroy(&a->ioport_caps);
	hv_free(a->cpu_policy);
	hv_free(a);
	d->arch = NULL;
}

enum relinquish_step { RELINQUISH_VCPUS, RELINQUISH_PAGES, RELINQUISH_DONE };

/* Each step may run again from its start: what an earlier run dropped is no longer there. */
int arch_domain_relinquish(struct domain *d)
{
	struct arch_domain *a = d->arch;
	struct vcpu *v;
	int err;

	if (a->relinquish_step == RELINQUISH_VCPUS) {
		for_each_vcpu(d, v) {
			err = pv_vcpu_drop_page_tables(v);
			if (err)
				return err;
			pv_destroy_gdt(v);
			pv_destroy_ldt(v);
		}
		a->relinquish_step = RELINQUISH_PAGES;
	}
	if (a->relinquish_step == RELINQUISH_PAGES) {
		err = pv_domain_relinquish(d);
		if (err)
			return err;
		a->relinquish_step = RELINQUISH_DONE;
	}
	return 0;
}
