/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls that set up a PV guest's virtual processor: handlers, stacks, segment bases, debug
 * registers; and IRET.
 */
#include "hv/hypercall.h"

#include <xen/callback.h>
#include <xen/nmi.h>
#include "hv/arch/guest_access.h"
#include "hv/console.h"
#include "hypercall_table.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/pv/entry.h"
#include "x86/pv/guest_words.h"
#include "x86/pv/bounce.h"

#define HYPERCALL_ARGS(a, b)                                                            \
	unsigned long a, unsigned long b, unsigned long unused2, unsigned long unused3, \
		unsigned long unused4, unsigned long unused5

/*
 * traps: an array that ends with an entry of address 0; NULL empties the table. There are 256
 * vectors, so 256 entries at most.
 */
long do_set_trap_table(HYPERCALL_ARGS(traps, unused1))
{
	const struct trap_info __guest *next = (const struct trap_info __guest *)traps;
	struct pv_vcpu *pv = pv_of(current);

	if (!next) {
		memset(pv->traps, 0, sizeof(pv->traps));
		return 0;
	}
	for (unsigned int i = 0; i <= ARRAY_SIZE(pv->traps); i++, next++) {
		struct trap_info ti;

		if (copy_from_guest(&ti, next, sizeof(ti)))
			return -EFAULT;
		if (!ti.address)
			return 0;
		if (!is_canonical(ti.address))
			return -EINVAL;
		pv->traps[ti.vector] = ti;
	}
	return -EINVAL;
}

/* ss is not used: the kernel's stack segment is flat. */
long do_stack_switch(HYPERCALL_ARGS(ss, sp))
{
	struct pv_vcpu *pv = pv_of(current);

	if (!is_canonical(sp))
		return -EINVAL;
	pv->kernel_ss = (ss & 0xffff) | 3;
	pv->kernel_sp = sp;
	return 0;
}

/*
 * Changes CR0.TS itself. The guest's FPU state is always loaded; TS only serves the guest's own
 * lazy switching.
 */
long do_fpu_taskswitch(HYPERCALL_ARGS(set, unused1))
{
	current->arch->stts = set != 0;
	if (set)
		write_cr0(read_cr0() | X86_CR0_TS);
	else
		__asm__ __volatile__("clts");
	return 0;
}

long do_set_debugreg(HYPERCALL_ARGS(reg, value))
{
	return reg > 7 ? -EINVAL : pv_set_debugreg(current, (unsigned int)reg, value);
}

long do_get_debugreg(HYPERCALL_ARGS(reg, unused1))
{
	const unsigned long *dr = current->arch->debugreg;

	if (reg > 7)
		return -EINVAL;
	return (long)dr[reg == 4 || reg == 5 ? reg + 2 : reg];
}

long do_set_segment_base(HYPERCALL_ARGS(which, base))
{
	if (which == SEGBASE_GS_USER_SEL) {
		pv_load_user_gs_selector((u16)base);
		return 0;
	}
	if (!is_canonical(base))
		return -EINVAL;
	switch (which) {
	case SEGBASE_FS:
		pv_write_fs_base(base);
		return 0;
	case SEGBASE_GS_USER:
		pv_write_shadow_gs_base(base);
		return 0;
	case SEGBASE_GS_KERNEL:
		pv_write_gs_base(base);
		return 0;
	default:
		return -EINVAL;
	}
}

/*
 * The assists that we support; those for 32-bit guests have no meaning here. PAE_EXTENDED_CR3 and
 * WRITABLE_PAGETABLES are always in effect.
 */
#define VM_ASSISTS                                                                  \
	(BIT(VMASST_TYPE_writable_pagetables) | BIT(VMASST_TYPE_pae_extended_cr3) | \
	 BIT(VMASST_TYPE_runstate_update_flag))

long do_vm_assist(HYPERCALL_ARGS(cmd, type))
{
	struct domain *d = current->domain;

	if (type >= 32 || !(VM_ASSISTS & BIT(type)))
		return -EINVAL;
	switch (cmd) {
	case VMASST_CMD_enable:
		bit_set_atomic(&d->vm_assist, (unsigned int)type);
		return 0;
	case VMASST_CMD_disable:
		bit_clear_atomic(&d->vm_assist, (unsigned int)type);
		return 0;
	default:
		return -EINVAL;
	}
}

/* --- callback_op --- */

static int callback_set(struct pv_vcpu *pv, unsigned int type, unsigned long address,
			bool mask_events)
{
	switch (type) {
	case CALLBACKTYPE_event:
		pv->event_callback_eip = address;
		return 0;
	case CALLBACKTYPE_failsafe:
		pv->failsafe_callback_eip = address;
		pv->failsafe_disables_events = mask_events;
		return 0;
	case CALLBACKTYPE_syscall:
		pv->syscall_callback_eip = address;
		pv->syscall_disables_events = mask_events;
		return 0;
	case CALLBACKTYPE_syscall32:
		pv->syscall32_callback_eip = address;
		pv->syscall32_disables_events = mask_events;
		return 0;
	case CALLBACKTYPE_sysenter:
	case CALLBACKTYPE_sysenter_deprecated:
		pv->sysenter_callback_eip = address;
		pv->sysenter_disables_events = mask_events;
		return 0;
	case CALLBACKTYPE_nmi:
		pv->nmi_callback_eip = address;
		return 0;
	default:
		return -ENOSYS;
	}
}

static long callback_register(void *arg)
{
	const struct callback_register *cb = arg;

	if (!is_canonical(cb->address))
		return -EINVAL;
	return callback_set(pv_of(current), cb->type, cb->address,
			    cb->flags & CALLBACKF_mask_events);
}

/* No guest can run without these callbacks, so they can be replaced but not removed. */
static long callback_unregister(void *arg)
{
	const struct callback_unregister *cb = arg;

	switch (cb->type) {
	case CALLBACKTYPE_event:
	case CALLBACKTYPE_failsafe:
	case CALLBACKTYPE_syscall:
		return -EINVAL;
	default:
		return callback_set(pv_of(current), cb->type, 0, false);
	}
}

static const struct subop callback_ops[] = {
	[CALLBACKOP_register] = { callback_register, sizeof(struct callback_register), CALL_ANY,
				  0 },
	[CALLBACKOP_unregister] = { callback_unregister, sizeof(struct callback_unregister),
				    CALL_ANY, 0 },
};

long do_callback_op(HYPERCALL_ARGS(cmd, arg))
{
	return subop_dispatch(callback_ops, ARRAY_SIZE(callback_ops), (unsigned int)cmd,
			      (void __guest *)arg);
}

/*
 * The three callbacks at once, for kernels older than callback_op (xen/arch-x86/xen-x86_64.h).
 * syscall 0: none.
 */
long do_set_callbacks(unsigned long event, unsigned long failsafe, unsigned long syscall,
		      unsigned long unused3, unsigned long unused4, unsigned long unused5)
{
	struct pv_vcpu *pv = pv_of(current);

	if (!is_canonical(event) || !is_canonical(failsafe) || !is_canonical(syscall))
		return -EINVAL;
	(void)callback_set(pv, CALLBACKTYPE_event, event, false);
	(void)callback_set(pv, CALLBACKTYPE_failsafe, failsafe, false);
	(void)callback_set(pv, CALLBACKTYPE_syscall, syscall, false);
	return 0;
}

/* --- nmi_op: for Domain-0's first vCPU, which gets the hardware's NMIs --- */

static long nmi_register(void *arg)
{
	const struct xennmi_callback *cb = arg;
	struct vcpu *v = current;

	if (!v->domain->is_privileged || v->id != 0 || !is_canonical(cb->handler_address))
		return -EINVAL;
	pv_of(v)->nmi_callback_eip = cb->handler_address;
	return 0;
}

static long nmi_unregister(void *arg)
{
	pv_of(current)->nmi_callback_eip = 0;
	return 0;
}

static const struct subop nmi_ops[] = {
	[XENNMI_register_callback] = { nmi_register, sizeof(struct xennmi_callback), CALL_ANY, 0 },
	[XENNMI_unregister_callback] = { nmi_unregister, 0, CALL_ANY, 0 },
};

long do_nmi_op(HYPERCALL_ARGS(cmd, arg))
{
	return subop_dispatch(nmi_ops, ARRAY_SIZE(nmi_ops), (unsigned int)cmd, (void __guest *)arg);
}

/* --- IRET --- */

/*
 * The frame is struct iret_context at the guest's RSP (xen/arch-x86/xen-x86_64.h). Returns to user
 * mode if the frame's CS has RPL 3, else to the kernel. Bad selectors or a bad RIP fault when the
 * processor loads them.
 */
__flatten void pv_iret(struct cpu_user_regs *regs)
{
	struct vcpu *v = current;
	struct iret_context ctx;

	if (unlikely(!guest_range_ok((const void __guest *)regs->rsp, sizeof(ctx)) ||
		     guest_get_iret_context(&ctx, regs->rsp))) {
		domain_crash(v->domain, "vCPU %u: cannot read its IRET frame at %#lx", v->id,
			     regs->rsp);
		return;
	}
	if ((ctx.cs & 3) == 3) {
		if (unlikely(!pv_of(v)->guest_table_user)) {
			domain_crash(v->domain,
				     "vCPU %u: IRET to user mode without page tables for it",
				     v->id);
			return;
		}
		pv_toggle_mode(v);
	}
	regs->rip = ctx.rip;
	regs->rsp = ctx.rsp;
	regs->rflags = pv_sanitise_rflags(ctx.rflags);
	if (ctx.flags & VGCF_in_syscall) {
		regs->cs = FLAT_USER_CS;
		regs->ss = FLAT_USER_SS;
	} else {
		regs->cs = (u16)(ctx.cs | 3);
		regs->ss = (u16)(ctx.ss | 3);
		regs->rcx = ctx.rcx;
		regs->r11 = ctx.r11;
		regs->entry_vector = ENTRY_IRET;
	}
	WRITE_ONCE(v->vcpu_info->evtchn_upcall_mask, !(ctx.rflags & X86_EFLAGS_IF));
	pv_of(v)->nmi_masked = false;
	regs->rax = ctx.rax;
}
