/* SPDX-License-Identifier: MIT */
/* Traps and events towards the current guest: what x86/pv's own files need beyond pv.h. */
#ifndef X86_PV_BOUNCE_H
#define X86_PV_BOUNCE_H

#include "x86/pv/address.h"
#include "x86/pv/pv.h"

/* struct trap_bounce.flags, besides those of arch_domain.h: the failsafe callback is to be called.
 */
#define TBF_FAILSAFE 16

/* An INT n that the guest's handler table permits: queues the handler without an error code. */
void pv_inject_software_interrupt(unsigned int vector);
/*
 * May the current guest, in the mode it is in, enter `vector` by INT n: it has a handler of
 * sufficient privilege level.
 */
bool pv_software_interrupt_allowed(unsigned int vector);
/* Enters the handler of the exception that is queued (TBF_EXCEPTION) for v, which is current. */
void pv_deliver_exception(struct vcpu *v, struct cpu_user_regs *regs);
/* The failsafe callback, whose frame shows the selectors in regs->ds to gs. */
void pv_queue_failsafe(void);

/* RFLAGS of a guest made safe: IF set, no I/O privilege, no virtual-8086 mode, no nested task. */
unsigned long pv_sanitise_rflags(unsigned long rflags);

/* --- segments.c: selectors and bases of the current vCPU --- */
void pv_read_selectors(struct cpu_user_regs *regs); /* into regs->ds, es, fs, gs */
/*
 * Live bases. The base of the GS that is not in force is kept in MSR_SHADOW_GS_BASE (so that SWAPGS
 * changes the mode).
 */
unsigned long pv_read_fs_base(void);
unsigned long pv_read_gs_base(void);
unsigned long pv_read_shadow_gs_base(void);
void pv_write_fs_base(unsigned long base);
void pv_write_gs_base(unsigned long base);
void pv_write_shadow_gs_base(unsigned long base);
/* Loads the selector of user mode's GS, as SEGBASE_GS_USER_SEL says; a bad one becomes the null
 * selector. */
void pv_load_user_gs_selector(u16 sel);

/* --- context.c --- */
/* Loads LDTR of this CPU for v, which is current: after ldt_entries changed, too. */
void pv_load_ldt(const struct vcpu *v);
/* d is about to be freed; none of its vCPUs runs. */
void pv_forget_domain(const struct domain *d);

/* --- debug.c --- */
/* Writes a guest's debug register (0 to 7) of v; live if v is current. 0, -EINVAL, -EPERM. */
int pv_set_debugreg(struct vcpu *v, unsigned int reg, unsigned long value);
void pv_load_debugregs(const struct vcpu *v); /* next runs */
void pv_unload_debugregs(const struct vcpu *v);
/* The value of a general #DB's DR6, seen by the current guest. */
void pv_note_dr6(unsigned long dr6);

/* --- vcpu_time.c --- */
/* vcpu_info and the registered copies of time and runstate, after v was made current. */
void pv_publish_to_guest(struct vcpu *v);

#endif
