/* SPDX-License-Identifier: MIT */
/*
 * The complete registers of a PV vCPU: struct vcpu_guest_context in and out (xen/arch-x86/xen.h),
 * and what vcpu_guest_context lacks (ext_vcpucontext, xen/domctl.h).
 */
#include "hv/arch/guest.h"

#include "hv/arch/map.h"
#include "hv/console.h"
#include "hv/hv_heap.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/cpu/entry.h"
#include "x86/cpu/feature.h"
#include "x86/pv/bounce.h"
#include "x86/pv/pv_mmu.h"

#define MAX_GDT_ENTRIES FIRST_RESERVED_GDT_ENTRY
#define MAX_LDT_ENTRIES 8192

/*
 * The FXSAVE part of an XSAVE image (SDM 1 10.5.1): MXCSR at 24, its mask at 28. The XSAVE header
 * follows at 512, with XSTATE_BV first.
 */
#define FXSAVE_BYTES	  512
#define FXSAVE_MXCSR	  24
#define FXSAVE_MXCSR_MASK 28

/* Set for every guest: 64-bit mode with paging. */
#define CR0_FIXED                                                                      \
	(X86_CR0_PE | X86_CR0_MP | X86_CR0_ET | X86_CR0_NE | X86_CR0_WP | X86_CR0_AM | \
	 (unsigned long)X86_CR0_PG)
#define CR4_FIXED (X86_CR4_PAE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT)
/* Linux uses XSAVE only if CPUID reports OSXSAVE, which mirrors this bit, from the start. */
#define CR4_INITIAL (CR4_FIXED | (hv_cr4 & X86_CR4_OSXSAVE))

/*
 * Kernel and user mode run in ring 3. A kernel that names a selector of a more privileged ring gets
 * its flat segment.
 */
static u16 ring3_selector(u16 sel, u16 flat)
{
	return (sel & 3) == 3 ? sel : flat;
}

/* --- in --- */

static int check_addresses(const vcpu_guest_context_t *c)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(c->trap_ctxt); i++)
		if (!is_canonical(c->trap_ctxt[i].address))
			return -EINVAL;
	if (!is_canonical(c->user_regs.rip) || !is_canonical(c->event_callback_eip) ||
	    !is_canonical(c->failsafe_callback_eip) || !is_canonical(c->syscall_callback_eip) ||
	    !is_canonical(c->kernel_sp) || !is_canonical(c->fs_base) ||
	    !is_canonical(c->gs_base_kernel) || !is_canonical(c->gs_base_user))
		return -EINVAL;
	return 0;
}

static int check_context(const vcpu_guest_context_t *c)
{
	int err = check_addresses(c);

	if (err)
		return err;
	if (c->gdt_ents > MAX_GDT_ENTRIES || c->ldt_ents > MAX_LDT_ENTRIES)
		return -EINVAL;
	if (c->ldt_ents && ((c->ldt_base & ~PAGE_MASK) || !is_canonical(c->ldt_base) ||
			    is_hypervisor_address(c->ldt_base) ||
			    is_hypervisor_address(c->ldt_base + c->ldt_ents * 8 - 1)))
		return -EINVAL;
	/* User mode cannot run without page tables of its own. */
	if (!(c->flags & VGCF_in_kernel) && !xen_cr3_to_pfn(c->ctrlreg[1]))
		return -EINVAL;
	return 0;
}

static void set_registers(struct vcpu *v, const vcpu_guest_context_t *c)
{
	struct cpu_user_regs *regs = &v->arch->user_regs;

	*regs = c->user_regs;
	regs->cs = ring3_selector(regs->cs, FLAT_KERNEL_CS);
	regs->ss = ring3_selector(regs->ss, FLAT_KERNEL_SS);
	regs->rflags = pv_sanitise_rflags(regs->rflags);
	regs->saved_upcall_mask = 0;
	regs->error_code = 0;
	regs->entry_vector = ENTRY_IRET;
}

/* Corrects the image, since FXRSTOR faults on reserved bits of MXCSR. */
static void set_fpu(struct vcpu *v, const vcpu_guest_context_t *c)
{
	u8 *image = v->arch->xstate;
	u32 mxcsr, mxcsr_mask = xstate_mxcsr_mask();
	u64 components;

	xstate_init_image(image);
	v->arch->dirty_cpu = ~0U;
	if (!(c->flags & VGCF_i387_valid))
		return;
	memcpy(image, &c->fpu_ctxt, FXSAVE_BYTES);
	memcpy(&mxcsr, image + FXSAVE_MXCSR, sizeof(mxcsr));
	mxcsr &= mxcsr_mask;
	memcpy(image + FXSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
	memcpy(image + FXSAVE_MXCSR_MASK, &mxcsr_mask, sizeof(mxcsr_mask));
	if (!cpu_features.xsave)
		return;
	components = XCR0_X87 | XCR0_SSE;
	memcpy(image + FXSAVE_BYTES, &components, sizeof(components));
}

/* A value that pv_set_debugreg refuses leaves the register at its reset value. */
static void set_debug_registers(struct vcpu *v, const vcpu_guest_context_t *c)
{
	static const unsigned int order[] = { 0, 1, 2, 3, 6, 7 };

	memset(v->arch->debugreg, 0, sizeof(v->arch->debugreg));
	for (unsigned int i = 0; i < ARRAY_SIZE(order); i++)
		(void)pv_set_debugreg(v, order[i], c->debugreg[order[i]]);
}

static void set_control(struct vcpu *v, const vcpu_guest_context_t *c)
{
	struct pv_vcpu *pv = pv_of(v);

	pv->in_kernel = c->flags & VGCF_in_kernel;
	/* Linux sets a secondary vCPU's IOPL here instead of by physdev_op. */
	pv->iopl = (unsigned int)(c->user_regs.rflags & X86_EFLAGS_IOPL) >> 12;
	pv->failsafe_disables_events = c->flags & VGCF_failsafe_disables_events;
	pv->syscall_disables_events = c->flags & VGCF_syscall_disables_events;
	pv->event_callback_eip = c->event_callback_eip;
	pv->failsafe_callback_eip = c->failsafe_callback_eip;
	pv->syscall_callback_eip = c->syscall_callback_eip;
	memcpy(pv->traps, c->trap_ctxt, sizeof(pv->traps));
	memset(&pv->bounce, 0, sizeof(pv->bounce));
	pv->kernel_ss = ring3_selector((u16)c->kernel_ss, FLAT_KERNEL_SS);
	pv->kernel_sp = c->kernel_sp;
	pv->ldt_base = c->ldt_base;
	pv->ldt_entries = (unsigned int)c->ldt_ents;
	pv->fs_base = c->fs_base;
	pv->gs_base_kernel = c->gs_base_kernel;
	pv->gs_base_user = c->gs_base_user;
	/* A kernel need not set the fixed bits. TS is kept in stts. */
	pv->ctrlreg[0] = ((c->ctrlreg[0] & 0xffffffff) | CR0_FIXED) & ~(unsigned long)X86_CR0_TS;
	pv->ctrlreg[2] = c->ctrlreg[2];
	pv->ctrlreg[4] = (c->ctrlreg[4] & hv_cr4) | CR4_INITIAL;
	v->arch->stts = c->ctrlreg[0] & X86_CR0_TS;
}

/*
 * Sets v's complete context. Everything is checked before anything changes, except for the
 * references on tables and descriptor pages: taking them is the only check, and an error there
 * leaves the vCPU without context. -ERESTART: call again with the same context. Other errors:
 * -EINVAL, -EBUSY.
 */
int pv_vcpu_set_context(struct vcpu *v, const vcpu_guest_context_t *c)
{
	unsigned long frames[14];
	int err = check_context(c);

	if (err)
		return err;
	arch_vcpu_sync_state(v);
	pv_destroy_ldt(v);
	memcpy(frames, c->gdt_frames, sizeof(frames));
	err = pv_set_gdt(v, frames, (unsigned int)c->gdt_ents);
	if (err)
		return err;
	err = pv_new_guest_l4(v, MFN(xen_cr3_to_pfn(c->ctrlreg[3])));
	if (!err)
		err = pv_new_user_l4(v, MFN(xen_cr3_to_pfn(c->ctrlreg[1])));
	if (err)
		return err;
	set_registers(v, c);
	set_control(v, c);
	set_fpu(v, c);
	set_debug_registers(v, c);
	v->domain->vm_assist |= (u32)c->vm_assist & (BIT(VMASST_TYPE_writable_pagetables) |
						     BIT(VMASST_TYPE_pae_extended_cr3) |
						     BIT(VMASST_TYPE_runstate_update_flag));
	pv_mmu_lock(v->domain);
	pv_update_cr3(v);
	pv_mmu_unlock(v->domain);
	return 0;
}

/* --- out --- */

static void get_control(const struct vcpu *v, vcpu_guest_context_t *c)
{
	const struct pv_vcpu *pv = &v->arch->pv;

	c->flags = VGCF_i387_valid | (pv->in_kernel ? VGCF_in_kernel : 0) |
		   (pv->failsafe_disables_events ? VGCF_failsafe_disables_events : 0) |
		   (pv->syscall_disables_events ? VGCF_syscall_disables_events : 0) |
		   (READ_ONCE(v->pause_flags) & VPF_DOWN ? 0 : VGCF_online);
	memcpy(c->trap_ctxt, pv->traps, sizeof(c->trap_ctxt));
	c->ldt_base = pv->ldt_base;
	c->ldt_ents = pv->ldt_entries;
	c->gdt_ents = pv->gdt_entries;
	for (unsigned int i = 0; i < DIV_ROUND_UP(pv->gdt_entries, 512U); i++)
		c->gdt_frames[i] = mfn_x(pv->gdt_frames[i]);
	c->kernel_ss = pv->kernel_ss;
	c->kernel_sp = pv->kernel_sp;
	c->event_callback_eip = pv->event_callback_eip;
	c->failsafe_callback_eip = pv->failsafe_callback_eip;
	c->syscall_callback_eip = pv->syscall_callback_eip;
	c->vm_assist = v->domain->vm_assist;
	c->fs_base = pv->fs_base;
	c->gs_base_kernel = pv->gs_base_kernel;
	c->gs_base_user = pv->gs_base_user;
}

void pv_vcpu_get_context(struct vcpu *v, vcpu_guest_context_t *c)
{
	const struct pv_vcpu *pv = pv_of(v);

	memset(c, 0, sizeof(*c));
	memcpy(&c->fpu_ctxt, v->arch->xstate, FXSAVE_BYTES);
	c->user_regs = v->arch->user_regs;
	c->user_regs.error_code = c->user_regs.entry_vector = 0;
	c->user_regs.rflags |= (u64)pv->iopl << 12;
	memset(c->user_regs._pad1, 0, sizeof(c->user_regs._pad1));
	get_control(v, c);
	memcpy(c->ctrlreg, pv->ctrlreg, sizeof(c->ctrlreg));
	c->ctrlreg[0] =
		(c->ctrlreg[0] & ~(unsigned long)X86_CR0_TS) | (v->arch->stts ? X86_CR0_TS : 0);
	c->ctrlreg[1] =
		pv->guest_table_user ? xen_pfn_to_cr3(mfn_x(page_to_mfn(pv->guest_table_user))) : 0;
	c->ctrlreg[3] = pv->guest_table ? xen_pfn_to_cr3(mfn_x(page_to_mfn(pv->guest_table))) : 0;
	memcpy(c->debugreg, v->arch->debugreg, sizeof(c->debugreg));
}

/* --- the callbacks of 32-bit system calls --- */

void pv_vcpu_get_ext_context(const struct vcpu *v, struct xen_domctl_ext_vcpucontext *e)
{
	const struct pv_vcpu *pv = &v->arch->pv;

	e->syscall32_callback_eip = pv->syscall32_callback_eip;
	e->syscall32_callback_cs = pv->syscall32_callback_cs;
	e->syscall32_disables_events = pv->syscall32_disables_events;
	e->sysenter_callback_eip = pv->sysenter_callback_eip;
	e->sysenter_callback_cs = pv->sysenter_callback_cs;
	e->sysenter_disables_events = pv->sysenter_disables_events;
}

int pv_vcpu_set_ext_context(struct vcpu *v, const struct xen_domctl_ext_vcpucontext *e)
{
	struct pv_vcpu *pv = pv_of(v);

	if (!is_canonical(e->syscall32_callback_eip) || !is_canonical(e->sysenter_callback_eip))
		return -EINVAL;
	pv->syscall32_callback_eip = e->syscall32_callback_eip;
	pv->syscall32_callback_cs = e->syscall32_callback_cs | 3;
	pv->syscall32_disables_events = e->syscall32_disables_events;
	pv->sysenter_callback_eip = e->sysenter_callback_eip;
	pv->sysenter_callback_cs = e->sysenter_callback_cs | 3;
	pv->sysenter_disables_events = e->sysenter_disables_events;
	return 0;
}

/* --- before the first context --- */

void pv_vcpu_init(struct vcpu *v)
{
	struct pv_vcpu *pv = pv_of(v);

	memset(pv->traps, 0, sizeof(pv->traps));
	memset(&pv->bounce, 0, sizeof(pv->bounce));
	pv->event_callback_eip = pv->failsafe_callback_eip = pv->syscall_callback_eip = 0;
	pv->syscall32_callback_eip = pv->sysenter_callback_eip = pv->nmi_callback_eip = 0;
	pv->bounce.nmi_pending = pv->nmi_masked = false;
	pv->iopl = 0;
	pv->iobmp = NULL;
	pv->iobmp_limit = 0;
	pv->ctrlreg[0] = CR0_FIXED;
	pv->ctrlreg[4] = CR4_INITIAL;
}
