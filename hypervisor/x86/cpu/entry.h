/* SPDX-License-Identifier: MIT */
/*
 * The ways into the hypervisor and out of it (entry.S) and what they call.
 *
 * From a guest every way in leaves the whole state in cpu_info()->guest_regs and calls C on the
 * empty primary stack; the way out, ret_to_guest, finishes what is due (softirqs, events, queued
 * exceptions) and leaves by SYSRET or IRET. From the hypervisor's own code a frame is pushed on the
 * stack in use and popped again. C code tells the two by guest_mode(regs).
 */
#ifndef X86_CPU_ENTRY_H
#define X86_CPU_ENTRY_H

/*
 * cpu_user_regs.entry_vector: a vector, or ENTRY_SYSCALL: the guest expects nothing in RCX and R11
 * but what SYSRET leaves there, and its CS and SS are the flat 64-bit ones, so that SYSRET may be
 * used. Whoever replaces a guest's registers stores ENTRY_IRET.
 */
#define ENTRY_SYSCALL  0xffffffff
#define ENTRY_IRET     0x100
#define ENTRY_SYSENTER 0x101

/* INT 0x80 and 0x82, whose gates are open to guests. */
#define GUEST_INT80 0x80
#define GUEST_INT82 0x82

/* cpu_info.scratch: the last exception in the hypervisor that went to its fixup. */
#define ENTRY_FAULT_VECTOR 0
#define ENTRY_FAULT_ERROR  1

#ifndef __ASSEMBLY__
#include "hv/percpu.h"

/* Does the frame belong to the current guest (and not to code of ours that was interrupted)? */
static inline bool guest_mode(const struct cpu_user_regs *regs)
{
	return (regs->cs & 3) != 0;
}
static inline struct cpu_user_regs *guest_cpu_user_regs(void)
{
	return &cpu_info()->guest_regs;
}

/* Programs STAR, LSTAR, CSTAR, SFMASK and the SYSENTER MSRs of this CPU. EFER.SCE is set by
 * cpu_features_enable. */
void entry_cpu_load(void);

/* RSP0 of `cpu`: the hardware frame then lands in guest_regs. */
static inline unsigned long entry_stack_top(unsigned int cpu)
{
	return STACK_VIRT + (unsigned long)(cpu + 1) * STACK_STRIDE - sizeof(struct cpu_info) +
	       offsetof(struct cpu_info, guest_regs.es);
}

/* entry.S: addresses of the IDT's stubs, by vector. */
extern const unsigned long entry_stubs[256];

/* Leaves for the guest whose registers are in guest_regs, dropping whatever is on the primary
 * stack. */
void __noreturn ret_to_guest_reset_stack(void);
/* Drops whatever is on the primary stack and calls fn, which does not return. */
void __noreturn call_on_reset_stack(void (*fn)(void));

/*
 * --- called by the entry code, implemented above this directory ---
 * Interrupts are off in all of them at entry; those of a guest may turn them on.
 */
/* Exceptions and interrupts of a guest (pv/traps.c). */
void trap_from_guest(struct cpu_user_regs *regs);
/* The hypercall iret: regs become those that the guest has on its stack; interrupts are on
 * (pv/callbacks.c). */
void pv_iret(struct cpu_user_regs *regs);
/* SYSCALL of user mode, SYSCALL of 32-bit code, SYSENTER (pv/bounce.c). */
void pv_entry_syscall(struct cpu_user_regs *regs);
void pv_entry_syscall32(struct cpu_user_regs *regs);
void pv_entry_sysenter(struct cpu_user_regs *regs);
/*
 * A softirq, an event, a queued exception or NMI is due: does it, and returns with interrupts off
 * and nothing more due (pv/bounce.c).
 */
void pv_exit_work(struct cpu_user_regs *regs);
/* IRET to the guest faulted: regs is what it was to return to (pv/bounce.c). */
void pv_exit_iret_failed(struct cpu_user_regs *regs);
/* We touched an LDT page of the current guest that is not mapped yet: true if it is now
 * (pv/traps.c). */
bool pv_fixup_hypervisor_fault(unsigned long addr);
/* Domain-0 is to get a non-maskable interrupt; reason: bits 7 and 6 of port 0x61. In NMI context
 * (pv/traps.c). */
void pv_dom0_nmi(u8 reason);
/*
 * Every interrupt that is no exception comes here from the entry code: interrupts off, on the
 * primary stack, any vector 0x20-0xff but those that guests reach by INT. Acknowledges the local
 * APIC where due (irq/ipi.c).
 */
void interrupt_dispatch(struct cpu_user_regs *regs, unsigned int vector);

/* --- traps.c --- */
void trap_from_hypervisor(struct cpu_user_regs *regs);
/* A non-maskable interrupt, on the IST stack or (from a guest) the primary one; leaves NMIs
 * blocked. */
void nmi_handle(void);
void nmi_unblock(void);
/* A machine check or double fault: ends the machine. */
void __noreturn trap_fatal(struct cpu_user_regs *regs, unsigned long cr2);
const char *trap_name(unsigned int vector);
bool trap_has_error_code(unsigned int vector);
#endif

#endif
