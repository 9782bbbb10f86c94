/* SPDX-License-Identifier: MIT */
/*
 * The registers of the current guest, and what the IDT brings (entry.S).
 *
 * Every way in from a guest saves the whole state in cpu_info()->guest_regs and calls C on the
 * empty primary stack. A trap in the hypervisor's own code pushes a frame on the stack in use and
 * pops it at the end. C code tells the two apart by guest_mode(regs).
 */
#ifndef X86_CPU_ENTRY_H
#define X86_CPU_ENTRY_H

/*
 * Values of cpu_user_regs.entry_vector besides the vectors. ENTRY_SYSCALL: SYSRET may be used,
 * because the guest expects RCX and R11 as SYSRET leaves them, and its CS and SS are the flat
 * 64-bit ones. Code that replaces a guest's registers stores ENTRY_IRET.
 */
#define ENTRY_SYSCALL  0xffffffff
#define ENTRY_IRET     0x100
#define ENTRY_SYSENTER 0x101

/* INT 0x80 and 0x82, whose gates are open to ring 3. */
#define GUEST_INT80 0x80
#define GUEST_INT82 0x82

/* Indices in cpu_info.scratch: the last exception in the hypervisor that had a fixup. */
#define ENTRY_FAULT_VECTOR 0
#define ENTRY_FAULT_ERROR  1

#ifndef __ASSEMBLY__
#include "hv/percpu.h"

/* Is this the current guest's frame, not one of interrupted hypervisor code? */
static inline bool guest_mode(const struct cpu_user_regs *regs)
{
	return (regs->cs & 3) != 0;
}
static inline struct cpu_user_regs *guest_cpu_user_regs(void)
{
	return &cpu_info()->guest_regs;
}

/* RSP0 of `cpu`, such that the hardware's frame lands in guest_regs. */
static inline unsigned long entry_stack_top(unsigned int cpu)
{
	return STACK_VIRT + (unsigned long)(cpu + 1) * STACK_STRIDE - sizeof(struct cpu_info) +
	       offsetof(struct cpu_info, guest_regs.es);
}

/* entry.S: addresses of the IDT's stubs, by vector. */
extern const unsigned long entry_stubs[256];

/* Drops everything on the primary stack and calls fn, which does not return. */
void __noreturn call_on_reset_stack(void (*fn)(void));

/*
 * --- called from here, implemented above this directory ---
 *
 * Guests of one kind run in ring 3. This is what that kind does with what the IDT brings. Other
 * kinds of guests do not come in by the IDT.
 */
struct ring3_ops {
	/*
	 * Assembler: an exception or interrupt in ring 3. All registers are in guest_regs, RSP is
	 * &guest_regs, interrupts are off. Does not return. entry.S needs it to come first.
	 */
	void (*trap)(void);
	/*
	 * The hypervisor faulted at `addr`. True: the access may be tried again. That was a page of
	 * the current guest's LDT, which is mapped now, or a first write to guest memory that is
	 * logged. Interrupts are off.
	 */
	bool (*fixup_fault)(const struct cpu_user_regs *regs, unsigned long addr);
	/*
	 * A non-maskable interrupt for Domain-0; reason: bits 7 and 6 of port 0x61. Runs in NMI
	 * context.
	 */
	void (*nmi)(u8 reason);
};
extern const struct ring3_ops ring3;

/*
 * Handles every interrupt that is not an exception: any vector 0x20-0xff except for those that
 * guests reach by INT. Runs with interrupts off, on the primary stack. Acknowledges the local APIC
 * where due (irq/ipi.c).
 */
void interrupt_dispatch(struct cpu_user_regs *regs, unsigned int vector);

/* --- traps.c --- */
void trap_from_hypervisor(struct cpu_user_regs *regs);
/*
 * Handles a non-maskable interrupt, on the IST stack or (from a guest) on the primary one. Leaves
 * NMIs blocked.
 */
void nmi_handle(void);
void nmi_unblock(void);
/* A machine check, a double fault, or another exception without a fixup: panics. */
void __noreturn trap_fatal(struct cpu_user_regs *regs, unsigned long cr2);
const char *trap_name(unsigned int vector);
bool trap_has_error_code(unsigned int vector);
#endif

#endif
