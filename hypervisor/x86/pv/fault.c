/* SPDX-License-Identifier: MIT */
/*
 * Emulates a guest kernel's write to its own page table by an ordinary instruction. The guest has
 * the table mapped read-only, so the write faults. It is decoded and done atomically, as mmu_update
 * would do it. L1 tables only, as in the interface from the start.
 */
#include "x86/pv/pv_mmu.h"

#include "hv/arch/frame.h"
#include "hv/arch/guest_access.h"
#include "hv/console.h"
#include "lib/errno.h"
#include "x86/emul/decode.h"

static void regs_to_insn(const struct cpu_user_regs *regs, struct insn_regs *out)
{
	*out = (struct insn_regs){
		.gpr = { regs->rax, regs->rcx, regs->rdx, regs->rbx, regs->rsp, regs->rbp,
			 regs->rsi, regs->rdi, regs->r8, regs->r9, regs->r10, regs->r11, regs->r12,
			 regs->r13, regs->r14, regs->r15 },
		.rip = regs->rip,
		.rflags = regs->rflags,
	};
}

static void regs_from_insn(struct cpu_user_regs *regs, const struct insn_regs *in)
{
	const u64 *g = in->gpr;

	regs->rax = g[INSN_RAX];
	regs->rcx = g[INSN_RCX];
	regs->rdx = g[INSN_RDX];
	regs->rbx = g[INSN_RBX];
	regs->rsp = g[INSN_RSP];
	regs->rbp = g[INSN_RBP];
	regs->rsi = g[INSN_RSI];
	regs->rdi = g[INSN_RDI];
	regs->r8 = g[INSN_R8];
	regs->r9 = g[INSN_R9];
	regs->r10 = g[INSN_R10];
	regs->r11 = g[INSN_R11];
	regs->r12 = g[INSN_R12];
	regs->r13 = g[INSN_R13];
	regs->r14 = g[INSN_R14];
	regs->r15 = g[INSN_R15];
	regs->rip = in->rip;
	regs->rflags = in->rflags;
}

/* Decodes the instruction at RIP. It must write to `addr`, naturally aligned, within one entry. */
static bool decode_write(const struct cpu_user_regs *regs, const struct insn_regs *in,
			 unsigned long addr, struct insn *insn)
{
	u8 bytes[INSN_MAX_LENGTH];
	unsigned int n = pv_fetch_insn(regs, bytes);

	if (!n || insn_decode(insn, bytes, n, INSN_MODE_64) || !insn_writes_memory(insn))
		return false;
	if (!insn->operand_bytes || insn->operand_bytes > sizeof(u64) || addr % insn->operand_bytes)
		return false;
	/* FS and GS have bases; no kernel writes page tables through them. */
	if (insn->segment == INSN_FS || insn->segment == INSN_GS)
		return false;
	return insn_effective_address(insn, in) == addr;
}

/*
 * Runs the instruction on the entry's present value. 0; -EAGAIN: the processor changed the entry
 * meanwhile; other errors: refused.
 */
static int emulate_once(struct cpu_user_regs *regs, const struct insn *insn,
			const struct insn_regs *in, unsigned long addr, u64 *slot)
{
	unsigned int shift = (unsigned int)(addr & 7) * 8;
	u64 mask = insn->operand_bytes == 8 ? ~0UL : BIT(insn->operand_bytes * 8) - 1;
	u64 entry = READ_ONCE(*slot), old[2] = { (entry >> shift) & mask, 0 }, new;
	struct domain *d = current->domain;
	struct insn_result result;
	int err;

	if (insn->op == INSN_MOVS) {
		old[0] = 0;
		if (copy_from_guest(old, (const void __guest *)insn_source_address(insn, in),
				    insn->operand_bytes))
			return -EFAULT;
	}
	err = insn_execute(insn, in, old, &result);
	if (err)
		return err;
	new = (entry & ~(mask << shift)) | (result.value[0] & mask) << shift;
	if (result.store) {
		err = pv_write_l1e(d, d, slot, new, PV_WRITE_EXPECTED, entry);
		if (err)
			return err;
	}
	regs_from_insn(regs, &result.regs);
	return 0;
}

/* mmu_lock held. `table`: the L1 table that the guest has mapped read-only at addr. */
static bool emulate_write(struct cpu_user_regs *regs, unsigned long addr, mfn_t table)
{
	struct insn_regs in;
	struct insn insn;
	u64 *entries;
	int err;

	regs_to_insn(regs, &in);
	if (!decode_write(regs, &in, addr, &insn))
		return false;
	entries = map_frame(table);
	err = emulate_once(regs, &insn, &in, addr, &entries[(addr & ~PAGE_MASK) / sizeof(u64)]);
	unmap_frame(entries);
	/* The guest simply runs the instruction again. */
	if (err == -EAGAIN)
		return true;
	if (err)
		guest_printk(current->domain, LOG_WARN,
			     "write to its page table at %#lx refused (error %d)\n", addr, err);
	return !err;
}

static bool is_own_l1_table(const struct domain *d, mfn_t mfn)
{
	const struct page_info *pg;
	u64 type;

	if (!mfn_valid(mfn))
		return false;
	pg = mfn_to_page(mfn);
	type = READ_ONCE(pg->type_info);
	return page_owner(pg) == d &&
	       (type & (PGT_TYPE_MASK | PGT_VALIDATED)) == (PGT_L1 | PGT_VALIDATED) &&
	       (type & PGT_COUNT_MASK);
}

noinline bool pv_fault_emulate_pt_write(struct cpu_user_regs *regs, unsigned long addr,
					u32 error_code)
{
	struct domain *d = current->domain;
	u64 rights, e, *slot;
	bool handled = false;

	if ((error_code & (PFEC_PRESENT | PFEC_WRITE | PFEC_RESERVED | PFEC_FETCH)) !=
		    (PFEC_PRESENT | PFEC_WRITE) ||
	    !pv_of(current)->in_kernel)
		return false;
	pv_mmu_lock(d);
	slot = pv_map_l1_slot(current, addr, &rights);
	if (!slot)
		goto out;
	e = READ_ONCE(*slot);
	pv_unmap_slot(slot);
	if (!(e & PTE_PRESENT))
		goto out;
	/*
	 * Another vCPU has made the entry writable, but this CPU's TLB still had the old
	 * translation. The fault itself has dropped that.
	 */
	if (e & rights & PTE_RW)
		handled = true;
	else if (!(e & PTE_RW) && is_own_l1_table(d, pte_mfn(e)))
		handled = emulate_write(regs, addr, pte_mfn(e));
out:
	pv_mmu_unlock(d);
	return handled;
}
