/* SPDX-License-Identifier: MIT */
/*
 * CPU policies: what CPUID tells a guest. A policy is a list of leaves in the form in which tools
 * get and set it (xen_cpuid_leaf_t, xen/arch-x86/xen.h), sorted by leaf and subleaf.
 */
#ifndef X86_CPU_POLICY_H
#define X86_CPU_POLICY_H

#include "x86/cpu/regs.h" /* before the public header, which needs its names */

#include <xen/xen.h>

#define CPU_POLICY_LEAVES 64
#define CPU_POLICY_WORDS  19 /* of a featureset, xen/arch-x86/cpufeatureset.h */

struct cpu_policy {
	unsigned int nr;
	xen_cpuid_leaf_t leaf[CPU_POLICY_LEAVES];
};

extern struct cpu_policy cpu_policy_host; /* what the processor says */
/* The most that a PV guest may see; also what it gets unless its builder says less. */
extern struct cpu_policy cpu_policy_pv_max;

void cpu_policy_init(void); /* boot, after cpu_features_probe */

/* The entry for a leaf (subleaf 0 of those that have none), or NULL. */
const xen_cpuid_leaf_t *cpu_policy_find(const struct cpu_policy *p, u32 leaf, u32 subleaf);

/*
 * Changes *p by what a builder asks for: features are taken away, never added beyond pv_max, and
 * with them those that need them; descriptions (names, caches) are taken as they are. -ERANGE: a
 * leaf that no policy has; nothing is changed then, and *bad is its index.
 */
int __must_check cpu_policy_apply(struct cpu_policy *p, const xen_cpuid_leaf_t *leaves,
				  unsigned int nr, unsigned int *bad);

/* The words of a featureset. */
void cpu_policy_featureset(const struct cpu_policy *p, u32 words[CPU_POLICY_WORDS]);

/* --- extended state (policy_xstate.c) --- */
/* What a guest may have in XCR0; 0: it has no XSAVE. */
u64 cpu_policy_xcr0(const struct cpu_policy *p);
/* Bytes of an image of the components in `mask`, in the standard and in the compacted format (SDM
 * 1 13.4.2, 13.4.3). */
u32 cpu_policy_xsave_size(const struct cpu_policy *p, u64 mask);
u32 cpu_policy_xsavec_size(const struct cpu_policy *p, u64 mask);
/* Makes leaf 0xd for these components, which the processor has; the features in it stay. */
void cpu_policy_set_xcr0(struct cpu_policy *p, u64 xcr0);

#endif
