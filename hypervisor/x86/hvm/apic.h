/* SPDX-License-Identifier: MIT */
/* The virtual local APIC (dev/vlapic.h) and the rest of the hypervisor: time, other vCPUs. */
#ifndef X86_HVM_APIC_H
#define X86_HVM_APIC_H

#include "x86/hvm/hvm.h"

u8 hvm_phys_bits(const struct vcpu *v); /* the width of the guest's physical addresses */

void hvm_apic_create(struct vcpu *v);
void hvm_apic_free(struct vcpu *v);
void hvm_apic_reset(struct vcpu *v); /* INIT */

/* CR8's value. */
static inline u64 hvm_apic_tpr(const struct vcpu *v)
{
	return vlapic_cr8(&hvm_of(v)->vlapic);
}
static inline void hvm_apic_set_tpr(struct vcpu *v, u64 value)
{
	vlapic_set_cr8(&hvm_of(v)->vlapic, value);
}

/* An interrupt for v, edge-triggered; wakes it. Any CPU. */
void hvm_apic_raise(struct vcpu *v, u8 vector);
/* Its timer is due. v is current. */
void hvm_apic_run_timer(struct vcpu *v);

/* The MSRs: APIC_BASE, TSC_DEADLINE and the x2APIC's. v is current. 0, or -EINVAL: #GP. */
bool hvm_apic_has_msr(u32 msr);
int __must_check hvm_apic_read_msr(struct vcpu *v, u32 msr, u64 *value);
int __must_check hvm_apic_write_msr(struct vcpu *v, u32 msr, u64 value);

/* An access to the APIC's page. False: gpa is not in it. */
bool __must_check hvm_apic_access(struct vcpu *v, struct cpu_user_regs *regs, u64 gpa);
/* Time as the APIC counts it. */
struct vlapic_time hvm_apic_now(const struct vcpu *v);
/* Does what a change of the APIC asks for. */
void hvm_apic_follow(struct vcpu *v, const struct vlapic_out *out);

#endif
