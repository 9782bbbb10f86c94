/* SPDX-License-Identifier: MIT */
/*
 * Exceptions in the hypervisor's own code. Each is expected (extable.h), harmless (a debug trap
 * that a guest's breakpoint caused), or a bug that ends in a panic.
 */
#include "x86/cpu/entry.h"

#include "hv/console.h"
#include "x86/cpu/backtrace.h"
#include "x86/cpu/desc.h"
#include "x86/cpu/extable.h"
#include "x86/cpu/regs.h"

static const char *const trap_names[32] = {
	/* clang-format off */
	"divide error", "debug", "NMI", "breakpoint", "overflow", "bound range", "invalid opcode", "device not available",
	"double fault", "coprocessor overrun", "invalid TSS", "segment not present", "stack fault", "general protection",
	"page fault", "15", "x87 error", "alignment check", "machine check", "SIMD error", "virtualization",
	"control protection", "22", "23", "24", "25", "26", "27", "hypervisor injection", "VMM communication",
	"security", "31",
	/* clang-format on */
};

const char *trap_name(unsigned int vector)
{
	return vector < 32 ? trap_names[vector] : "interrupt";
}

/* SDM 3A table 6-1, AMD APM 2 table 8-1. */
#define ERROR_CODE_VECTORS                                                                        \
	(BIT(8) | BIT(10) | BIT(11) | BIT(12) | BIT(13) | BIT(14) | BIT(17) | BIT(21) | BIT(29) | \
	 BIT(30))

bool trap_has_error_code(unsigned int vector)
{
	return vector < 32 && (ERROR_CODE_VECTORS & BIT(vector));
}

void trap_fatal(struct cpu_user_regs *regs, unsigned long cr2)
{
	panic_begin();
	backtrace_regs(regs);
	if (regs->entry_vector == X86_TRAP_PF)
		panic("page fault at %#lx, code address %#lx, error %#x", cr2, regs->rip,
		      regs->error_code);
	panic("%s (%u) at %#lx, error %#x", trap_name(regs->entry_vector), regs->entry_vector,
	      regs->rip, regs->error_code);
}

/*
 * A #DB in the hypervisor: a guest's breakpoint on memory that the hypervisor accesses for it,
 * SYSENTER with TF set, or a trap that a MOV to SS deferred into the hypervisor (SDM 3A 6.8.3). It
 * is ignored: it is of no use here, and too late for the guest.
 */
static void debug_trap(struct cpu_user_regs *regs)
{
	write_dr6(0xffff0ff0);
	regs->rflags &= ~(u64)X86_EFLAGS_TF;
}

static DEFINE_PER_CPU(unsigned int, nmi_count);

void nmi_handle(void)
{
	this_cpu(nmi_count)++;
	ring3.nmi(inb(0x61) & 0xc0);
}

/*
 * NMIs are blocked until the next IRET, wherever that leads (SDM 3A 6.7.1). So do an IRET to the
 * next instruction.
 */
void nmi_unblock(void)
{
	unsigned long scratch;

	__asm__ __volatile__("movq %%rsp, %0\n\t"
			     "pushq %1\n\t"
			     "pushq %0\n\t"
			     "pushfq\n\t"
			     "pushq %2\n\t"
			     "leaq 1f(%%rip), %0\n\t"
			     "pushq %0\n\t"
			     "iretq\n"
			     "1:"
			     : "=&r"(scratch)
			     : "i"(HV_SS), "i"(HV_CS)
			     : "memory");
}

void trap_from_hypervisor(struct cpu_user_regs *regs)
{
	unsigned long fixup, cr2 = 0;

	if (regs->entry_vector >= 32) {
		interrupt_dispatch(regs, regs->entry_vector);
		return;
	}
	switch (regs->entry_vector) {
	case X86_TRAP_NMI:
		nmi_handle();
		return;
	case X86_TRAP_DB:
		debug_trap(regs);
		return;
	case X86_TRAP_DF:
	case X86_TRAP_MC:
		trap_fatal(regs, 0);
	case X86_TRAP_PF:
		cr2 = read_cr2();
		if (ring3.fixup_fault(regs, cr2))
			return;
		break;
	}
	fixup = extable_fixup(regs->rip);
	if (!fixup)
		trap_fatal(regs, cr2);
	/* Some fixups need the exception's vector and error code. */
	cpu_info()->scratch[ENTRY_FAULT_VECTOR] = regs->entry_vector;
	cpu_info()->scratch[ENTRY_FAULT_ERROR] = regs->error_code;
	regs->rip = fixup;
}
