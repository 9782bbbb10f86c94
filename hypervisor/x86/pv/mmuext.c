/* SPDX-License-Identifier: MIT */
/* Hypercall mmuext_op: pins, base pointers, TLB and cache flushes, LDT, whole pages (xen.h). */
#include "x86/pv/pv_mmu.h"

#include "hv/arch/frame.h"
#include "hv/arch/guest_access.h"
#include "hv/atomic.h"
#include "hypercall_table.h"
#include "lib/errno.h"
#include "x86/irq/ipi.h"
#include "x86/mm/map_frame.h"
#include "x86/mm/log_dirty.h"
#include "x86/mm/tlb.h"
#include "x86/pv/pv_array.h"

/* --- pins --- */

static int op_pin(struct domain *owner, const struct mmuext_op *op)
{
	static const u64 types[] = {
		[MMUEXT_PIN_L1_TABLE] = PGT_L1,
		[MMUEXT_PIN_L2_TABLE] = PGT_L2,
		[MMUEXT_PIN_L3_TABLE] = PGT_L3,
		[MMUEXT_PIN_L4_TABLE] = PGT_L4,
	};
	struct page_info *pg;
	int err;

	if (!owner->arch || owner == dom_io || owner == dom_xen)
		return -EINVAL;
	pv_mmu_lock(owner);
	if (owner != current->domain && domain_is_dying(owner)) {
		err = -ESRCH;
		goto out;
	}
	err = page_get_and_type(MFN(op->arg1.mfn), owner, types[op->cmd], &pg);
	if (err)
		goto out;
	if (READ_ONCE(pg->type_info) & PGT_PINNED) {
		page_put_table(pg);
		err = -EINVAL;
		goto out;
	}
	atomic_or(&pg->type_info, PGT_PINNED);
	log_dirty_table_state(pg, true);
out:
	pv_mmu_unlock(owner);
	return err;
}

static int op_unpin(struct domain *owner, const struct mmuext_op *op)
{
	struct page_info *pg = page_get_from_mfn(MFN(op->arg1.mfn), owner);
	int err = -EINVAL;

	if (!pg || !owner->arch)
		goto out;
	pv_mmu_lock(owner);
	if (READ_ONCE(pg->type_info) & PGT_PINNED) {
		atomic_and(&pg->type_info, ~PGT_PINNED);
		log_dirty_table_state(pg, true);
		page_put_table(pg);
		err = 0;
	}
	pv_mmu_unlock(owner);
out:
	if (pg)
		page_put(pg);
	return err;
}

static int op_new_baseptr(struct domain *owner, const struct mmuext_op *op)
{
	return pv_new_guest_l4(current, MFN(op->arg1.mfn));
}

static int op_new_user_baseptr(struct domain *owner, const struct mmuext_op *op)
{
	return pv_new_user_l4(current, MFN(op->arg1.mfn));
}

/* --- TLBs and caches --- */

static int op_tlb_flush_local(struct domain *owner, const struct mmuext_op *op)
{
	tlb_flush_local();
	return 0;
}

static int op_invlpg_local(struct domain *owner, const struct mmuext_op *op)
{
	invlpg(op->arg1.linear_addr);
	return 0;
}

static int op_flush_multi(struct domain *owner, const struct mmuext_op *op)
{
	cpumask_t cpus;
	int err = pv_cpus_of_vcpus(current->domain, guest_ptr(op->arg2.vcpumask), &cpus);

	if (err)
		return err;
	if (op->cmd == MMUEXT_TLB_FLUSH_MULTI)
		tlb_flush_mask(&cpus);
	else
		tlb_flush_page_mask(&cpus, op->arg1.linear_addr);
	return 0;
}

static int op_flush_all(struct domain *owner, const struct mmuext_op *op)
{
	cpumask_t cpus;

	pv_cpus_of_domain(current->domain, &cpus);
	if (op->cmd == MMUEXT_TLB_FLUSH_ALL)
		tlb_flush_mask(&cpus);
	else
		tlb_flush_page_mask(&cpus, op->arg1.linear_addr);
	return 0;
}

static void write_back_caches(void *unused)
{
	__asm__ __volatile__("wbinvd" ::: "memory");
}

/* Slows every domain down, so only a domain that drives hardware may do this. */
static int op_flush_cache(struct domain *owner, const struct mmuext_op *op)
{
	if (!domain_has_hardware(current->domain))
		return -EACCES;
	if (op->cmd == MMUEXT_FLUSH_CACHE_GLOBAL)
		ipi_call_on(&cpu_online_map, write_back_caches, NULL);
	else
		write_back_caches(NULL);
	return 0;
}

/* --- LDT, pages --- */

static int op_set_ldt(struct domain *owner, const struct mmuext_op *op)
{
	return pv_set_ldt(current, op->arg1.linear_addr, op->arg2.nr_ents);
}

static int op_clear_page(struct domain *owner, const struct mmuext_op *op)
{
	struct page_info *pg;
	int err = page_get_and_type(MFN(op->arg1.mfn), owner, PGT_WRITABLE, &pg);

	if (err)
		return err;
	frame_clear(page_to_mfn(pg));
	page_put_and_type(pg);
	return 0;
}

static int op_copy_page(struct domain *owner, const struct mmuext_op *op)
{
	struct page_info *src = page_get_from_mfn(MFN(op->arg2.src_mfn), owner), *dst;
	int err;

	if (!src)
		return -EINVAL;
	err = page_get_and_type(MFN(op->arg1.mfn), owner, PGT_WRITABLE, &dst);
	if (!err) {
		frame_copy(page_to_mfn(dst), page_to_mfn(src));
		page_put_and_type(dst);
	}
	page_put(src);
	return err;
}

static int op_superpage(struct domain *owner, const struct mmuext_op *op)
{
	return -EOPNOTSUPP;
}

/* --- the hypercall --- */

struct mmuext_row {
	int (*fn)(struct domain *owner, const struct mmuext_op *op);
	/* Takes a type reference on arg1.mfn; a preempted operation continues from there. */
	bool takes_table;
};

static const struct mmuext_row rows[] = {
	[MMUEXT_PIN_L1_TABLE] = { op_pin, true },
	[MMUEXT_PIN_L2_TABLE] = { op_pin, true },
	[MMUEXT_PIN_L3_TABLE] = { op_pin, true },
	[MMUEXT_PIN_L4_TABLE] = { op_pin, true },
	[MMUEXT_UNPIN_TABLE] = { op_unpin, false },
	[MMUEXT_NEW_BASEPTR] = { op_new_baseptr, true },
	[MMUEXT_TLB_FLUSH_LOCAL] = { op_tlb_flush_local, false },
	[MMUEXT_INVLPG_LOCAL] = { op_invlpg_local, false },
	[MMUEXT_TLB_FLUSH_MULTI] = { op_flush_multi, false },
	[MMUEXT_INVLPG_MULTI] = { op_flush_multi, false },
	[MMUEXT_TLB_FLUSH_ALL] = { op_flush_all, false },
	[MMUEXT_INVLPG_ALL] = { op_flush_all, false },
	[MMUEXT_FLUSH_CACHE] = { op_flush_cache, false },
	[MMUEXT_SET_LDT] = { op_set_ldt, false },
	[MMUEXT_NEW_USER_BASEPTR] = { op_new_user_baseptr, true },
	[MMUEXT_CLEAR_PAGE] = { op_clear_page, false },
	[MMUEXT_COPY_PAGE] = { op_copy_page, false },
	[MMUEXT_FLUSH_CACHE_GLOBAL] = { op_flush_cache, false },
	[MMUEXT_MARK_SUPER] = { op_superpage, false },
	[MMUEXT_UNMARK_SUPER] = { op_superpage, false },
};

static long run_one(void *owner, void *operation, char __guest *where)
{
	const struct mmuext_op *op = operation;
	const struct page_info *target = NULL;
	const struct mmuext_row *row;
	int err;

	if (op->cmd >= ARRAY_SIZE(rows) || !rows[op->cmd].fn)
		return -ENOSYS;
	row = &rows[op->cmd];
	if (row->takes_table && mfn_valid(MFN(op->arg1.mfn)))
		target = mfn_to_page(MFN(op->arg1.mfn));
	err = page_held_settle(target);
	return err ? err : row->fn(owner, op);
}

long do_mmuext_op(unsigned long list, unsigned long count, unsigned long pdone,
		  unsigned long foreigndom, unsigned long a4, unsigned long a5)
{
	struct mmuext_op op;
	struct domain *owner;
	long ret;
	int err = 0;

	owner = pv_owner_get((unsigned int)foreigndom & 0xffff, &err);
	if (!owner)
		return err;
	ret = pv_array_run(list, count, pdone, &op, sizeof(op), 1, run_one, owner);
	pv_owner_put(owner);
	return ret;
}
