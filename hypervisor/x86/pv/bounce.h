/* SPDX-License-Identifier: MIT */
/* Delivery of traps and events to the current guest: what the files of x86/pv need beyond pv.h. */
#ifndef X86_PV_BOUNCE_H
#define X86_PV_BOUNCE_H

#include "x86/pv/address.h"
#include "x86/pv/pv.h"

/* A flag of struct trap_bounce besides those of arch_domain.h: call the failsafe callback. */
#define TBF_FAILSAFE 16

/* An INT n that the guest's handler table permits: queues the handler without an error code. */
void pv_inject_software_interrupt(unsigned int vector);
/*
 * May the current guest, in its present mode, enter `vector` by INT n? Its handler must exist and
 * have a sufficient privilege level.
 */
bool pv_software_interrupt_allowed(unsigned int vector);
/* Enters the handler of the queued exception (TBF_EXCEPTION). v is current. */
void pv_deliver_exception(struct vcpu *v, struct cpu_user_regs *regs);
/* Queues the failsafe callback. Its frame shows the selectors in regs->ds to regs->gs. */
void pv_queue_failsafe(void);

/* Makes a guest's RFLAGS safe: IF set, no I/O privilege, no virtual-8086 mode, no nested task. */
unsigned long pv_sanitise_rflags(unsigned long rflags);

/* --- segments.c: selectors and bases of the current vCPU --- */
void pv_read_selectors(struct cpu_user_regs *regs); /* into regs->ds, es, fs, gs */
/*
 * The live bases. MSR_SHADOW_GS_BASE holds the GS base of the mode that is not in force, so that
 * SWAPGS changes the mode.
 */
unsigned long pv_read_fs_base(void);
unsigned long pv_read_gs_base(void);
unsigned long pv_read_shadow_gs_base(void);
void pv_write_fs_base(unsigned long base);
void pv_write_gs_base(unsigned long base);
void pv_write_shadow_gs_base(unsigned long base);
/* Loads user mode's GS selector (SEGBASE_GS_USER_SEL); a bad selector becomes the null selector. */
void pv_load_user_gs_selector(u16 sel);

/* --- context.c --- */
/* Loads this CPU's LDTR for v, which is current. Call it after a change of ldt_entries, too. */
void pv_load_ldt(const struct vcpu *v);

/* --- debug.c --- */
/* Writes debug register 0 to 7 of v; also the CPU's if v is current. 0, -EINVAL, -EPERM. */
int pv_set_debugreg(struct vcpu *v, unsigned int reg, unsigned long value);
void pv_load_debugregs(const struct vcpu *v); /* v runs next */
void pv_unload_debugregs(const struct vcpu *v);
/* Adds the DR6 of a #DB to the current guest's DR6. */
void pv_note_dr6(unsigned long dr6);

#endif
