/* SPDX-License-Identifier: MIT */
/* CPU policies as tools read them: leaves and MSRs, through arrays of the guest's (xen/sysctl.h,
 * xen/domctl.h). */
#ifndef X86_CPU_POLICY_ARCH_H
#define X86_CPU_POLICY_ARCH_H

#include "x86/cpu/policy.h"

#include "hv/guest_access.h"

/*
 * How many leaves and MSRs we say a policy may have. Tools size one buffer by it and write policies
 * of their own making there, with leaves that we have not (all of an extended state's components,
 * topology): more than we ever fill.
 */
#define CPU_POLICY_MAX_LEAVES 120 /* all that libxc 4.17 knows of; it takes no more */
#define CPU_POLICY_MAX_MSRS   8

/*
 * Copies a policy out. In: *nr_leaves, *nr_msrs entries have room. Out: how many there are; for a
 * NULL array, how many there may be. -ENOBUFS, -EFAULT.
 */
int __must_check cpu_policy_to_guest(const struct cpu_policy *p, void __guest *leaves,
				     u32 *nr_leaves, void __guest *msrs, u32 *nr_msrs);

#endif
