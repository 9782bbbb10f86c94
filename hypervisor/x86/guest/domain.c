/* SPDX-License-Identifier: MIT */
/* The x86 part of a domain: creation, teardown, freeing, and the lock of its page tables. */
#include "hv/arch/control.h"
#include "hv/arch/guest.h"
#include "hv/console.h"
#include "hv/hv_heap.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/guest/guest_ops.h"
#include "x86/mm/log_dirty.h"
#include "x86/mm/paging.h"

/* The table of the kind of guest that a tool asks for. */
static const struct guest_ops *ops_of_kind(u32 create_flags)
{
	return create_flags & XEN_DOMCTL_CDF_hvm ? &hvm_guest_ops : &pv_guest_ops;
}

int arch_domain_config_check(const struct xen_domctl_createdomain *c)
{
	return ops_of_kind(c->flags)->config_check(c);
}

bool arch_hvm_available(void)
{
	return !hvm_unavailable();
}

/*
 * config is NULL for the idle domain, which owns no memory and whose vCPUs never leave the
 * hypervisor. -ENOMEM.
 */
int arch_domain_create(struct domain *d, const struct xen_domctl_createdomain *config)
{
	const struct guest_ops *ops = config ? ops_of_kind(config->flags) : NULL;
	struct arch_domain *a;

	a = d->arch = hv_alloc(sizeof(*a));
	if (!a)
		return -ENOMEM;
	spin_lock_init(&a->mmu_lock, LOCK_PV_MMU);
	rangeset_init(&a->ioport_caps, hv_alloc, hv_free);
	if (perdomain_create(d))
		goto out;
	if (!ops)
		return 0;
	a->ops = ops;
	a->memory_ops = ops->memory;
	a->cpu_policy = hv_alloc(sizeof(struct cpu_policy));
	if (!a->cpu_policy)
		goto out;
	memcpy(a->cpu_policy, ops->max_policy, sizeof(struct cpu_policy));
	if (ops->domain_create && ops->domain_create(d, config))
		goto out;
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
	guest_context_forget(d);
	if (a->ops && a->ops->domain_free)
		a->ops->domain_free(d);
	log_dirty_free(d);
	perdomain_free(d);
	rangeset_destroy(&a->ioport_caps);
	hv_free(a->cpu_policy);
	hv_free(a);
	d->arch = NULL;
}

enum relinquish_step { RELINQUISH_VCPUS, RELINQUISH_PAGES, RELINQUISH_LOG, RELINQUISH_DONE };

/* Each step may run again from its start: what an earlier run dropped is no longer there. */
int arch_domain_relinquish(struct domain *d)
{
	struct arch_domain *a = d->arch;
	struct vcpu *v;
	int err;

	if (a->relinquish_step == RELINQUISH_VCPUS) {
		for_each_vcpu(d, v) {
			err = a->ops->vcpu_relinquish(v);
			if (err)
				return err;
		}
		a->relinquish_step = RELINQUISH_PAGES;
	}
	if (a->relinquish_step == RELINQUISH_PAGES) {
		err = a->ops->domain_relinquish(d);
		if (err)
			return err;
		a->relinquish_step = RELINQUISH_LOG;
	}
	if (a->relinquish_step == RELINQUISH_LOG) {
		err = log_dirty_disable(d, a->ops->reload_tables);
		if (err)
			return err;
		a->relinquish_step = RELINQUISH_DONE;
	}
	return 0;
}

void arch_mmu_lock(struct domain *d)
{
	spin_lock(&d->arch->mmu_lock);
}

void arch_mmu_unlock(struct domain *d)
{
	spin_unlock(&d->arch->mmu_lock);
}
