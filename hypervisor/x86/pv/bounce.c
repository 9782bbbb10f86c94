/* SPDX-License-Identifier: MIT */
/*
 * Delivers traps and events to the guest. An exception is queued in v->arch->pv.bounce. On the way
 * out pv_exit_work builds a frame on the guest kernel's stack and points the registers at the
 * handler. The frame, from RSP on, is:
 *
 *	all:      RCX, R11, [error code], RIP, CS | event mask << 32, RFLAGS, RSP, SS
 *	failsafe: RCX, R11, DS, ES, FS, GS, RIP, CS | event mask << 32, RFLAGS, RSP, SS
 *
 * RFLAGS.IF in the frame is the inverse of the event mask. CS has RPL 0 if the guest's kernel was
 * interrupted, although both modes really run in ring 3. RCX and R11 are saved so that SYSRET can
 * enter the handler.
 */
#include "x86/pv/bounce.h"

#include "hv/arch/cpu.h"
#include "hv/arch/guest.h"
#include "hv/arch/guest_access.h"
#include "hv/console.h"
#include "hv/evtchn.h"
#include "hv/softirq.h"
#include "x86/pv/entry.h"
#include "x86/pv/guest_words.h"

#define BOUNCE_HEAD_WORDS 2 /* RCX and R11 */
#define BOUNCE_TAIL_WORDS 5 /* RIP to SS */

unsigned long pv_sanitise_rflags(unsigned long rflags)
{
	rflags &= X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | X86_EFLAGS_SF |
		  X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_OF | X86_EFLAGS_RF | X86_EFLAGS_AC |
		  X86_EFLAGS_ID;
	return rflags | X86_EFLAGS_IF | X86_EFLAGS_MBS;
}

/* --- queueing --- */

static void queue_trap(unsigned int vector, u32 error_code, u8 flags)
{
	struct vcpu *v = current;
	const struct trap_info *ti = &pv_of(v)->traps[vector & 0xff];
	struct trap_bounce *b = &pv_of(v)->bounce;
	const struct cpu_user_regs *regs = guest_cpu_user_regs();

	if (!ti->address) {
		domain_crash(v->domain,
			     "vCPU %u has no handler for %s (%u), error %#x, at %04x:%#lx in %s "
			     "mode, CR2 %#lx",
			     v->id, trap_name(vector), vector, error_code, regs->cs, regs->rip,
			     pv_of(v)->in_kernel ? "kernel" : "user", pv_of(v)->ctrlreg[2]);
		return;
	}
	b->eip = ti->address;
	b->error_code = error_code;
	b->flags = (u8)((b->flags & TBF_FAILSAFE) | TBF_EXCEPTION | flags |
			(TI_GET_IF(ti) ? TBF_INTERRUPT : 0));
}

__flatten void pv_inject_trap(unsigned int vector, u32 error_code)
{
	queue_trap(vector, error_code, trap_has_error_code(vector) ? TBF_EXCEPTION_ERRCODE : 0);
}

/*
 * Guest kernel and user mode both run in ring 3, so the processor reports every fault as a user's.
 * The error code for the guest names the guest's own mode.
 */
__flatten void pv_inject_page_fault(unsigned long addr, u32 error_code)
{
	struct vcpu *v = current;

	pv_of(v)->ctrlreg[2] = addr;
	v->vcpu_info->arch.cr2 = addr;
	error_code &= ~(u32)PFEC_USER;
	if (!pv_of(v)->in_kernel)
		error_code |= PFEC_USER;
	pv_inject_trap(X86_TRAP_PF, error_code);
}

/* DPL 1 and 2 admit the kernel, DPL 3 user mode too (xen/arch-x86/xen.h, struct trap_info). */
bool pv_software_interrupt_allowed(unsigned int vector)
{
	const struct trap_info *ti = &pv_of(current)->traps[vector & 0xff];

	return ti->address && TI_GET_DPL(ti) >= (pv_of(current)->in_kernel ? 1 : 3);
}

void pv_inject_software_interrupt(unsigned int vector)
{
	queue_trap(vector, 0, 0);
}

void pv_queue_failsafe(void)
{
	struct vcpu *v = current;

	if (!pv_of(v)->failsafe_callback_eip) {
		domain_crash(v->domain,
			     "vCPU %u: bad segment or return address at %04x:%#lx, and no failsafe "
			     "callback",
			     v->id, guest_cpu_user_regs()->cs, guest_cpu_user_regs()->rip);
		return;
	}
	pv_of(v)->bounce.flags |= TBF_FAILSAFE;
}

/* --- frames --- */

/*
 * Builds a frame with the `extra` words between R11 and RIP, and enters `eip` in kernel mode, with
 * events masked if `mask_events`. Crashes the domain if its stack cannot be written.
 */
static void enter_guest_handler(struct vcpu *v, struct cpu_user_regs *regs, unsigned long eip,
				const u64 *extra, unsigned int nr_extra, bool mask_events)
{
	vcpu_info_t *vi = v->vcpu_info;
	u8 mask = READ_ONCE(vi->evtchn_upcall_mask) ? 1 : 0;
	unsigned int n = BOUNCE_HEAD_WORDS + nr_extra + BOUNCE_TAIL_WORDS;
	unsigned long sp, tail, cs = regs->cs;

	if (pv_of(v)->in_kernel) {
		sp = regs->rsp;
		cs &= ~3UL;
	} else {
		pv_toggle_mode(v);
		sp = pv_of(v)->kernel_sp;
	}
	/* The processor aligns the stack in 64-bit mode, too (SDM 3A 6.14.2). */
	sp = (sp & ~15UL) - n * sizeof(u64);
	tail = sp + (BOUNCE_HEAD_WORDS + nr_extra) * sizeof(u64);
	if (unlikely(!guest_range_ok((void __guest *)sp, n * sizeof(u64))))
		goto bad_stack;
	stac();
	guest_put_word(sp, 0, regs->rcx, fault);
	guest_put_word(sp, 1, regs->r11, fault);
	for (unsigned int i = 0; i < nr_extra; i++)
		guest_put_word(sp + i * sizeof(u64), BOUNCE_HEAD_WORDS, extra[i], fault);
	guest_put_word(tail, 0, regs->rip, fault);
	guest_put_word(tail, 1, cs | (u64)mask << 32, fault);
	guest_put_word(tail, 2, (regs->rflags & ~(u64)X86_EFLAGS_IF) | (mask ? 0 : X86_EFLAGS_IF),
		       fault);
	guest_put_word(tail, 3, regs->rsp, fault);
	guest_put_word(tail, 4, regs->ss, fault);
	clac();
	if (mask_events)
		WRITE_ONCE(vi->evtchn_upcall_mask, 1);
	regs->rsp = sp;
	regs->rip = eip;
	regs->cs = FLAT_KERNEL_CS;
	regs->ss = FLAT_KERNEL_SS;
	regs->rflags &= ~(u64)(X86_EFLAGS_TF | X86_EFLAGS_NT | X86_EFLAGS_RF | X86_EFLAGS_VM |
			       X86_EFLAGS_AC);
	regs->entry_vector = ENTRY_SYSCALL;
	return;

fault:
	clac();
bad_stack:
	domain_crash(v->domain,
		     "vCPU %u: cannot write to its kernel stack at %#lx to enter %#lx from %#lx",
		     v->id, sp, eip, regs->rip);
}

void pv_deliver_exception(struct vcpu *v, struct cpu_user_regs *regs)
{
	struct trap_bounce *b = &pv_of(v)->bounce;
	const u64 error_code = b->error_code;
	u8 flags = b->flags;

	b->flags &= TBF_FAILSAFE;
	if (flags & TBF_EXCEPTION_ERRCODE)
		enter_guest_handler(v, regs, b->eip, &error_code, 1, flags & TBF_INTERRUPT);
	else
		enter_guest_handler(v, regs, b->eip, NULL, 0, flags & TBF_INTERRUPT);
}

static void deliver_failsafe(struct vcpu *v, struct cpu_user_regs *regs)
{
	const u64 selectors[4] = { regs->ds, regs->es, regs->fs, regs->gs };

	pv_of(v)->bounce.flags &= (u8)~TBF_FAILSAFE;
	enter_guest_handler(v, regs, pv_of(v)->failsafe_callback_eip, selectors, 4,
			    pv_of(v)->failsafe_disables_events);
}

/* --- on the way out --- */

bool pv_nmi_deliverable(const struct vcpu *v)
{
	const struct pv_vcpu *pv = &v->arch->pv;

	return pv->bounce.nmi_pending && !pv->nmi_masked && pv->nmi_callback_eip;
}

/*
 * Delivers one exception, failsafe callback, NMI or event; false: there is none (left). The handler
 * of a later delivery runs first, on top of the earlier ones.
 */
static bool deliver_one(struct vcpu *v, struct cpu_user_regs *regs)
{
	struct pv_vcpu *pv = pv_of(v);

	if (pv->bounce.flags & TBF_EXCEPTION) {
		pv_deliver_exception(v, regs);
	} else if (pv->bounce.flags & TBF_FAILSAFE) {
		deliver_failsafe(v, regs);
	} else if (pv_nmi_deliverable(v)) {
		pv->bounce.nmi_pending = false;
		pv->nmi_masked = true;
		enter_guest_handler(v, regs, pv->nmi_callback_eip, NULL, 0, true);
	} else if (vcpu_event_deliverable(v) && pv->event_callback_eip) {
		enter_guest_handler(v, regs, pv->event_callback_eip, NULL, 0, true);
	} else {
		return false;
	}
	return true;
}

/*
 * The scheduler's softirq may switch to another vCPU and not return here; this vCPU then starts the
 * exit path anew when it runs next. A domain crashed by deliver_one raises that softirq, so the
 * loop ends.
 */
__flatten void pv_exit_work(struct cpu_user_regs *regs)
{
	do {
		while (softirq_is_pending()) {
			arch_irq_enable();
			softirq_run();
			arch_irq_disable();
		}
	} while (deliver_one(current, regs));
}

/*
 * IRETQ to the guest faulted. The guest's kernel set a bad CS, SS or RIP, or let its user do so.
 * The guest gets the exception as if its own IRET had reached the bad address. A page fault means
 * that the selector's descriptor is beyond the end of the guest's table: the guest gets #GP.
 */
void pv_exit_iret_failed(struct cpu_user_regs *regs)
{
	unsigned int vector = (unsigned int)cpu_info()->scratch[ENTRY_FAULT_VECTOR];
	u32 error_code = (u32)cpu_info()->scratch[ENTRY_FAULT_ERROR];

	if (vector == X86_TRAP_PF)
		pv_inject_trap(X86_TRAP_GP, regs->cs & ~3U);
	else
		pv_inject_trap(vector, error_code);
}

/* --- system calls --- */

__flatten void pv_entry_syscall(struct cpu_user_regs *regs)
{
	struct vcpu *v = current;
	struct pv_vcpu *pv = pv_of(v);

	if (unlikely(!pv->syscall_callback_eip)) {
		domain_crash(v->domain,
			     "vCPU %u: SYSCALL in user mode at %#lx, and no syscall callback",
			     v->id, regs->rip);
		return;
	}
	enter_guest_handler(v, regs, pv->syscall_callback_eip, NULL, 0,
			    pv->syscall_disables_events);
}

void pv_entry_syscall32(struct cpu_user_regs *regs)
{
	struct vcpu *v = current;
	struct pv_vcpu *pv = pv_of(v);

	if (pv->syscall32_callback_eip)
		enter_guest_handler(v, regs, pv->syscall32_callback_eip, NULL, 0,
				    pv->syscall32_disables_events);
	else
		pv_inject_trap(X86_TRAP_UD, 0);
}

void pv_entry_sysenter(struct cpu_user_regs *regs)
{
	struct vcpu *v = current;
	struct pv_vcpu *pv = pv_of(v);

	if (pv->sysenter_callback_eip)
		enter_guest_handler(v, regs, pv->sysenter_callback_eip, NULL, 0,
				    pv->sysenter_disables_events);
	else
		pv_inject_trap(X86_TRAP_GP, 0);
}
