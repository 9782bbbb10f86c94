/* SPDX-License-Identifier: MIT */
/* What the files of x86/hvm/svm have in common. */
#ifndef X86_HVM_SVM_SVM_H
#define X86_HVM_SVM_SVM_H

#include "hv/percpu.h"
#include "x86/hvm/backend.h"
#include "x86/hvm/svm/vmcb.h"

struct svm_vcpu {
	struct vmcb *vmcb; /* [I] */
	u64 vmcb_maddr;	   /* [I] */
	/* [C] The ASID is good on this CPU in this round of its ASIDs (svm/asid.c). */
	u64 asid_round;
	unsigned int asid_cpu;
};

static inline struct vmcb *vmcb_of(const struct vcpu *v)
{
	return hvm_of(v)->svm->vmcb;
}

/* CPUID 0x8000000A: the revision and the features that are used where they are. */
extern struct svm_features {
	u32 asids;
	bool next_rip;
} svm_features;

/* --- cpu.c: a processor --- */
const char *svm_unusable(void);
int svm_cpu_prepare(unsigned int cpu);
int svm_cpu_enable(void);
void svm_cpu_disable(void);
/* Which MSRs and ports make the guest exit; the same for all. Machine addresses. */
u64 svm_msrpm(void);
u64 svm_iopm(void);

/* --- vcpu.c: the VMCB --- */
int svm_vcpu_create(struct vcpu *v);
void svm_vcpu_free(struct vcpu *v);

/* --- asid.c --- */
/* Gives the VMCB an ASID that is good for this entry. Interrupts are off until the guest runs. */
void svm_asid_prepare(struct vcpu *v);

/* --- entry.S, and what it calls --- */
void __noreturn svm_enter(void);
/* On the way in; interrupts are off afterwards: the machine address of the VMCB to run. */
u64 svm_prepare(struct cpu_user_regs *regs);
/* After an exit; interrupts are off. */
void svm_exit(struct cpu_user_regs *regs);
/* The machine address of a VMCB with this CPU's own segments and MSRs, for VMLOAD. */
DECLARE_PER_CPU(u64, svm_host_vmcb);

#endif
