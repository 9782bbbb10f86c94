/* SPDX-License-Identifier: MIT */
/*
 * CPU policies as tools read them: leaves and MSRs in arrays in the guest's memory (xen/sysctl.h,
 * xen/domctl.h).
 */
#ifndef X86_GUEST_POLICY_COPY_H
#define X86_GUEST_POLICY_COPY_H

#include "x86/cpu/policy.h"

/*
 * The reported maximum of a policy's leaves and MSRs. Tools size one buffer by it and write their
 * own policies there. Those have leaves that ours lack (all components of extended state,
 * topology), so the maximum is more than our policies need.
 */
#define CPU_POLICY_MAX_LEAVES 120 /* as many as libxc 4.17 knows; it accepts no more */
#define CPU_POLICY_MAX_MSRS   8

/*
 * Copies a policy to the guest. *nr_leaves and *nr_msrs: in, the room in each array, in entries;
 * out, the number of entries, or for a NULL array the most that there may be. 0, -ENOBUFS, -EFAULT.
 */
int __must_check cpu_policy_to_guest(const struct cpu_policy *p, void __guest *leaves,
				     u32 *nr_leaves, void __guest *msrs, u32 *nr_msrs);

#endif
