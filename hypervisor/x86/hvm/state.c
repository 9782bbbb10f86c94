/* SPDX-License-Identifier: MIT */
/*
 * A vCPU's registers: as after a reset, and as a record of the public interface (struct hvm_hw_cpu,
 * xen/arch-x86/hvm/save.h) in and out. dev/record_cpu.c checks records.
 */
#include "x86/hvm/apic.h"
#include "x86/hvm/backend.h"
#include "x86/hvm/dev/record.h"
#include "x86/hvm/hvm.h"

#include "hv/arch/guest.h"
#include "hv/arch/time.h"
#include "hv/atomic.h"
#include "hv/domain.h"
#include "hv/sched.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/cpu/entry.h"
#include "x86/cpu/feature.h"
#include "x86/cpu/regs.h"

#define FXSAVE_BYTES	  512
#define FXSAVE_MXCSR	  24
#define FXSAVE_MXCSR_MASK 28
#define PAT_RESET	  0x0007040600070406UL
#define DR6_RESET	  0xffff0ff0UL
#define DR7_RESET	  0x400UL

#define CR4_KNOWN                                                                           \
	(X86_CR4_VME | X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE | X86_CR4_PSE | X86_CR4_PAE | \
	 X86_CR4_MCE | X86_CR4_PGE | X86_CR4_PCE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT |    \
	 X86_CR4_UMIP | X86_CR4_FSGSBASE | X86_CR4_PCIDE | X86_CR4_OSXSAVE | X86_CR4_SMEP | \
	 X86_CR4_SMAP)
#define EFER_KNOWN (EFER_SCE | EFER_LME | EFER_LMA | EFER_NX)

/* --- out --- */

#define GET_SEGMENT(v, out, which, name)                   \
	do {                                               \
		struct hvm_segment s_;                     \
		hvm_backend->get_segment((v), which, &s_); \
		(out)->name##_sel = s_.selector;           \
		(out)->name##_limit = s_.limit;            \
		(out)->name##_base = s_.base;              \
		(out)->name##_arbytes = s_.attributes;     \
	} while (0)

static void get_segments(struct vcpu *v, struct hvm_hw_cpu *c)
{
	struct hvm_segment s;

	GET_SEGMENT(v, c, SEG_CS, cs);
	GET_SEGMENT(v, c, SEG_DS, ds);
	GET_SEGMENT(v, c, SEG_ES, es);
	GET_SEGMENT(v, c, SEG_FS, fs);
	GET_SEGMENT(v, c, SEG_GS, gs);
	GET_SEGMENT(v, c, SEG_SS, ss);
	GET_SEGMENT(v, c, SEG_TR, tr);
	GET_SEGMENT(v, c, SEG_LDTR, ldtr);
	hvm_backend->get_segment(v, SEG_GDTR, &s);
	c->gdtr_base = s.base;
	c->gdtr_limit = s.limit;
	hvm_backend->get_segment(v, SEG_IDTR, &s);
	c->idtr_base = s.base;
	c->idtr_limit = s.limit;
}

static void get_general(const struct cpu_user_regs *r, struct hvm_hw_cpu *c)
{
	c->rax = r->rax;
	c->rbx = r->rbx;
	c->rcx = r->rcx;
	c->rdx = r->rdx;
	c->rbp = r->rbp;
	c->rsi = r->rsi;
	c->rdi = r->rdi;
	c->rsp = r->rsp;
	c->r8 = r->r8;
	c->r9 = r->r9;
	c->r10 = r->r10;
	c->r11 = r->r11;
	c->r12 = r->r12;
	c->r13 = r->r13;
	c->r14 = r->r14;
	c->r15 = r->r15;
	c->rip = r->rip;
	c->rflags = r->rflags;
}

static void get_special(struct vcpu *v, struct hvm_hw_cpu *c)
{
	const struct hvm_vcpu *hv = hvm_of(v);
	const unsigned long *dr = v->arch->debugreg;
	struct hvm_msrs m;

	c->cr0 = hv->cr0;
	c->cr2 = hv->cr2;
	c->cr3 = hv->cr3;
	c->cr4 = hv->cr4;
	c->msr_efer = hv->efer;
	c->dr0 = dr[0];
	c->dr1 = dr[1];
	c->dr2 = dr[2];
	c->dr3 = dr[3];
	c->dr6 = hvm_backend->get_dr(v, 6);
	c->dr7 = hvm_backend->get_dr(v, 7);
	hvm_backend->get_msrs(v, &m);
	c->sysenter_cs = m.sysenter_cs;
	c->sysenter_esp = m.sysenter_esp;
	c->sysenter_eip = m.sysenter_eip;
	c->shadow_gs = m.shadow_gs_base;
	c->msr_lstar = m.lstar;
	c->msr_star = m.star;
	c->msr_cstar = m.cstar;
	c->msr_syscall_mask = m.syscall_mask;
	c->msr_tsc_aux = v->arch->tsc_aux;
	c->tsc = rdtsc() + hv->tsc_offset;
}

void hvm_get_cpu_record(struct vcpu *v, struct hvm_hw_cpu *c)
{
	const struct hvm_event *e = &hvm_of(v)->event;

	memset(c, 0, sizeof(*c));
	memcpy(c->fpu_regs, v->arch->xstate, FXSAVE_BYTES);
	c->flags = XEN_X86_FPU_INITIALISED;
	get_general(&v->arch->user_regs, c);
	get_special(v, c);
	get_segments(v, c);
	if (e->valid) {
		c->pending_vector = e->vector;
		c->pending_type = e->type;
		c->pending_error_valid = e->has_error_code;
		c->pending_valid = 1;
		c->error_code = e->error_code;
	}
}

/* What a record may ask for. */
void hvm_record_limits(const struct vcpu *v, struct hvm_record_limits *may)
{
	*may = (struct hvm_record_limits){
		.cr4 = CR4_KNOWN,
		.efer = EFER_KNOWN,
		.mxcsr = xstate_mxcsr_mask(),
		.phys_bits = hvm_phys_bits(v),
	};
}

/* --- in --- */

#define SET_SEGMENT(v, in, which, name)                                                   \
	hvm_backend->set_segment((v), which,                                              \
				 &(const struct hvm_segment){                             \
					 .selector = (u16)(in)->name##_sel,               \
					 .attributes = (u16)(in)->name##_arbytes & 0xfff, \
					 .limit = (in)->name##_limit,                     \
					 .base = (in)->name##_base,                       \
				 })

static void set_table(struct vcpu *v, enum hvm_segment_name which, u64 base, u32 limit)
{
	hvm_backend->set_segment(v, which,
				 &(const struct hvm_segment){ .limit = limit, .base = base });
}

static void set_segments(struct vcpu *v, const struct hvm_hw_cpu *c)
{
	SET_SEGMENT(v, c, SEG_CS, cs);
	SET_SEGMENT(v, c, SEG_DS, ds);
	SET_SEGMENT(v, c, SEG_ES, es);
	SET_SEGMENT(v, c, SEG_FS, fs);
	SET_SEGMENT(v, c, SEG_GS, gs);
	SET_SEGMENT(v, c, SEG_SS, ss);
	SET_SEGMENT(v, c, SEG_TR, tr);
	SET_SEGMENT(v, c, SEG_LDTR, ldtr);
	set_table(v, SEG_GDTR, c->gdtr_base, c->gdtr_limit);
	set_table(v, SEG_IDTR, c->idtr_base, c->idtr_limit);
}

static void set_general(struct cpu_user_regs *r, const struct hvm_hw_cpu *c)
{
	memset(r, 0, sizeof(*r));
	r->rax = c->rax;
	r->rbx = c->rbx;
	r->rcx = c->rcx;
	r->rdx = c->rdx;
	r->rbp = c->rbp;
	r->rsi = c->rsi;
	r->rdi = c->rdi;
	r->rsp = c->rsp;
	r->r8 = c->r8;
	r->r9 = c->r9;
	r->r10 = c->r10;
	r->r11 = c->r11;
	r->r12 = c->r12;
	r->r13 = c->r13;
	r->r14 = c->r14;
	r->r15 = c->r15;
	r->rip = c->rip;
	r->rflags = c->rflags | X86_EFLAGS_MBS; /* libxc's builder leaves it out */
}

static void set_special(struct vcpu *v, const struct hvm_hw_cpu *c)
{
	struct hvm_vcpu *hv = hvm_of(v);
	unsigned long *dr = v->arch->debugreg;
	struct hvm_msrs m;

	hv->cr0 = c->cr0 | X86_CR0_ET;
	hv->cr2 = c->cr2;
	hv->cr3 = c->cr3;
	hv->cr4 = c->cr4;
	hv->efer = c->msr_efer;
	hvm_backend->update_cr(v);
	dr[0] = c->dr0;
	dr[1] = c->dr1;
	dr[2] = c->dr2;
	dr[3] = c->dr3;
	hvm_backend->set_dr(v, 6, c->dr6);
	hvm_backend->set_dr(v, 7, c->dr7);
	hvm_backend->get_msrs(v, &m);
	m.sysenter_cs = c->sysenter_cs;
	m.sysenter_esp = c->sysenter_esp;
	m.sysenter_eip = c->sysenter_eip;
	m.shadow_gs_base = c->shadow_gs;
	m.lstar = c->msr_lstar;
	m.star = c->msr_star;
	m.cstar = c->msr_cstar;
	m.syscall_mask = c->msr_syscall_mask;
	hvm_backend->set_msrs(v, &m);
	v->arch->tsc_aux = c->msr_tsc_aux;
}

/* Corrects the image, since FXRSTOR faults on reserved bits of MXCSR. */
static void set_fpu(struct vcpu *v, const struct hvm_hw_cpu *c)
{
	u8 *image = v->arch->xstate;
	u32 mxcsr, mxcsr_mask = xstate_mxcsr_mask();

	arch_vcpu_sync_state(v);
	xstate_init_image(image);
	if (!(c->flags & XEN_X86_FPU_INITIALISED))
		return;
	memcpy(image, c->fpu_regs, FXSAVE_BYTES);
	memcpy(&mxcsr, image + FXSAVE_MXCSR, sizeof(mxcsr));
	mxcsr &= mxcsr_mask;
	memcpy(image + FXSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
	memcpy(image + FXSAVE_MXCSR_MASK, &mxcsr_mask, sizeof(mxcsr_mask));
}

static void set_event(struct vcpu *v, const struct hvm_hw_cpu *c)
{
	hvm_of(v)->event = (struct hvm_event){
		.vector = c->pending_vector,
		.type = c->pending_type,
		.valid = c->pending_valid,
		.has_error_code = c->pending_error_valid,
		.error_code = c->error_code,
	};
	hvm_of(v)->nmi_blocked = c->pending_valid && c->pending_type == HVM_EVENT_NMI;
}

void hvm_set_cpu_record(struct vcpu *v, const struct hvm_hw_cpu *c)
{
	set_general(&v->arch->user_regs, c);
	set_special(v, c);
	set_segments(v, c);
	set_fpu(v, c);
	set_event(v, c);
	hvm_of(v)->waits_for_startup = false;
	v->is_initialised = true;
	atomic_and(&v->pause_flags, ~(u32)VPF_DOWN);
}

/* --- reset (SDM 3A 10.1.1, APM 2 14.1.3) --- */

static void set_all_segments(struct vcpu *v, u16 cs_selector)
{
	const struct hvm_segment data = { .attributes = 0x93, .limit = 0xffff };
	const struct hvm_segment cs = { .selector = cs_selector,
					.attributes = 0x9b,
					.limit = 0xffff,
					.base = (u64)cs_selector << 4 };
	const struct hvm_segment ldtr = { .attributes = 0x82, .limit = 0xffff };
	const struct hvm_segment tr = { .attributes = 0x8b, .limit = 0xffff };

	for (enum hvm_segment_name i = SEG_ES; i <= SEG_GS; i++)
		hvm_backend->set_segment(v, i, i == SEG_CS ? &cs : &data);
	hvm_backend->set_segment(v, SEG_LDTR, &ldtr);
	hvm_backend->set_segment(v, SEG_TR, &tr);
	set_table(v, SEG_GDTR, 0, 0xffff);
	set_table(v, SEG_IDTR, 0, 0xffff);
}

/* The registers of a vCPU that runs lie in guest_regs. */
static struct cpu_user_regs *registers(struct vcpu *v)
{
	return v == current ? guest_cpu_user_regs() : &v->arch->user_regs;
}

void hvm_reset_registers(struct vcpu *v)
{
	struct hvm_vcpu *hv = hvm_of(v);
	struct cpu_user_regs *regs = registers(v);
	const struct hvm_msrs msrs = { .pat = PAT_RESET };

	memset(regs, 0, sizeof(*regs));
	regs->rip = 0xfff0;
	regs->rflags = X86_EFLAGS_MBS;
	hv->cr0 = X86_CR0_ET | X86_CR0_NW | X86_CR0_CD;
	hv->cr2 = hv->cr3 = hv->cr4 = hv->efer = 0;
	hv->event.valid = false;
	hv->nmi_pending = hv->nmi_blocked = false;
	hvm_backend->update_cr(v);
	hvm_backend->set_msrs(v, &msrs);
	hvm_backend->set_dr(v, 6, DR6_RESET);
	hvm_backend->set_dr(v, 7, DR7_RESET);
	hvm_backend->clear_shadow(v);
	set_all_segments(v, 0xf000);
}

void hvm_startup_registers(struct vcpu *v, u8 vector)
{
	hvm_reset_registers(v);
	registers(v)->rip = 0;
	set_all_segments(v, (u16)(vector << 8));
}
