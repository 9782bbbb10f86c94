/* SPDX-License-Identifier: MIT */
/*
 * What AMD's SVM and Intel's VMX do each in a way of its own. Hooks return facts; what follows from
 * them is decided in x86/hvm.
 */
#ifndef X86_HVM_BACKEND_H
#define X86_HVM_BACKEND_H

#include "x86/hvm/hvm.h"

struct hvm_ops {
	const char *name; /* "SVM", "VMX" */
	const struct p2m_format *p2m_format;
	u8 hypercall[3]; /* the instruction: VMMCALL, VMCALL */

	/* NULL: this processor has it and it can be used. Else the reason why not, in words. */
	const char *(*unusable)(void);
	int (*cpu_prepare)(unsigned int cpu); /* memory for a CPU, before it starts: 0, -ENOMEM */
	int (*cpu_enable)(void);	      /* on each CPU, at boot. 0, -EIO */
	void (*cpu_disable)(void);	      /* before a reboot */

	int (*vcpu_create)(struct vcpu *v); /* 0, -ENOMEM */
	void (*vcpu_free)(struct vcpu *v);

	/* Between the processor's registers and the VMCB or VMCS. Interrupts are off. */
	void (*save)(struct vcpu *v);
	void (*load)(struct vcpu *v);
	void __noreturn (*enter)(void);

	/* For a paused vCPU, or the current one. */
	void (*get_segment)(const struct vcpu *v, enum hvm_segment_name which,
			    struct hvm_segment *out);
	void (*set_segment)(struct vcpu *v, enum hvm_segment_name which,
			    const struct hvm_segment *in);
	void (*get_msrs)(const struct vcpu *v, struct hvm_msrs *out);
	void (*set_msrs)(struct vcpu *v, const struct hvm_msrs *in);
	/* cr0, cr2, cr3, cr4, efer of hvm_vcpu have changed. */
	void (*update_cr)(struct vcpu *v);
	u64 (*get_dr)(const struct vcpu *v, unsigned int which); /* 6 and 7 */
	void (*set_dr)(struct vcpu *v, unsigned int which, u64 value);

	/* Can the guest take an interrupt (IF, no shadow), an NMI (no shadow) now? */
	bool (*can_take_interrupt)(const struct vcpu *v);
	bool (*in_shadow)(const struct vcpu *v);
	void (*clear_shadow)(struct vcpu *v); /* an instruction was completed for the guest */
	/* Exits as soon as the guest can take an interrupt. */
	void (*want_interrupt_window)(struct vcpu *v, bool want);
	/* Exits when the guest's NMI handler returns. */
	void (*want_nmi_end)(struct vcpu *v, bool want);
};

/* NULL: the processor has neither, or the command line says hvm=off. */
extern const struct hvm_ops *hvm_backend;
extern const struct hvm_ops svm_ops;

#endif
