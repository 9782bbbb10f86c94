/* SPDX-License-Identifier: MIT */
/* What follows from an exit, for both vendors. */
#include "x86/hvm/apic.h"
#include "x86/hvm/backend.h"
#include "x86/hvm/p2m.h"

#include "hv/arch/cpu.h"
#include "hv/atomic.h"
#include "hv/console.h"
#include "hv/sched.h"
#include "lib/errno.h"
#include "x86/cpu/feature.h"
#include "x86/cpu/regs.h"
#include "x86/guest/guest_ops.h"

#include <xen/arch-x86/cpuid.h>

void hvm_advance(struct vcpu *v, struct cpu_user_regs *regs, unsigned int length)
{
	regs->rip += length;
	if (!(hvm_of(v)->efer & EFER_LMA))
		regs->rip = (u32)regs->rip;
	regs->rflags &= ~(u64)X86_EFLAGS_RF;
	hvm_backend->clear_shadow(v);
	if (unlikely(regs->rflags & X86_EFLAGS_TF)) {
		hvm_backend->set_dr(v, 6, hvm_backend->get_dr(v, 6) | BIT(14)); /* BS */
		hvm_inject_exception(v, X86_TRAP_DB, 0);
	}
}

/* --- CPUID --- */

/* The bits that mirror the guest's own registers, and Xen's leaf for such guests. */
void hvm_exit_cpuid(struct vcpu *v, struct cpu_user_regs *regs)
{
	const struct hvm_vcpu *hv = hvm_of(v);
	u32 leaf = (u32)regs->rax, sub = (u32)regs->rcx;
	struct cpuid_leaf l;

	guest_cpuid(v, leaf, sub, &l);
	switch (leaf) {
	case 1:
		l.c &= ~(u32)BIT(27);
		if (hv->cr4 & X86_CR4_OSXSAVE)
			l.c |= (u32)BIT(27);
		if (vlapic_mode(&hv->vlapic) == VLAPIC_DISABLED)
			l.d &= ~(u32)BIT(9);
		break;
	case XEN_CPUID_LEAF(4):
		l.a = XEN_HVM_CPUID_VCPU_ID_PRESENT | XEN_HVM_CPUID_DOMID_PRESENT;
		l.b = v->id;
		l.c = v->domain->id;
		break;
	case XEN_CPUID_LEAF(5): /* for paravirtualized guests */
		l.b = 0;
		break;
	default:
		break;
	}
	regs->rax = l.a;
	regs->rbx = l.b;
	regs->rcx = l.c;
	regs->rdx = l.d;
}

/* --- MSRs, XCR0 --- */

bool hvm_exit_rdmsr(struct vcpu *v, struct cpu_user_regs *regs)
{
	u64 value;

	if (hvm_read_msr(v, (u32)regs->rcx, &value)) {
		hvm_inject_exception(v, X86_TRAP_GP, 0);
		return false;
	}
	regs->rax = (u32)value;
	regs->rdx = value >> 32;
	return true;
}

bool hvm_exit_wrmsr(struct vcpu *v, struct cpu_user_regs *regs)
{
	if (!hvm_write_msr(v, (u32)regs->rcx, (u32)regs->rax | regs->rdx << 32))
		return true;
	hvm_inject_exception(v, X86_TRAP_GP, 0);
	return false;
}

bool hvm_exit_xsetbv(struct vcpu *v, struct cpu_user_regs *regs)
{
	u64 value = (u32)regs->rax | regs->rdx << 32;

	if (hvm_of(v)->cpl || (u32)regs->rcx ||
	    !xcr0_is_valid(value, cpu_policy_xcr0(guest_cpu_policy(v->domain)))) {
		hvm_inject_exception(v, X86_TRAP_GP, 0);
		return false;
	}
	v->arch->xcr0 = value;
	v->arch->xcr0_accum |= value;
	xstate_set_xcr0(value);
	return true;
}

/* --- sleep --- */

void hvm_exit_hlt(struct vcpu *v, struct cpu_user_regs *regs)
{
	if (regs->rflags & X86_EFLAGS_IF || READ_ONCE(hvm_of(v)->nmi_pending))
		vcpu_block();
	else /* only an NMI could wake it, and a guest that relies on that has meant to stop */
		vcpu_go_down(v);
}

void hvm_exit_pause(struct vcpu *v)
{
	vcpu_yield();
}

/* --- ports and memory that are not there --- */

/* No port has a device: reads give all ones, as a bus without one does. */
void hvm_exit_io(struct vcpu *v, struct cpu_user_regs *regs, u16 port, unsigned int size, bool in)
{
	if (!in)
		return;
	if (size == 4)
		regs->rax = 0xffffffff;
	else
		regs->rax |= size == 2 ? 0xffff : 0xff;
}

void hvm_exit_nested_fault(struct vcpu *v, struct cpu_user_regs *regs, u64 gpa, bool write,
			   bool fetch)
{
	if (p2m_fault(v, gpa, write, fetch) || hvm_apic_access(v, regs, gpa))
		return;
	domain_crash(v->domain, "vCPU %u %s at %#lx, where it has no memory, from %#lx", v->id,
		     write ? "writes" :
		     fetch ? "executes" :
			     "reads",
		     gpa, regs->rip);
}
