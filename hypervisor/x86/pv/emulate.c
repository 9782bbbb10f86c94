/* SPDX-License-Identifier: MIT */
/*
 * Emulates privileged instructions. A PV guest's kernel runs in ring 3, so each of them faults. A
 * table of handlers does those that kernels use all the same, for the guest's kernel only. For user
 * mode only port I/O is emulated.
 */
#include "x86/pv/emulate.h"

#include "hv/arch/guest_access.h"
#include "hv/frame.h"
#include "hv/sched.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/cpu/extable.h"
#include "x86/cpu/feature.h"
#include "x86/guest/guest_ops.h"
#include "x86/mm/page_validate.h"
#include "x86/pv/bounce.h"
#include "x86/pv/msr.h"

/* CR0 and CR4 as the guest sees them (SDM 3A 2.5). */
#define GUEST_CR0 \
	(X86_CR0_PE | X86_CR0_MP | X86_CR0_ET | X86_CR0_NE | X86_CR0_WP | X86_CR0_AM | X86_CR0_PG)
#define GUEST_CR4_FIXED (X86_CR4_PAE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT)
/* Bits that a kernel may set and read back; they have no other effect. */
#define GUEST_CR4_MAY (X86_CR4_TSD | X86_CR4_DE | X86_CR4_MCE | X86_CR4_FSGSBASE | X86_CR4_OSXSAVE)

static void regs_from_guest(struct insn_regs *to, const struct cpu_user_regs *from)
{
	*to = (struct insn_regs){
		.gpr = { from->rax, from->rcx, from->rdx, from->rbx, from->rsp, from->rbp,
			 from->rsi, from->rdi, from->r8, from->r9, from->r10, from->r11, from->r12,
			 from->r13, from->r14, from->r15 },
		.rip = from->rip,
		.rflags = from->rflags,
	};
}

static void regs_to_guest(struct cpu_user_regs *to, const struct insn_regs *from)
{
	to->rax = from->gpr[INSN_RAX];
	to->rcx = from->gpr[INSN_RCX];
	to->rdx = from->gpr[INSN_RDX];
	to->rbx = from->gpr[INSN_RBX];
	to->rsp = from->gpr[INSN_RSP];
	to->rbp = from->gpr[INSN_RBP];
	to->rsi = from->gpr[INSN_RSI];
	to->rdi = from->gpr[INSN_RDI];
	to->r8 = from->gpr[INSN_R8];
	to->r9 = from->gpr[INSN_R9];
	to->r10 = from->gpr[INSN_R10];
	to->r11 = from->gpr[INSN_R11];
	to->r12 = from->gpr[INSN_R12];
	to->r13 = from->gpr[INSN_R13];
	to->r14 = from->gpr[INSN_R14];
	to->r15 = from->gpr[INSN_R15];
	to->rip = from->rip;
	to->rflags = from->rflags;
}

static u64 edx_eax(const struct insn_regs *regs)
{
	return (u32)regs->gpr[INSN_RAX] | regs->gpr[INSN_RDX] << 32;
}

static void set_edx_eax(struct insn_regs *regs, u64 value)
{
	regs->gpr[INSN_RAX] = (u32)value;
	regs->gpr[INSN_RDX] = value >> 32;
}

/* --- control registers --- */

static enum emulated mov_from_cr(const struct insn *insn, struct insn_regs *regs)
{
	struct vcpu *v = current;
	u64 *to = &regs->gpr[insn->rm];

	switch (insn->reg) {
	case 0:
		*to = GUEST_CR0 | (v->arch->stts ? X86_CR0_TS : 0);
		return EMUL_DONE;
	case 2:
		*to = v->vcpu_info->arch.cr2;
		return EMUL_DONE;
	case 3:
		*to = xen_pfn_to_cr3(mfn_x(page_to_mfn(pv_of(v)->guest_table)));
		return EMUL_DONE;
	case 4:
		*to = pv_of(v)->ctrlreg[4] | GUEST_CR4_FIXED;
		return EMUL_DONE;
	default:
		return EMUL_REFUSED;
	}
}

static void set_task_switched(struct vcpu *v, bool ts)
{
	v->arch->stts = ts;
	write_cr0(ts ? read_cr0() | X86_CR0_TS : read_cr0() & ~(unsigned long)X86_CR0_TS);
}

static enum emulated mov_to_cr(const struct insn *insn, struct insn_regs *regs)
{
	struct vcpu *v = current;
	u64 value = regs->gpr[insn->rm];
	int err;

	switch (insn->reg) {
	case 0:
		if ((value ^ GUEST_CR0) & ~(u64)X86_CR0_TS)
			return EMUL_REFUSED;
		set_task_switched(v, value & X86_CR0_TS);
		return EMUL_DONE;
	case 2:
		v->vcpu_info->arch.cr2 = value;
		return EMUL_DONE;
	case 3:
		err = pv_new_guest_l4(v, MFN(xen_cr3_to_pfn(value)));
		if (err == -ERESTART)
			return EMUL_RETRY;
		return err ? EMUL_REFUSED : EMUL_DONE;
	case 4:
		if (value & ~(u64)(GUEST_CR4_FIXED | GUEST_CR4_MAY))
			return EMUL_REFUSED;
		pv_of(v)->ctrlreg[4] = value & GUEST_CR4_MAY;
		return EMUL_DONE;
	default:
		return EMUL_REFUSED;
	}
}

static enum emulated clts(const struct insn *insn, struct insn_regs *regs)
{
	set_task_switched(current, false);
	return EMUL_DONE;
}

/* --- debug registers --- */

static enum emulated mov_from_dr(const struct insn *insn, struct insn_regs *regs)
{
	unsigned int n = insn->reg == 4 || insn->reg == 5 ? insn->reg + 2U : insn->reg;

	if (n > 7)
		return EMUL_REFUSED;
	regs->gpr[insn->rm] = current->arch->debugreg[n];
	return EMUL_DONE;
}

static enum emulated mov_to_dr(const struct insn *insn, struct insn_regs *regs)
{
	return pv_set_debugreg(current, insn->reg, regs->gpr[insn->rm]) ? EMUL_REFUSED : EMUL_DONE;
}

/* --- MSRs, CPUID, time, extended state --- */

static enum emulated rdmsr_insn(const struct insn *insn, struct insn_regs *regs)
{
	u64 value;

	if (pv_read_msr(current, (u32)regs->gpr[INSN_RCX], &value))
		return EMUL_REFUSED;
	set_edx_eax(regs, value);
	return EMUL_DONE;
}

static enum emulated wrmsr_insn(const struct insn *insn, struct insn_regs *regs)
{
	return pv_write_msr(current, (u32)regs->gpr[INSN_RCX], edx_eax(regs)) ? EMUL_REFUSED :
										EMUL_DONE;
}

static enum emulated cpuid_insn(const struct insn *insn, struct insn_regs *regs)
{
	struct cpuid_leaf out;

	guest_cpuid(current, (u32)regs->gpr[INSN_RAX], (u32)regs->gpr[INSN_RCX], &out);
	regs->gpr[INSN_RAX] = out.a;
	regs->gpr[INSN_RBX] = out.b;
	regs->gpr[INSN_RCX] = out.c;
	regs->gpr[INSN_RDX] = out.d;
	return EMUL_DONE;
}

static enum emulated rdtsc_insn(const struct insn *insn, struct insn_regs *regs)
{
	set_edx_eax(regs, rdtsc());
	return EMUL_DONE;
}

static enum emulated xsetbv_insn(const struct insn *insn, struct insn_regs *regs)
{
	struct arch_vcpu *a = current->arch;
	u64 value = edx_eax(regs);

	if ((u32)regs->gpr[INSN_RCX] != 0 ||
	    !xcr0_is_valid(value, cpu_policy_xcr0(guest_cpu_policy(current->domain))))
		return EMUL_REFUSED;
	a->xcr0 = value;
	a->xcr0_accum |= value;
	xstate_set_xcr0(value);
	return EMUL_DONE;
}

/* --- the rest --- */

/* Only a domain that drives devices needs WBINVD; for others it does nothing. */
static enum emulated wbinvd_insn(const struct insn *insn, struct insn_regs *regs)
{
	if (domain_has_hardware(current->domain))
		__asm__ __volatile__("wbinvd" ::: "memory");
	return EMUL_DONE;
}

static enum emulated hlt_insn(const struct insn *insn, struct insn_regs *regs)
{
	vcpu_block();
	return EMUL_DONE;
}

static enum emulated nothing(const struct insn *insn, struct insn_regs *regs)
{
	return EMUL_DONE;
}

static enum emulated (*const handlers[])(const struct insn *insn, struct insn_regs *regs) = {
	[INSN_MOV_FROM_CR] = mov_from_cr,
	[INSN_MOV_TO_CR] = mov_to_cr,
	[INSN_MOV_FROM_DR] = mov_from_dr,
	[INSN_MOV_TO_DR] = mov_to_dr,
	[INSN_CLTS] = clts,
	[INSN_RDMSR] = rdmsr_insn,
	[INSN_WRMSR] = wrmsr_insn,
	[INSN_CPUID] = cpuid_insn,
	[INSN_RDTSC] = rdtsc_insn,
	[INSN_XSETBV] = xsetbv_insn,
	[INSN_WBINVD] = wbinvd_insn,
	[INSN_HLT] = hlt_insn,
	[INSN_CLI] = nothing,
	[INSN_STI] = nothing,
};

static bool is_io(enum insn_op op)
{
	return op == INSN_IN || op == INSN_OUT || op == INSN_INS || op == INSN_OUTS;
}

#define CODE_SEGMENT_LONG BIT(21) /* L, in LAR's result (SDM 2, LAR) */
#define CODE_SEGMENT_BIG  BIT(22) /* D */

/*
 * Finds the mode that a code selector of the current guest runs in. A kernel may use selectors of
 * its own GDT or LDT. False: not a code segment with a known mode, or LAR faults because the
 * selector's page of the LDT is no longer mapped.
 */
static bool code_segment_mode(unsigned int selector, enum insn_mode *mode)
{
	unsigned long rights = 0;

	if (selector != FLAT_RING3_CS64)
		__asm__("1: lar %1, %0\n"
			"2:" EXTABLE_C(1b, 2b)
			: "+r"(rights)
			: "r"((unsigned long)selector)
			: "cc");
	else
		rights = CODE_SEGMENT_LONG;
	*mode = rights & CODE_SEGMENT_LONG ? INSN_MODE_64 : INSN_MODE_32;
	return rights & (CODE_SEGMENT_LONG | CODE_SEGMENT_BIG);
}

static bool decode_at_rip(const struct cpu_user_regs *regs, struct insn *insn)
{
	u8 bytes[INSN_MAX_LENGTH];
	enum insn_mode mode;

	if (!code_segment_mode(regs->cs, &mode))
		return false;
	return insn_decode(insn, bytes, pv_fetch_insn(regs, bytes), mode) == 0;
}

static bool emulate(struct cpu_user_regs *regs, const struct insn *insn)
{
	struct insn_regs iregs;
	enum emulated done;

	regs_from_guest(&iregs, regs);
	if (is_io(insn->op)) {
		done = pv_emulate_io(insn, &iregs);
	} else {
		if (!pv_of(current)->in_kernel || insn->op >= ARRAY_SIZE(handlers) ||
		    !handlers[insn->op])
			return false;
		done = handlers[insn->op](insn, &iregs);
		if (done == EMUL_DONE)
			insn_advance(insn, &iregs);
	}
	if (done == EMUL_DONE || done == EMUL_RETRY)
		regs_to_guest(regs, &iregs);
	return done != EMUL_REFUSED;
}

#define RDMSR_OPCODE (0x0f | 0x32 << 8)

/*
 * Linux reads the shadow GS base at each context switch. No other instruction is emulated nearly as
 * often, and this one needs no decoder. If this path refuses, emulate_decoded tries again.
 */
static __flatten bool emulate_rdmsr(struct cpu_user_regs *regs)
{
	u16 opcode;
	u64 value;

	if (regs->cs != FLAT_RING3_CS64 || !pv_of(current)->in_kernel ||
	    copy_from_guest(&opcode, (const void __guest *)regs->rip, sizeof(opcode)) ||
	    opcode != RDMSR_OPCODE || pv_read_msr(current, (u32)regs->rcx, &value))
		return false;
	regs->rax = (u32)value;
	regs->rdx = value >> 32;
	regs->rip += sizeof(opcode);
	return true;
}

static noinline bool emulate_decoded(struct cpu_user_regs *regs)
{
	struct insn insn;

	return decode_at_rip(regs, &insn) && emulate(regs, &insn);
}

bool pv_emulate_privileged(struct cpu_user_regs *regs)
{
	return emulate_rdmsr(regs) || emulate_decoded(regs);
}

/* XEN_EMULATE_PREFIX is five bytes, UD2 and "xen"; CPUID follows. */
static const u8 forced_cpuid[] = { 0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa2 };

static noinline bool emulate_forced_cpuid(struct cpu_user_regs *regs)
{
	struct insn_regs iregs;
	u8 bytes[15];

	if (pv_fetch_insn(regs, bytes) < sizeof(forced_cpuid) ||
	    memcmp(bytes, forced_cpuid, sizeof(forced_cpuid)))
		return false;
	regs_from_guest(&iregs, regs);
	cpuid_insn(NULL, &iregs);
	iregs.rip += sizeof(forced_cpuid);
	regs_to_guest(regs, &iregs);
	return true;
}

/*
 * User mode may use the prefix, too. Most #UDs are ordinary exceptions. The first four bytes show
 * that, unless they cannot be read in one go (the end of a page).
 */
bool pv_emulate_invalid_opcode(struct cpu_user_regs *regs)
{
	u32 head;

	if (likely(!copy_from_guest(&head, (const void __guest *)regs->rip, sizeof(head))) &&
	    head != (u32)(forced_cpuid[0] | forced_cpuid[1] << 8 | forced_cpuid[2] << 16 |
			  forced_cpuid[3] << 24))
		return false;
	return emulate_forced_cpuid(regs);
}
