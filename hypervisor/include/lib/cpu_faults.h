/* SPDX-License-Identifier: MIT */
/*
 * The processor faults through which a guest learns what another guest, or the hypervisor,
 * computes. Finds the faults that a processor has from what CPUID and MSRs say. Pure code, used by
 * the hypervisor and by xend.
 */
#ifndef LIB_CPU_FAULTS_H
#define LIB_CPU_FAULTS_H

#include "lib/types.h"

/*
 * The facts that faults depend on; zero where a processor does not tell. cpu_facts_add_leaf() fills
 * in all but the last three.
 */
struct cpu_facts {
	u32 vendor;			      /* leaf 0 EBX */
	unsigned int family, model, stepping; /* as the manuals compose them from leaf 1 EAX */
	u32 f1c, f7b, f7d, f7_2d;	      /* leaves 1 ECX; 7 EBX, EDX; 7, subleaf 2 EDX */
	u32 e8b, e21a, e21c;		      /* leaves 0x80000008 EBX; 0x80000021 EAX, ECX */
	/* MSR 0x10a, which exists if leaf 7 EDX bit 29 is set. */
	u64 arch_capabilities;
	u32 microcode; /* revision; only AMD's matters */
	bool threads;  /* cores run several threads at once */
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

/* The CPUID leaves that faults depend on. A leaf without subleaves has subleaf 0 here. */
struct cpu_fault_leaf {
	u32 leaf, subleaf;
};
extern const struct cpu_fault_leaf cpu_fault_leaves[];
extern const unsigned int cpu_fault_nr_leaves;

/* Notes the registers of one CPUID leaf. Leaves that do not matter are ignored; any order works. */
void cpu_facts_add_leaf(struct cpu_facts *f, u32 leaf, u32 subleaf, u32 a, u32 b, u32 c, u32 d);
/* Does MSR 0x10a exist? Valid after leaf 7 was added. */
bool cpu_facts_have_arch_capabilities(const struct cpu_facts *f);

/*
 * The set of faults: bit N for fault N. A fault that the microcode prevents by itself is not in the
 * set.
 */
u32 cpu_faults_find(const struct cpu_facts *f);

const char *cpu_fault_name(enum cpu_fault fault);  /* one word, for programs: "l1tf" */
const char *cpu_fault_title(enum cpu_fault fault); /* for people: "L1TF" */
/* The harm that a guest can do while nothing guards against the fault. */
const char *cpu_fault_meaning(enum cpu_fault fault);

#endif
