/* SPDX-License-Identifier: MIT */
/*
 * The faults by which processors tell one guest what another one, or the hypervisor, computes:
 * which of them a processor has, by what it says of itself. Pure: the hypervisor and xend both ask.
 */
#ifndef LIB_CPU_FAULTS_H
#define LIB_CPU_FAULTS_H

#include "lib/types.h"

/* What faults depend on, zero where a processor does not say. cpu_facts_add_leaf() fills in all but
 * the last two. */
struct cpu_facts {
	u32 vendor;			      /* leaf 0 EBX */
	unsigned int family, model, stepping; /* as the manuals compose them from leaf 1 EAX */
	u32 f1c, f7b, f7d, f7_2d;	      /* leaves 1 ECX; 7 EBX, EDX; 7, subleaf 2 EDX */
	u32 e8b, e21a, e21c;		      /* leaves 0x80000008 EBX; 0x80000021 EAX, ECX */
	u64 arch_capabilities; /* MSR 0x10a, where leaf 7 EDX bit 29 says that there is one */
	u32 microcode;	       /* revision; only AMD's are looked at */
};

enum cpu_fault {
	CPU_FAULT_MELTDOWN,
	CPU_FAULT_L1TF,
	CPU_FAULT_MDS,
	CPU_FAULT_TAA,
	CPU_FAULT_MMIO_STALE_DATA,
	CPU_FAULT_RFDS,
	CPU_FAULT_GDS,
	CPU_FAULT_SRBDS,
	CPU_FAULT_SPECTRE_V2,
	CPU_FAULT_NO_IBPB,
	CPU_FAULT_BHI,
	CPU_FAULT_RETBLEED,
	CPU_FAULT_ITS,
	CPU_FAULT_SSB,
	CPU_FAULT_SRSO,
	CPU_FAULT_ZENBLEED,
	CPU_FAULT_DIVIDER,
	CPU_FAULT_TSA,
	CPU_FAULT_UNKNOWN,
	CPU_FAULTS
};

/* The leaves that faults depend on; those without subleaves have subleaf 0. */
struct cpu_fault_leaf {
	u32 leaf, subleaf;
};
extern const struct cpu_fault_leaf cpu_fault_leaves[];
extern const unsigned int cpu_fault_nr_leaves;

/* Notes what CPUID says in one of its leaves; others are ignored, and so is the order. */
void cpu_facts_add_leaf(struct cpu_facts *f, u32 leaf, u32 subleaf, u32 a, u32 b, u32 c, u32 d);
/* Is there MSR 0x10a to be read? After leaf 7. */
bool cpu_facts_have_arch_capabilities(const struct cpu_facts *f);

/* The set of faults: bit N for fault N. What microcode keeps from happening by itself is not in it.
 */
u32 cpu_faults_find(const struct cpu_facts *f);

const char *cpu_fault_name(enum cpu_fault fault);  /* one word, for programs: "l1tf" */
const char *cpu_fault_title(enum cpu_fault fault); /* as people call it: "L1TF" */
const char *cpu_fault_meaning(
	enum cpu_fault fault); /* what it lets a guest do while nothing guards against it */

#endif
