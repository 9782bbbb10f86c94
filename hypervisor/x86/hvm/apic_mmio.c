/* SPDX-License-Identifier: MIT */
/*
 * Accesses to the page of an xAPIC: the instruction is read from the guest's memory, decoded, and
 * executed on the virtual APIC (dev/vlapic_mmio.c).
 */
#include "x86/hvm/apic.h"
#include "x86/hvm/backend.h"
#include "x86/hvm/guest_memory.h"

#include "hv/frame.h"
#include "lib/errno.h"
#include "x86/emul/decode.h"

#define PAGE_OFFSET(address) ((address) & (PAGE_SIZE - 1))

/* Where the registers of the encoding lie. */
static const u8 gpr_offset[16] = {
#define AT(name) offsetof(struct cpu_user_regs, name)
	[INSN_RAX] = AT(rax), [INSN_RCX] = AT(rcx), [INSN_RDX] = AT(rdx), [INSN_RBX] = AT(rbx),
	[INSN_RSP] = AT(rsp), [INSN_RBP] = AT(rbp), [INSN_RSI] = AT(rsi), [INSN_RDI] = AT(rdi),
	[INSN_R8] = AT(r8),   [INSN_R9] = AT(r9),   [INSN_R10] = AT(r10), [INSN_R11] = AT(r11),
	[INSN_R12] = AT(r12), [INSN_R13] = AT(r13), [INSN_R14] = AT(r14), [INSN_R15] = AT(r15),
#undef AT
};

static u64 *gpr(struct cpu_user_regs *regs, unsigned int n)
{
	return (u64 *)((u8 *)regs + gpr_offset[n]);
}

static enum insn_mode code_mode(const struct vcpu *v, const struct hvm_segment *cs)
{
	if (hvm_in_long_mode(v) && (cs->attributes & SEG_ATTR_L))
		return INSN_MODE_64;
	return cs->attributes & SEG_ATTR_DB ? INSN_MODE_32 : INSN_MODE_16;
}

/* In 64-bit mode only FS and GS have a base; elsewhere addresses have 32 bits. */
static u64 linear(const struct vcpu *v, enum insn_mode mode, unsigned int segment, u64 offset)
{
	struct hvm_segment s;

	if (mode == INSN_MODE_64 && segment != INSN_FS && segment != INSN_GS)
		return offset;
	hvm_backend->get_segment(v, (enum hvm_segment_name)segment, &s);
	return mode == INSN_MODE_64 ? s.base + offset : (u32)(s.base + offset);
}

/* The rest of an instruction may lie on a page that is not there, so that is read only if needed.
 */
static int fetch(struct vcpu *v, u64 rip, enum insn_mode mode, struct insn *insn,
		 struct hvm_access_fault *fault)
{
	u32 access = WALK_FETCH | (hvm_of(v)->cpl == 3 ? WALK_USER : 0);
	u64 start = linear(v, mode, INSN_CS, rip);
	size_t first = min((size_t)(PAGE_SIZE - PAGE_OFFSET(start)), (size_t)INSN_MAX_LENGTH);
	u8 bytes[INSN_MAX_LENGTH];
	int err = hvm_read_linear(bytes, start, first, access, fault);

	if (err)
		return err;
	err = insn_decode(insn, bytes, first, mode);
	if (err != -ENODATA || first == sizeof(bytes))
		return err;
	err = hvm_read_linear(bytes + first, start + first, sizeof(bytes) - first, access, fault);
	return err ? err : insn_decode(insn, bytes, sizeof(bytes), mode);
}

/* The registers afterwards. RIP is hvm_advance()'s business, with all that depends on it. */
static void execute(struct vcpu *v, struct cpu_user_regs *regs, const struct insn *insn,
		    unsigned int offset, struct insn_regs *in)
{
	const struct vlapic_time now = hvm_apic_now(v);
	struct vlapic_out out = { 0 };

	if (vlapic_execute(&hvm_of(v)->vlapic, insn, offset, &now, in, &out)) {
		hvm_inject_exception(v, X86_TRAP_UD, 0);
		return;
	}
	for (unsigned int n = 0; n < 16; n++)
		*gpr(regs, n) = in->gpr[n];
	regs->rflags = in->rflags;
	hvm_advance(v, regs, insn->length);
	hvm_apic_follow(v, &out);
}

bool hvm_apic_access(struct vcpu *v, struct cpu_user_regs *regs, u64 gpa)
{
	const struct vlapic *l = &hvm_of(v)->vlapic;
	struct insn_regs in = { .rip = regs->rip, .rflags = regs->rflags };
	struct hvm_access_fault fault = { 0 };
	struct hvm_segment cs;
	enum insn_mode mode;
	struct insn insn;
	int err;

	if (vlapic_mode(l) != VLAPIC_XAPIC || (gpa ^ l->apic_base) >> PAGE_SHIFT)
		return false;
	hvm_backend->get_segment(v, SEG_CS, &cs);
	mode = code_mode(v, &cs);
	err = fetch(v, regs->rip, mode, &insn, &fault);
	if (err == -EAGAIN)
		return true;
	if (err == -EFAULT) {
		/* It executes what is no memory, or another vCPU has just changed its tables. */
		if (!fault.walk.fault)
			return false;
		hvm_inject_page_fault(v, fault.address, fault.walk.error_code);
		return true;
	}
	if (err) {
		hvm_inject_exception(v, X86_TRAP_UD, 0);
		return true;
	}
	for (unsigned int n = 0; n < 16; n++)
		in.gpr[n] = *gpr(regs, n);
	/* If the code has changed since, the guest executes what is there now. */
	if (insn.is_memory &&
	    PAGE_OFFSET(linear(v, mode, insn.segment, insn_effective_address(&insn, &in)) ^ gpa))
		return true;
	execute(v, regs, &insn, PAGE_OFFSET(gpa), &in);
	return true;
}
