/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls update_va_mapping and update_va_mapping_otherdomain: they change the L1 entry that
 * maps a given address (xen.h).
 */
#include "x86/pv/pv_mmu.h"

#include "hv/arch/frame.h"
#include "lib/errno.h"
#include "x86/mm/tlb.h"
#include "hypercall_table.h"

/* Decodes the part of `flags` that says which CPUs to flush. 0, -EFAULT. */
static int flush_targets(unsigned long flags, cpumask_t *cpus)
{
	struct domain *d = current->domain;

	if ((flags & ~UVMF_FLUSHTYPE_MASK) == UVMF_ALL) {
		pv_cpus_of_domain(d, cpus);
		return 0;
	}
	return pv_cpus_of_vcpus(d, (const void __guest *)(flags & ~UVMF_FLUSHTYPE_MASK), cpus);
}

static int flush_after(unsigned long va, unsigned long flags)
{
	cpumask_t cpus;
	bool local = !(flags & ~UVMF_FLUSHTYPE_MASK);
	int err = 0;

	switch (flags & UVMF_FLUSHTYPE_MASK) {
	case UVMF_TLB_FLUSH:
		if (local) {
			tlb_flush_local();
			break;
		}
		err = flush_targets(flags, &cpus);
		if (!err)
			tlb_flush_mask(&cpus);
		break;
	case UVMF_INVLPG:
		if (local) {
			invlpg(va);
			break;
		}
		err = flush_targets(flags, &cpus);
		if (!err)
			tlb_flush_page_mask(&cpus, va);
		break;
	default: /* UVMF_NONE */
		break;
	}
	return err;
}

static __flatten int update_va(unsigned long va, u64 val, unsigned long flags,
			       const struct domain *target_owner)
{
	struct domain *d = current->domain;
	u64 rights, *slot;
	int err;

	if (unlikely((flags & UVMF_FLUSHTYPE_MASK) == UVMF_FLUSHTYPE_MASK))
		return -EINVAL;
	err = page_held_settle(NULL);
	if (unlikely(err))
		return err;
	pv_mmu_lock(d);
	slot = pv_map_l1_slot(current, va, &rights);
	if (likely(slot)) {
		err = pv_write_l1e(d, target_owner, slot, val, PV_WRITE_PLAIN, 0);
		pv_unmap_slot(slot);
	} else {
		err = -EINVAL;
	}
	pv_mmu_unlock(d);
	return err ? err : flush_after(va, flags);
}

long do_update_va_mapping(unsigned long a0, unsigned long a1, unsigned long a2, unsigned long a3,
			  unsigned long a4, unsigned long a5)
{
	return update_va(a0, a1, a2, current->domain);
}

long do_update_va_mapping_otherdomain(unsigned long a0, unsigned long a1, unsigned long a2,
				      unsigned long a3, unsigned long a4, unsigned long a5)
{
	int err = 0;
	struct domain *owner = pv_owner_get(a3 & 0xffff, &err);
	struct page_info *pg = NULL;

	if (!owner)
		return err;
	err = 0;
	/* The number is the owner's own; the reference holds until the entry has its own. */
	if (!guest_frames_are_machine(owner) && (a1 & PTE_PRESENT)) {
		pg = pv_translate_entry(owner, &a1);
		err = pg ? 0 : -EINVAL;
	}
	if (!err)
		err = update_va(a0, a1, a2, owner);
	if (pg)
		page_put(pg);
	pv_owner_put(owner);
	return err;
}
