/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls (xen/arch-x86/xen.h): VMMCALL or VMCALL with the number in EAX. In 64-bit mode the
 * arguments are those of PV guests. In other modes they are in EBX, ECX, EDX, ESI, EDI, EBP; such
 * callers have only those hypercalls whose structures look the same to 32-bit code
 * (hypercalls.tbl).
 */
#include "x86/hvm/backend.h"
#include "x86/hvm/hvm.h"

#include <xen/sched.h>
#include "hv/arch/guest_access.h"
#include "hv/hypercall.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/cpu/entry.h"
#include "x86/cpu/regs.h"

#define SLOT_BYTES	32
#define HYPERCALL_BYTES 3

static bool in_64bit_code(const struct vcpu *v)
{
	struct hvm_segment cs;

	if (!hvm_in_long_mode(v))
		return false;
	hvm_backend->get_segment(v, SEG_CS, &cs);
	return cs.attributes & SEG_ATTR_L;
}

u64 *hvm_hypercall_argument(unsigned int index)
{
	struct cpu_user_regs *regs = guest_cpu_user_regs();
	u64 *const args64[6] = { &regs->rdi, &regs->rsi, &regs->rdx,
				 &regs->r10, &regs->r8,	 &regs->r9 };
	u64 *const args32[6] = { &regs->rbx, &regs->rcx, &regs->rdx,
				 &regs->rsi, &regs->rdi, &regs->rbp };

	return hvm_of(current)->hypercall_32 ? args32[index] : args64[index];
}

/* Its structure has a pointer and differs in 32-bit code. */
static bool is_poll(u64 nr, u64 cmd)
{
	return (u32)nr == __HYPERVISOR_sched_op && (u32)cmd == SCHEDOP_poll;
}

static long call_64(const struct cpu_user_regs *regs)
{
	const unsigned long args[6] = { regs->rdi, regs->rsi, regs->rdx,
					regs->r10, regs->r8,  regs->r9 };

	return hypercall_hvm(regs->rax, false, args);
}

static long call_32(const struct cpu_user_regs *regs)
{
	const unsigned long args[6] = { (u32)regs->rbx, (u32)regs->rcx, (u32)regs->rdx,
					(u32)regs->rsi, (u32)regs->rdi, (u32)regs->rbp };

	return is_poll(regs->rax, args[0]) ? -ENOSYS : hypercall_hvm((u32)regs->rax, true, args);
}

static long call(struct vcpu *v, const struct cpu_user_regs *regs)
{
	bool is_32 = !likely(in_64bit_code(v));

	hvm_of(v)->hypercall_32 = is_32;
	return is_32 ? call_32(regs) : call_64(regs);
}

bool hvm_exit_hypercall(struct vcpu *v, struct cpu_user_regs *regs)
{
	long ret = likely(hvm_of(v)->cpl == 0) ? call(v, regs) : -EPERM;

	if (ret == -ERESTART)
		return false;
	regs->rax = in_64bit_code(v) ? (u64)ret : (u32)ret;
	return true;
}

/* The other vendor's instruction for a hypercall, which this processor does not know. */
void hvm_exit_invalid_opcode(struct vcpu *v, struct cpu_user_regs *regs)
{
	static const u8 vmcall[] = { 0x0f, 0x01, 0xc1 }, vmmcall[] = { 0x0f, 0x01, 0xd9 };
	struct hvm_segment cs;
	u8 insn[HYPERCALL_BYTES];
	u64 at = regs->rip;

	if (!in_64bit_code(v)) {
		hvm_backend->get_segment(v, SEG_CS, &cs);
		at = (u32)(cs.base + regs->rip);
	}
	if (!hvm_of(v)->cpl && !copy_from_guest(insn, (const void __guest *)at, sizeof(insn)) &&
	    (!memcmp(insn, vmcall, sizeof(insn)) || !memcmp(insn, vmmcall, sizeof(insn)))) {
		if (hvm_exit_hypercall(v, regs))
			hvm_advance(v, regs, sizeof(insn));
		return;
	}
	hvm_inject_exception(v, X86_TRAP_UD, 0);
}

/* The code is the same in 32-bit and 64-bit mode. */
void hvm_hypercall_page_init(void *page)
{
	const u8 *insn = hvm_backend->hypercall;
	u8 *slot = page;

	memset(page, 0xcc, PAGE_SIZE); /* int3 */
	for (unsigned int nr = 0; nr < PAGE_SIZE / SLOT_BYTES; nr++, slot += SLOT_BYTES) {
		const u8 code[] = {
			0xb8,	 (u8)nr,  0,	   0, 0, /* mov $nr, %eax */
			insn[0], insn[1], insn[2],	 /* vmmcall or vmcall */
			0xc3,				 /* ret */
		};

		memcpy(slot, code, sizeof(code));
	}
}
