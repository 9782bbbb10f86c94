/* SPDX-License-Identifier: MIT */
/* The processor's part of sysctl: CPU policies and featuresets. */
#include "x86/guest/policy_copy.h"

#include <xen/sysctl.h>
#include "hv/arch/control.h"
#include "hv/arch/guest_access.h"
#include "hv/percpu.h"
#include "lib/errno.h"
#include "x86/cpu/feature.h"
#include "x86/guest/guest_ops.h"

#define MSR_PLATFORM_INFO 0xce

_Static_assert(CPU_POLICY_LEAVES <= CPU_POLICY_MAX_LEAVES, "tools have room for all of ours");

/*
 * libxc writes its own version of the policy, with every leaf that it knows, into a buffer of as
 * many entries as it got leaves. So the list is padded up to what libxc may need, with an XSAVE
 * component that no processor has.
 */
static const xen_cpuid_leaf_t padding = { .leaf = 0xd, .subleaf = 40 };

int cpu_policy_to_guest(const struct cpu_policy *p, void __guest *leaves, u32 *nr_leaves,
			void __guest *msrs, u32 *nr_msrs)
{
	/*
	 * Every domain gets the same value: no CPUID faulting for its own use. Only the processor's
	 * policy has the capabilities.
	 */
	const xen_msr_entry_t policy_msrs[] = {
		{ .idx = MSR_PLATFORM_INFO, .val = 0 },
		{ .idx = MSR_IA32_ARCH_CAPS, .val = cpu_features.arch_capabilities },
	};
	u32 nr = p == &cpu_policy_host ? ARRAY_SIZE(policy_msrs) : 1;

	if (!leaves) {
		*nr_leaves = CPU_POLICY_MAX_LEAVES;
	} else {
		if (*nr_leaves < p->nr)
			return -ENOBUFS;
		*nr_leaves = min(*nr_leaves, (u32)CPU_POLICY_MAX_LEAVES);
		for (u32 i = 0; i < *nr_leaves; i++)
			if (copy_to_guest((xen_cpuid_leaf_t __guest *)leaves + i,
					  i < p->nr ? &p->leaf[i] : &padding, sizeof(padding)))
				return -EFAULT;
	}
	if (!msrs) {
		*nr_msrs = CPU_POLICY_MAX_MSRS;
	} else {
		if (*nr_msrs < nr)
			return -ENOBUFS;
		if (copy_to_guest(msrs, policy_msrs, nr * sizeof(policy_msrs[0])))
			return -EFAULT;
		*nr_msrs = nr;
	}
	return 0;
}

static long get_policy(struct xen_sysctl_cpu_policy *op)
{
	const struct cpu_policy *hvm = hvm_unavailable() ? NULL : &cpu_policy_hvm_max;
	const struct cpu_policy *const policies[] = {
		[XEN_SYSCTL_cpu_policy_raw] = &cpu_policy_host,
		[XEN_SYSCTL_cpu_policy_host] = &cpu_policy_host,
		[XEN_SYSCTL_cpu_policy_pv_max] = &cpu_policy_pv_max,
		[XEN_SYSCTL_cpu_policy_pv_default] = &cpu_policy_pv_max,
		[XEN_SYSCTL_cpu_policy_hvm_max] = hvm,
		[XEN_SYSCTL_cpu_policy_hvm_default] = hvm,
	};

	if (op->_rsvd || op->index >= ARRAY_SIZE(policies))
		return -EINVAL;
	if (!policies[op->index])
		return -EOPNOTSUPP;
	return cpu_policy_to_guest(policies[op->index], guest_ptr(op->leaves), &op->nr_leaves,
				   guest_ptr(op->msrs), &op->nr_msrs);
}

/* A tool that knows fewer words gets only those. */
static long get_featureset(struct xen_sysctl_cpu_featureset *op)
{
	const struct cpu_policy *hvm = hvm_unavailable() ? NULL : &cpu_policy_hvm_max;
	const struct cpu_policy *const policies[] = {
		[XEN_SYSCTL_cpu_featureset_raw] = &cpu_policy_host,
		[XEN_SYSCTL_cpu_featureset_host] = &cpu_policy_host,
		[XEN_SYSCTL_cpu_featureset_pv] = &cpu_policy_pv_max,
		[XEN_SYSCTL_cpu_featureset_pv_max] = &cpu_policy_pv_max,
		[XEN_SYSCTL_cpu_featureset_hvm] = hvm,
		[XEN_SYSCTL_cpu_featureset_hvm_max] = hvm,
	};
	u32 words[CPU_POLICY_WORDS], n = min(op->nr_features, (u32)CPU_POLICY_WORDS);

	if (op->index >= ARRAY_SIZE(policies))
		return -EINVAL;
	if (!policies[op->index])
		return -EOPNOTSUPP;
	if (guest_handle_is_null(op->features)) {
		op->nr_features = CPU_POLICY_WORDS;
		return 0;
	}
	cpu_policy_featureset(policies[op->index], words);
	if (copy_to_guest_offset(op->features, 0, words, n))
		return -EFAULT;
	op->nr_features = n;
	return 0;
}

long arch_sysctl(struct xen_sysctl *op, bool *copyback)
{
	*copyback = true;
	switch (op->cmd) {
	case XEN_SYSCTL_get_cpu_levelling_caps:
		/* The emulation of CPUID decides what guests see, not masks in the processor. */
		op->u.cpu_levelling_caps.caps = 0;
		return 0;
	case XEN_SYSCTL_get_cpu_featureset:
		return get_featureset(&op->u.cpu_featureset);
	case XEN_SYSCTL_get_cpu_policy:
		return get_policy(&op->u.cpu_policy);
	default:
		return -ENOSYS;
	}
}
