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

	/* NULL: this processor has it and it can be used. Else the reason why not, in words. */
	const char *(*unusable)(void);
	int (*cpu_enable)(void);   /* on each CPU, at boot. 0, -EIO */
	void (*cpu_disable)(void); /* before a reboot */

	int (*vcpu_create)(struct vcpu *v); /* 0, -ENOMEM */
	void (*vcpu_free)(struct vcpu *v);
	void (*vcpu_reset)(struct vcpu *v);

	/* Between guest_regs, hvm_vcpu and the VMCB or VMCS. Interrupts are off. */
	void (*save)(struct vcpu *v);
	void (*load)(struct vcpu *v);
	void __noreturn (*enter)(void);

	/* For a paused vCPU, or the current one. */
	void (*get_segment)(struct vcpu *v, enum hvm_segment_name which, struct hvm_segment *out);
	void (*set_segment)(struct vcpu *v, enum hvm_segment_name which,
			    const struct hvm_segment *in);
	void (*update_cr)(struct vcpu *v); /* cr0, cr3, cr4, efer of hvm_vcpu have changed */

	/* Events for the guest's next instruction. */
	void (*inject_exception)(struct vcpu *v, unsigned int vector, int error_code, u64 cr2);
	bool (*can_take_interrupt)(struct vcpu *v);
	void (*inject_interrupt)(struct vcpu *v, unsigned int vector);
	void (*inject_nmi)(struct vcpu *v);
	void (*want_interrupt_window)(struct vcpu *v, bool want);
};

/* NULL: the processor has neither. */
extern const struct hvm_ops *hvm_backend;

#endif
