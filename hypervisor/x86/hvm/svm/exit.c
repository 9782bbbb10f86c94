/* SPDX-License-Identifier: MIT */
/*
 * What an exit was about: a table of small handlers by exit code (AMD APM 2, appendix C). They find
 * the facts in the VMCB; what follows from them is x86/hvm/exits.c's. An exit without a row crashes
 * the domain, and no other.
 */
#include "x86/hvm/svm/svm.h"

#include "hv/arch/cpu.h"
#include "hv/console.h"
#include "hv/speculation.h"
#include "lib/string.h"
#include "x86/cpu/entry.h"
#include "x86/cpu/feature.h"
#include "x86/hvm/apic.h"

typedef void exit_handler(struct vcpu *v, struct cpu_user_regs *regs, struct vmcb *b);

/* The length of the instruction that exited. It has `usual` bytes if it has no prefixes. */
static unsigned int length(const struct vmcb *b, unsigned int usual)
{
	return svm_features.next_rip ? (unsigned int)(b->next_rip - b->rip) : usual;
}

/* An interrupt of the host. It is taken as soon as interrupts are on. */
static void host_interrupt(struct vcpu *v, struct cpu_user_regs *regs, struct vmcb *b)
{
}

/* The host's NMI came with STGI. */
static void host_nmi(struct vcpu *v, struct cpu_user_regs *regs, struct vmcb *b)
{
}

static void machine_check(struct vcpu *v, struct cpu_user_regs *regs, struct vmcb *b)
{
	__asm__ __volatile__("int %0" : : "i"(X86_TRAP_MC));
}

static void debug(struct vcpu *v, struct cpu_user_regs *regs, struct vmcb *b)
{
	hvm_inject_exception(v, X86_TRAP_DB, 0);
}

static void alignment(struct vcpu *v, struct cpu_user_regs *regs, struct vmcb *b)
{
	hvm_inject_exception(v, X86_TRAP_AC, (u32)b->exit_info1);
}

static void invalid_opcode(struct vcpu *v, struct cpu_user_regs *regs, struct vmcb *b)
{
	hvm_exit_invalid_opcode(v, regs);
}

static void interrupt_window(struct vcpu *v, struct cpu_user_regs *regs, struct vmcb *b)
{
	svm_ops.want_interrupt_window(v, false);
}

/*
 * The guest's NMI handler is about to return. The next NMI comes after the IRET at the earliest if
 * that is made an instruction with an interrupt shadow.
 */
static void nmi_end(struct vcpu *v, struct cpu_user_regs *regs, struct vmcb *b)
{
	hvm_of(v)->nmi_blocked = false;
	svm_ops.want_nmi_end(v, false);
	b->interrupt_state |= INTERRUPT_SHADOW;
}

static void cpuid_exit(struct vcpu *v, struct cpu_user_regs *regs, struct vmcb *b)
{
	hvm_exit_cpuid(v, regs);
	hvm_advance(v, regs, length(b, 2));
}

static void hlt(struct vcpu *v, struct cpu_user_regs *regs, struct vmcb *b)
{
	hvm_advance(v, regs, length(b, 1));
	hvm_exit_hlt(v, regs);
}

static void io(struct vcpu *v, struct cpu_user_regs *regs, struct vmcb *b)
{
	if (b->exit_info1 & IOIO_STRING) {
		hvm_inject_exception(v, X86_TRAP_GP, 0);
		return;
	}
	hvm_exit_io(v, regs, IOIO_PORT(b->exit_info1), (unsigned int)IOIO_SIZE(b->exit_info1),
		    b->exit_info1 & IOIO_IN);
	hvm_advance(v, regs, (unsigned int)(b->exit_info2 - b->rip));
}

static void msr(struct vcpu *v, struct cpu_user_regs *regs, struct vmcb *b)
{
	bool done = b->exit_info1 ? hvm_exit_wrmsr(v, regs) : hvm_exit_rdmsr(v, regs);

	if (done)
		hvm_advance(v, regs, length(b, 2));
}

static void vmmcall(struct vcpu *v, struct cpu_user_regs *regs, struct vmcb *b)
{
	if (hvm_exit_hypercall(v, regs))
		hvm_advance(v, regs, length(b, 3));
}

static void xsetbv(struct vcpu *v, struct cpu_user_regs *regs, struct vmcb *b)
{
	if (hvm_exit_xsetbv(v, regs))
		hvm_advance(v, regs, length(b, 3));
}

/* Nothing of the guest is in a cache that no other processor sees. */
static void wbinvd(struct vcpu *v, struct cpu_user_regs *regs, struct vmcb *b)
{
	hvm_advance(v, regs, length(b, 2));
}

static void undefined(struct vcpu *v, struct cpu_user_regs *regs, struct vmcb *b)
{
	hvm_inject_exception(v, X86_TRAP_UD, 0);
}

static void no_counters(struct vcpu *v, struct cpu_user_regs *regs, struct vmcb *b)
{
	hvm_inject_exception(v, X86_TRAP_GP, 0);
}

static void pause(struct vcpu *v, struct cpu_user_regs *regs, struct vmcb *b)
{
	hvm_exit_pause(v);
}

/* A triple fault. The VMCB's guest state is undefined. */
static void shutdown(struct vcpu *v, struct cpu_user_regs *regs, struct vmcb *b)
{
	domain_crash(v->domain, "vCPU %u: triple fault, near %#lx", v->id, regs->rip);
}

/* exit_info1 is a page fault's error code, with bit 33 for a walk of the guest's tables. */
static void nested_fault(struct vcpu *v, struct cpu_user_regs *regs, struct vmcb *b)
{
	hvm_exit_nested_fault(v, regs, b->exit_info2, b->exit_info1 & PFEC_WRITE,
			      b->exit_info1 & PFEC_FETCH);
}

static exit_handler *const handlers[EXIT_CODES] = {
	[EXIT_EXCEPTION + X86_TRAP_DB] = debug,
	[EXIT_EXCEPTION + X86_TRAP_UD] = invalid_opcode,
	[EXIT_EXCEPTION + X86_TRAP_AC] = alignment,
	[EXIT_EXCEPTION + X86_TRAP_MC] = machine_check,
	[EXIT_INTR] = host_interrupt,
	[EXIT_NMI] = host_nmi,
	[EXIT_INIT] = host_interrupt,
	[EXIT_VINTR] = interrupt_window,
	[EXIT_RDPMC] = no_counters,
	[EXIT_CPUID] = cpuid_exit,
	[EXIT_IRET] = nmi_end,
	[EXIT_INVD] = wbinvd,
	[EXIT_PAUSE] = pause,
	[EXIT_HLT] = hlt,
	[EXIT_INVLPGA] = undefined,
	[EXIT_IOIO] = io,
	[EXIT_MSR] = msr,
	[EXIT_SHUTDOWN] = shutdown,
	[EXIT_VMRUN] = undefined,
	[EXIT_VMMCALL] = vmmcall,
	[EXIT_VMLOAD... EXIT_SKINIT] = undefined,
	[EXIT_WBINVD] = wbinvd,
	[EXIT_MONITOR... EXIT_MWAIT_COND] = undefined,
	[EXIT_XSETBV] = xsetbv,
	[EXIT_RDPRU] = undefined,
	[EXIT_NPF] = nested_fault,
};

static noinline void unknown_exit(struct vcpu *v, const struct vmcb *b)
{
	log_warn("d%uv%u: exit %#lx, info %#lx %#lx, event %#lx, CR0 %#lx CR3 %#lx CR4 %#lx EFER "
		 "%#lx, CS %04x SS %04x\n",
		 v->domain->id, v->id, b->exit_code, b->exit_info1, b->exit_info2, b->exit_event,
		 b->cr0, b->cr3, b->cr4, b->efer, b->seg[SEG_CS].selector, b->seg[SEG_SS].selector);
	domain_crash(v->domain, "vCPU %u: the processor %s at %#lx", v->id,
		     b->exit_code == ~0UL ? "refuses the vCPU's registers" :
					    "stopped for an unknown reason",
		     b->rip);
}

/*
 * An exit came while the processor delivered an event: the guest's next entry delivers it again.
 * Not the interrupts of INT, INT3 and INTO, whose instruction runs again.
 */
static void keep_event(struct hvm_vcpu *hv, u64 info)
{
	unsigned int type = (unsigned int)(info >> EVENT_TYPE_SHIFT) & EVENT_TYPE;
	u8 vector = (u8)info;

	if (type == HVM_EVENT_SOFTWARE ||
	    (type == HVM_EVENT_EXCEPTION && (vector == X86_TRAP_BP || vector == X86_TRAP_OF)))
		return;
	hv->event = (struct hvm_event){
		.vector = vector,
		.type = (u8)type,
		.valid = true,
		.has_error_code = info & EVENT_ERROR,
		.error_code = (u32)(info >> 32),
	};
}

void svm_exit(struct cpu_user_regs *regs)
{
	struct vcpu *v = current;
	struct hvm_vcpu *hv = hvm_of(v);
	struct vmcb *b = hv->svm->vmcb;
	u64 code = b->exit_code;

	regs->rax = b->rax;
	regs->rip = b->rip;
	regs->rsp = b->rsp;
	regs->rflags = b->rflags;
	hv->cr0 = b->cr0;
	hv->cr2 = b->cr2;
	hv->cr3 = b->cr3;
	hv->cr4 = b->cr4;
	hv->efer = b->efer & ~(u64)EFER_SVME;
	hv->cpl = b->cpl;
	hvm_apic_set_tpr(v, b->v_intr & V_TPR_MASK);
	if (unlikely(b->exit_event & EVENT_VALID))
		keep_event(hv, b->exit_event);
	arch_irq_enable();
	if (unlikely(code >= EXIT_CODES || !handlers[index_below(code, EXIT_CODES)]))
		unknown_exit(v, b);
	else
		handlers[index_below(code, EXIT_CODES)](v, regs, b);
}

static u64 event_word(const struct hvm_event *e)
{
	return !e->valid ? 0 :
			   e->vector | (u64)e->type << EVENT_TYPE_SHIFT |
				   (e->has_error_code ? EVENT_ERROR : 0) | EVENT_VALID |
				   (u64)e->error_code << 32;
}

u64 svm_prepare(struct cpu_user_regs *regs)
{
	struct vcpu *v = current;
	struct hvm_vcpu *hv = hvm_of(v);
	struct svm_vcpu *s = hv->svm;
	struct vmcb *b = s->vmcb;

	hvm_prepare_entry(v);
	svm_asid_prepare(v);
	b->event = event_word(&hv->event);
	hv->event.valid = false;
	b->v_intr = (b->v_intr & ~V_TPR_MASK) | (u32)hvm_apic_tpr(v);
	b->rax = regs->rax;
	b->rip = regs->rip;
	b->rsp = regs->rsp;
	b->rflags = regs->rflags;
	return s->vmcb_maddr;
}
