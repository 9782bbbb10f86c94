/* SPDX-License-Identifier: MIT */
/*
 * Lists of saved records (xen/hvm/save.h, xen/arch-x86/hvm/save.h): a descriptor, then the data;
 * HEADER first, END last. Pure. A list is read as a whole, then each record is checked, and only
 * then may one of them change anything.
 */
#ifndef X86_HVM_DEV_RECORD_H
#define X86_HVM_DEV_RECORD_H

#include "lib/types.h" /* before the public headers, which need its names */

#include <xen/xen.h>
#include <xen/hvm/save.h>

/* One vCPU's records; NULL: the list has none. */
struct hvm_records {
	const struct hvm_hw_cpu *cpu;
	const struct hvm_hw_lapic *lapic;
	const struct hvm_hw_lapic_regs *lapic_regs;
	const struct hvm_hw_mtrr *mtrr;
	const struct hvm_hw_cpu_xsave *xsave;
	const struct hvm_msr *msrs;
	const struct hvm_tsc_adjust *tsc_adjust;
	const struct hvm_vmce_vcpu *vmce;
	u32 xsave_bytes; /* of the image: the record without xfeature_mask, xcr0, xcr0_accum */
};
#define HVM_XSAVE_HEADER offsetof(struct hvm_hw_cpu_xsave, save_area)

/* Where a list is wrong. */
struct hvm_record_fault {
	u16 code, instance; /* the record's */
	const char *reason;
};

/*
 * Reads a list for nr vCPUs into vcpu[], which points into the list afterwards. list is aligned to
 * eight bytes. 0, or -EINVAL: not such a list; a record that is unknown, of no such vCPU, too
 * short, or there twice.
 */
int __must_check hvm_records_read(const u8 *list, size_t size, struct hvm_records *vcpu,
				  unsigned int nr, struct hvm_record_fault *fault);

/* What a guest may have. */
struct hvm_record_limits {
	u64 cr4, efer; /* bits; EFER's LMA follows from LME */
	u32 mxcsr;     /* bits */
	u8 phys_bits;
};

/*
 * Can the registers be loaded, so that the processor enters the guest with them? NULL, or what is
 * wrong.
 */
const char *hvm_cpu_record_fault(const struct hvm_hw_cpu *c, const struct hvm_record_limits *may);
/*
 * The smaller records: MSRs that this hypervisor keeps elsewhere must be 0 here; of machine checks
 * a guest has none, but one that comes from Xen has seen banks. NULL, or what is wrong.
 */
const char *hvm_msr_record_fault(const struct hvm_msr *m);
const char *hvm_vmce_record_fault(const struct hvm_vmce_vcpu *m);

#endif
