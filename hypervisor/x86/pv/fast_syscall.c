/* SPDX-License-Identifier: MIT */
/* The MSRs of the fast system calls: SYSCALL from 64-bit and 32-bit code, SYSENTER. */
#include "x86/pv/entry.h"

#include <xen/xen.h>
#include "x86/cpu/desc.h"
#include "x86/cpu/feature.h"
#include "x86/cpu/regs.h"

extern const u8 entry_syscall_stubs[], entry_syscall_stubs_end[], entry_syscall32_stubs[];
extern const u8 entry_sysenter[];

/* A stub of entry.S: two moves and a jump. */
#define SYSCALL_STUB_BYTES 19

/*
 * SYSRET takes CS from STAR[63:48] + 16 and SS from STAR[63:48] + 8, with RPL 3. SYSCALL takes CS
 * from STAR[47:32] and SS from STAR[47:32] + 8 (SDM 2B, SYSCALL; AMD APM 2 6.1.1). This dictates
 * the order of the descriptors in the reserved page.
 */
_Static_assert(FLAT_RING3_CS64 == (FLAT_RING3_CS32 + 16) &&
		       FLAT_RING3_SS32 == (FLAT_RING3_CS32 + 8),
	       "SYSRET");
_Static_assert(HV_SS == HV_CS + 8, "SYSCALL, SYSENTER");

static void write_star(u64 value)
{
	wrmsr(MSR_STAR, value);
}

void pv_entry_load(void)
{
	unsigned int cpu = smp_processor_id();

	write_star((u64)FLAT_RING3_CS32 << 48 | (u64)HV_CS << 32);
	wrmsr(MSR_LSTAR,
	      (unsigned long)entry_syscall_stubs + (unsigned long)cpu * SYSCALL_STUB_BYTES);
	wrmsr(MSR_SYSCALL_MASK, X86_EFLAGS_IF | X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_NT |
					X86_EFLAGS_AC | X86_EFLAGS_IOPL | X86_EFLAGS_RF |
					X86_EFLAGS_CF | X86_EFLAGS_VM);
	if (cpu_features.vendor == VENDOR_AMD)
		wrmsr(MSR_CSTAR, (unsigned long)entry_syscall32_stubs +
					 (unsigned long)cpu * SYSCALL_STUB_BYTES);
	if (cpu_features.l1d & BIT(11)) { /* SEP */
		wrmsr(MSR_IA32_SYSENTER_CS, HV_CS);
		wrmsr(MSR_IA32_SYSENTER_ESP, entry_stack_top(cpu));
		wrmsr(MSR_IA32_SYSENTER_EIP, (unsigned long)entry_sysenter);
	}
}
