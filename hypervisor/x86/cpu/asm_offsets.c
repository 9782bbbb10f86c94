/* SPDX-License-Identifier: MIT */
/*
 * Offsets of structure members for assembler files: scripts/gen-asm-offsets makes asm_offsets.h
 * from this file.
 */
#include "hv/domain.h"
#include "hv/hypercall.h"
#include "lib/errno.h"
#include "x86/arch_domain.h"
#include "x86/cpu/entry.h"

#undef current /* a member's name in this file */

#define DEFINE(name, value) __asm__ __volatile__("\n#->" #name " %0" : : "i"(value))
#define UREGS(reg)	    DEFINE(UREGS_##reg, offsetof(struct cpu_user_regs, reg))

void asm_offsets(void);
void asm_offsets(void)
{
	UREGS(r15);
	UREGS(rbx);
	UREGS(r11);
	UREGS(rax);
	UREGS(rcx);
	UREGS(rdi);
	UREGS(error_code);
	UREGS(entry_vector);
	UREGS(rip);
	UREGS(cs);
	UREGS(rflags);
	UREGS(rsp);
	UREGS(ss);
	UREGS(es);

	DEFINE(CPUINFO_size, sizeof(struct cpu_info));
	DEFINE(CPUINFO_guest_regs, offsetof(struct cpu_info, guest_regs));
	DEFINE(CPUINFO_current, offsetof(struct cpu_info, current));
	DEFINE(CPUINFO_percpu_offset, offsetof(struct cpu_info, percpu_offset));

	DEFINE(HYPERCALL_iret, __HYPERVISOR_iret);
	DEFINE(HYPERCALL_NR_END, HYPERCALL_NR_END);
	DEFINE(HYPERCALL_again, -ERESTART);
	DEFINE(SYSCALL_INSN_BYTES, SYSCALL_INSN_BYTES);

	_Static_assert(offsetof(struct ring3_ops, trap) == 0, "x86/cpu/entry.S jumps there");

	DEFINE(VCPU_arch, offsetof(struct vcpu, arch));
	DEFINE(VCPU_vcpu_info, offsetof(struct vcpu, vcpu_info));
	DEFINE(AVCPU_in_kernel, offsetof(struct arch_vcpu, pv.in_kernel));
	DEFINE(AVCPU_bounce_flags, offsetof(struct arch_vcpu, pv.bounce.flags));
	_Static_assert(offsetof(struct trap_bounce, nmi_pending) ==
			       offsetof(struct trap_bounce, flags) + 1,
		       "x86/pv/entry.S looks at both at once");

	DEFINE(VCPUINFO_upcall_pending, offsetof(struct vcpu_info, evtchn_upcall_pending));
	DEFINE(VCPUINFO_upcall_mask, offsetof(struct vcpu_info, evtchn_upcall_mask));
}
