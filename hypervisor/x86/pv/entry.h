/* SPDX-License-Identifier: MIT */
/*
 * The ways of a PV guest in and out (x86/pv/entry.S), and the C functions that they call.
 *
 * The way out, ret_to_guest, does all work that is due (softirqs, events, queued exceptions) and
 * leaves by SYSRET or IRET. The C functions begin with interrupts off. Those that serve a guest may
 * turn them on.
 */
#ifndef X86_PV_ENTRY_H
#define X86_PV_ENTRY_H

#include "x86/cpu/entry.h"

/*
 * Programs STAR, LSTAR, CSTAR, SFMASK and the SYSENTER MSRs of this CPU. EFER.SCE is set by
 * cpu_features_enable.
 */
void pv_entry_load(void);

/* The member `trap` of ring3_ops: calls trap_from_guest and returns to the guest. */
void entry_ring3_trap(void);
/*
 * Returns to the guest whose registers are in guest_regs, and drops everything on the primary
 * stack.
 */
void __noreturn ret_to_guest_reset_stack(void);

/* Exceptions and interrupts of a guest (traps.c). */
void trap_from_guest(struct cpu_user_regs *regs);
/* The hypercall iret: loads regs from the frame on the guest's stack. Interrupts are on. */
void pv_iret(struct cpu_user_regs *regs);
/* SYSCALL from user mode, SYSCALL from 32-bit code, SYSENTER (bounce.c). */
void pv_entry_syscall(struct cpu_user_regs *regs);
void pv_entry_syscall32(struct cpu_user_regs *regs);
void pv_entry_sysenter(struct cpu_user_regs *regs);
/*
 * Runs due softirqs, then delivers a due event, exception or NMI. Returns with interrupts off and
 * nothing more due (bounce.c).
 */
void pv_exit_work(struct cpu_user_regs *regs);
/* IRET to the guest faulted. regs is the frame that it was to load (bounce.c). */
void pv_exit_iret_failed(struct cpu_user_regs *regs);

#endif
