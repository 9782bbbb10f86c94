/* SPDX-License-Identifier: MIT */
/* A vCPU's VMCB: what makes the guest exit, and its registers in and out. */
#include "x86/hvm/svm/svm.h"

#include "hv/arch/map.h"
#include "hv/hv_heap.h"
#include "lib/errno.h"
#include "x86/cpu/entry.h"
#include "x86/cpu/regs.h"
#include "x86/hvm/p2m.h"
#include "x86/hvm/p2m_format.h"
#include "x86/mm/paging.h"

/*
 * #DB and #AC exit although they only go on to the guest: a guest whose handlers raise them again
 * would keep the processor in its microcode, where no interrupt reaches it. #UD: VMCALL, which this
 * processor does not have. #MC is the host's.
 */
#define EXCEPTIONS (BIT(X86_TRAP_DB) | BIT(X86_TRAP_UD) | BIT(X86_TRAP_AC) | BIT(X86_TRAP_MC))
#define INTERCEPTS1                                                                            \
	(INTERCEPT_INTR | INTERCEPT_NMI | INTERCEPT_INIT | INTERCEPT_RDPMC | INTERCEPT_CPUID | \
	 INTERCEPT_INVD | INTERCEPT_HLT | INTERCEPT_INVLPGA | INTERCEPT_IOIO | INTERCEPT_MSR | \
	 INTERCEPT_FERR | INTERCEPT_SHUTDOWN)
#define INTERCEPTS2                                                               \
	(INTERCEPT_SVM | INTERCEPT_WBINVD | INTERCEPT_MONITOR | INTERCEPT_MWAIT | \
	 INTERCEPT_XSETBV | INTERCEPT_RDPRU)

int svm_vcpu_create(struct vcpu *v)
{
	struct svm_vcpu *s = hv_alloc(sizeof(*s));
	struct vmcb *b;

	if (!s)
		return -ENOMEM;
	hvm_of(v)->svm = s;
	b = s->vmcb = hv_alloc_pages(0);
	if (!b)
		return -ENOMEM;
	s->vmcb_maddr = virt_to_maddr(b);
	s->asid_cpu = ~0U;
	b->exceptions = EXCEPTIONS;
	b->intercepts1 = (u32)INTERCEPTS1;
	b->intercepts2 = (u32)INTERCEPTS2;
	b->msrpm = svm_msrpm();
	b->iopm = svm_iopm();
	b->v_intr = (u32)V_INTR_MASKING;
	b->nested = NESTED_PAGING;
	b->nested_cr3 = virt_to_maddr(p2m_of(v->domain)->root);
	return 0;
}

void svm_vcpu_free(struct vcpu *v)
{
	struct svm_vcpu *s = hvm_of(v)->svm;

	if (!s)
		return;
	if (s->vmcb)
		hv_free_pages(s->vmcb, 0);
	hv_free(s);
	hvm_of(v)->svm = NULL;
}

/* --- the debug registers that the VMCB has not --- */

static void svm_save(struct vcpu *v)
{
	unsigned long *dr = v->arch->debugreg;

	dr[0] = read_dr0();
	dr[1] = read_dr1();
	dr[2] = read_dr2();
	dr[3] = read_dr3();
}

static void svm_load(struct vcpu *v)
{
	const unsigned long *dr = v->arch->debugreg;

	write_dr0(dr[0]);
	write_dr1(dr[1]);
	write_dr2(dr[2]);
	write_dr3(dr[3]);
}

/* --- registers --- */

static struct hvm_segment *segment_of(const struct vcpu *v, enum hvm_segment_name which)
{
	struct vmcb *b = vmcb_of(v);

	switch (which) {
	case SEG_LDTR:
		return &b->ldtr;
	case SEG_TR:
		return &b->tr;
	case SEG_GDTR:
		return &b->gdtr;
	case SEG_IDTR:
		return &b->idtr;
	default:
		return &b->seg[which];
	}
}

static void get_segment(const struct vcpu *v, enum hvm_segment_name which, struct hvm_segment *out)
{
	*out = *segment_of(v, which);
}

static void set_segment(struct vcpu *v, enum hvm_segment_name which, const struct hvm_segment *in)
{
	*segment_of(v, which) = *in;
	/* The privilege level is SS's, wherever it is said. */
	if (which == SEG_SS)
		vmcb_of(v)->cpl = hvm_of(v)->cpl = (in->attributes >> 5) & 3;
}

static void get_msrs(const struct vcpu *v, struct hvm_msrs *out)
{
	const struct vmcb *b = vmcb_of(v);

	*out = (struct hvm_msrs){
		.star = b->star,
		.lstar = b->lstar,
		.cstar = b->cstar,
		.syscall_mask = b->sfmask,
		.shadow_gs_base = b->kernel_gs_base,
		.sysenter_cs = b->sysenter_cs,
		.sysenter_esp = b->sysenter_esp,
		.sysenter_eip = b->sysenter_eip,
		.pat = b->pat,
	};
}

static void set_msrs(struct vcpu *v, const struct hvm_msrs *in)
{
	struct vmcb *b = vmcb_of(v);

	b->star = in->star;
	b->lstar = in->lstar;
	b->cstar = in->cstar;
	b->sfmask = in->syscall_mask;
	b->kernel_gs_base = in->shadow_gs_base;
	b->sysenter_cs = in->sysenter_cs;
	b->sysenter_esp = in->sysenter_esp;
	b->sysenter_eip = in->sysenter_eip;
	b->pat = in->pat;
}

static void update_cr(struct vcpu *v)
{
	const struct hvm_vcpu *hv = hvm_of(v);
	struct vmcb *b = vmcb_of(v);

	b->cr0 = hv->cr0;
	b->cr2 = hv->cr2;
	b->cr3 = hv->cr3;
	b->cr4 = hv->cr4;
	b->efer = hv->efer | EFER_SVME; /* VMRUN demands it (APM 2 15.5.1) */
	b->tsc_offset = hv->tsc_offset;
}

static u64 get_dr(const struct vcpu *v, unsigned int which)
{
	return which == 7 ? vmcb_of(v)->dr7 : vmcb_of(v)->dr6;
}

static void set_dr(struct vcpu *v, unsigned int which, u64 value)
{
	if (which == 7)
		vmcb_of(v)->dr7 = value;
	else
		vmcb_of(v)->dr6 = value;
}

/* --- when the guest takes interrupts --- */

static bool in_shadow(const struct vcpu *v)
{
	return vmcb_of(v)->interrupt_state & INTERRUPT_SHADOW;
}

static bool can_take_interrupt(const struct vcpu *v)
{
	return (guest_cpu_user_regs()->rflags & X86_EFLAGS_IF) && !in_shadow(v);
}

static void clear_shadow(struct vcpu *v)
{
	vmcb_of(v)->interrupt_state &= ~(u64)INTERRUPT_SHADOW;
}

/* A virtual interrupt of the highest priority, which exits before it is delivered. */
static void want_interrupt_window(struct vcpu *v, bool want)
{
	struct vmcb *b = vmcb_of(v);

	if (want) {
		b->intercepts1 |= (u32)INTERCEPT_VINTR;
		b->v_intr |= (u32)(V_IRQ | V_INTR_PRIO | V_IGN_TPR);
	} else {
		b->intercepts1 &= ~(u32)INTERCEPT_VINTR;
		b->v_intr &= ~(u32)(V_IRQ | V_INTR_PRIO | V_IGN_TPR);
	}
}

static void want_nmi_end(struct vcpu *v, bool want)
{
	if (want)
		vmcb_of(v)->intercepts1 |= (u32)INTERCEPT_IRET;
	else
		vmcb_of(v)->intercepts1 &= ~(u32)INTERCEPT_IRET;
}

const struct hvm_ops svm_ops = {
	.name = "SVM",
	.p2m_format = &p2m_format_npt,
	.hypercall = { 0x0f, 0x01, 0xd9 },
	.unusable = svm_unusable,
	.cpu_prepare = svm_cpu_prepare,
	.cpu_enable = svm_cpu_enable,
	.cpu_disable = svm_cpu_disable,
	.vcpu_create = svm_vcpu_create,
	.vcpu_free = svm_vcpu_free,
	.save = svm_save,
	.load = svm_load,
	.enter = svm_enter,
	.get_segment = get_segment,
	.set_segment = set_segment,
	.get_msrs = get_msrs,
	.set_msrs = set_msrs,
	.update_cr = update_cr,
	.get_dr = get_dr,
	.set_dr = set_dr,
	.can_take_interrupt = can_take_interrupt,
	.in_shadow = in_shadow,
	.clear_shadow = clear_shadow,
	.want_interrupt_window = want_interrupt_window,
	.want_nmi_end = want_nmi_end,
};
