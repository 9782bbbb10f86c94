/* SPDX-License-Identifier: MIT */
/*
 * Guests under hardware virtualization: their part of domains and vCPUs. docs/design/hvm.md follows
 * one exit from the processor to its handler and back.
 *
 * What differs between AMD's SVM and Intel's VMX is behind struct hvm_ops (x86/hvm/backend.h).
 */
#ifndef X86_HVM_HVM_H
#define X86_HVM_HVM_H

#include "x86/arch_domain.h"
#include "x86/hvm/dev/vlapic.h"

#include <xen/hvm/params.h>

struct svm_vcpu;

/* A segment register as hardware keeps it: limit in bytes, attributes as in a VMCB (APM 2 15.5). */
struct hvm_segment {
	u16 selector, attributes;
	u32 limit;
	u64 base;
};

struct hvm_vcpu {
	/* [C] What the guest reads; the processor's own may differ in bits that the host needs. */
	u64 cr0, cr2, cr3, cr4, efer;
	u64 tsc_offset;		       /* [C] guest TSC = host TSC + this */
	u32 interrupt_shadow;	       /* [C] STI or MOV SS was the last instruction */
	bool nmi_pending, nmi_blocked; /* [C] */
	u8 upcall_vector;	       /* [C] HVMOP_set_evtchn_upcall_vector; 0: none */
	struct vlapic vlapic;	       /* dev/vlapic.h says who may use which field */
	union {
		struct svm_vcpu *svm; /* [I] x86/hvm/svm */
	};
};

struct hvm_domain {
	u64 *monitor_l4; /* [I] what the hypervisor runs on while a vCPU of the domain is current */
	u64 params[HVM_NR_PARAMS]; /* [D] */
};

static inline struct hvm_vcpu *hvm_of(const struct vcpu *v)
{
	return v->arch->hvm;
}

#endif
