/* SPDX-License-Identifier: MIT */
/*
 * Reports at boot which faults of the processor let a guest read data that is not its own. The
 * hypervisor guards against only one of the faults in lib/cpu_faults.h so far: where the processor
 * has IBPB, an IBPB between domains keeps one guest's branch training from another
 * (x86/pv/context.c).
 */
#include "hv/console.h"
#include "lib/cpu_faults.h"
#include "x86/cpu/feature.h"
#include "x86/cpu/regs.h"

#define MSR_AMD_PATCH_LEVEL 0x8b
#define FIRST_EXT_LEAF	    0x80000000U

/* Does the processor have this leaf? For any other leaf CPUID does not return zeros. */
static bool __init has_leaf(u32 leaf, u32 subleaf)
{
	if (leaf >= FIRST_EXT_LEAF)
		return leaf <= cpu_features.max_ext_leaf;
	return leaf <= cpu_features.max_leaf && (leaf != 7 || subleaf <= cpuid(7, 0).a);
}

void __init cpu_faults_report(void)
{
	struct cpu_facts f = { .arch_capabilities = cpu_features.arch_capabilities };
	u32 faults;
	u64 value;

	for (unsigned int i = 0; i < cpu_fault_nr_leaves; i++) {
		u32 leaf = cpu_fault_leaves[i].leaf, subleaf = cpu_fault_leaves[i].subleaf;
		struct cpuid_leaf l;

		if (!has_leaf(leaf, subleaf))
			continue;
		l = cpuid(leaf, subleaf);
		cpu_facts_add_leaf(&f, leaf, subleaf, l.a, l.b, l.c, l.d);
	}
	if (cpu_features.vendor == VENDOR_AMD && !rdmsr_safe(MSR_AMD_PATCH_LEVEL, &value))
		f.microcode = (u32)value;
	faults = cpu_faults_find(&f);
	for (unsigned int i = 0; i < CPU_FAULTS; i++)
		if (faults & 1U << i)
			log_warn("processors of this kind have %s: %s",
				 cpu_fault_title((enum cpu_fault)i),
				 cpu_fault_meaning((enum cpu_fault)i));
	if (faults)
		log_warn("Xenolith does not guard against that yet: run no strangers' guests on "
			 "this machine");
}
