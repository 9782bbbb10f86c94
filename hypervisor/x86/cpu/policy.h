/* SPDX-License-Identifier: MIT */
/*
 * CPU policies: what CPUID tells a guest. A policy is a list of leaves in the format in which tools
 * get and set it (xen_cpuid_leaf_t, xen/arch-x86/xen.h), sorted by leaf and subleaf.
 */
#ifndef X86_CPU_POLICY_H
#define X86_CPU_POLICY_H

#include "x86/cpu/regs.h" /* first: the public header needs its names */

#include <xen/xen.h>

#define CPU_POLICY_LEAVES 64
#define CPU_POLICY_WORDS  19 /* of a featureset, xen/arch-x86/cpufeatureset.h */

struct cpu_policy {
	unsigned int nr;
	xen_cpuid_leaf_t leaf[CPU_POLICY_LEAVES];
};

extern struct cpu_policy cpu_policy_host; /* what the processor says */
/* The most that a PV guest may see, and the default, unless its builder asks for less. */
extern struct cpu_policy cpu_policy_pv_max;

/* The same for a guest under hardware virtualization. */
extern struct cpu_policy cpu_policy_hvm_max;

void cpu_policy_init(void); /* boot, after cpu_features_probe */

/* The entry for a leaf, or NULL. A leaf without subleaves ignores `subleaf`. */
const xen_cpuid_leaf_t *cpu_policy_find(const struct cpu_policy *p, u32 leaf, u32 subleaf);

/*
 * Changes *p as a builder asks. Features are only removed, never added beyond `most`, and the
 * features that need them are removed, too. Descriptions (names, caches) are taken as given.
 * -ERANGE: no policy has one of the leaves; then *p is unchanged, and *bad is the leaf's index.
 */
int __must_check cpu_policy_apply(struct cpu_policy *p, const struct cpu_policy *most,
				  const xen_cpuid_leaf_t *leaves, unsigned int nr,
				  unsigned int *bad);

/* Extracts the words of the policy's featureset. */
void cpu_policy_featureset(const struct cpu_policy *p, u32 words[CPU_POLICY_WORDS]);

/* --- extended state (policy_xstate.c) --- */
/* The bits that a guest may set in XCR0; 0: it has no XSAVE. */
u64 cpu_policy_xcr0(const struct cpu_policy *p);
/*
 * Size in bytes of an image of the components in `mask`, in the standard and in the compacted
 * format (SDM 1 13.4.2, 13.4.3).
 */
u32 cpu_policy_xsave_size(const struct cpu_policy *p, u64 mask);
u32 cpu_policy_xsavec_size(const struct cpu_policy *p, u64 mask);
/* Makes leaf 0xd for these components, which the processor must have. Its feature bits stay. */
void cpu_policy_set_xcr0(struct cpu_policy *p, u64 xcr0);

#endif
