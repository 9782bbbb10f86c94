/* SPDX-License-Identifier: MIT */
/*
 * CPU policies in and out: what CPUID tells a domain, as set by its builder, within the most that a
 * guest of its kind may see.
 */
#include "x86/guest/domctl.h"

#include "hv/arch/guest_access.h"
#include "hv/hv_heap.h"
#include "lib/errno.h"
#include "x86/guest/policy_copy.h"

/* The MSRs that a policy may have. */
#define MSR_PLATFORM_INFO     0xce
#define MSR_ARCH_CAPABILITIES 0x10a

long domctl_get_policy(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_cpu_policy *c = &op->u.cpu_policy;

	if (!d->arch->cpu_policy)
		return -EINVAL;
	return cpu_policy_to_guest(d->arch->cpu_policy, guest_ptr(c->leaves), &c->nr_leaves,
				   guest_ptr(c->msrs), &c->nr_msrs);
}

static long check_msrs(struct xen_domctl_cpu_policy *c)
{
	xen_msr_entry_t entry;

	for (u32 i = 0; i < c->nr_msrs; i++) {
		if (copy_from_guest_offset(&entry, c->msrs, i, 1))
			return -EFAULT;
		/* Their values follow from the processor, so the builder's value is ignored. */
		if ((entry.idx != MSR_PLATFORM_INFO && entry.idx != MSR_ARCH_CAPABILITIES) ||
		    entry.flags) {
			c->err_msr = entry.idx;
			return -ERANGE;
		}
	}
	return 0;
}

static bool has_run(const struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(d, v)
		if (v->is_initialised)
			return true;
	return false;
}

long domctl_set_policy(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_cpu_policy *c = &op->u.cpu_policy;
	xen_cpuid_leaf_t *leaves;
	unsigned int bad = 0;
	long err;

	if (d == current->domain || !d->arch->cpu_policy)
		return -EINVAL;
	/* A kernel's view of CPUID must not change once it runs. */
	if (has_run(d))
		return -EEXIST;
	if (c->nr_leaves > CPU_POLICY_MAX_LEAVES || c->nr_msrs > CPU_POLICY_MAX_MSRS)
		return -E2BIG;
	c->err_leaf = c->err_subleaf = c->err_msr = ~0U;
	leaves = hv_alloc((c->nr_leaves + 1) * sizeof(*leaves));
	if (!leaves)
		return -ENOMEM;
	err = copy_from_guest_offset(leaves, c->leaves, 0, c->nr_leaves);
	if (!err)
		err = check_msrs(c);
	if (!err)
		err = cpu_policy_apply(d->arch->cpu_policy, guest_ops(d)->max_policy, leaves,
				       c->nr_leaves, &bad);
	if (err == -ERANGE && c->err_msr == ~0U) {
		c->err_leaf = leaves[bad].leaf;
		c->err_subleaf = leaves[bad].subleaf;
	}
	hv_free(leaves);
	return err;
}
