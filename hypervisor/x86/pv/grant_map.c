/* SPDX-License-Identifier: MIT */
/*
 * Maps grants into the current domain's page tables (hv/arch/guest.h: arch_grant_map,
 * arch_grant_unmap; xen/grant_table.h).
 *
 * The entry made here holds references of its own, like any other L1 entry, besides those of the
 * grant. So the guest may overwrite the entry by other means than an unmap: the entry's references
 * go with the entry. The grant's references stay until the grant is unmapped, or until the domain
 * ends and its TLBs are flushed.
 */
#include "x86/pv/pv_mmu.h"

#include <xen/grant_table.h>
#include "hv/arch/frame.h"
#include "hv/arch/map.h"
#include "hv/atomic.h"
#include "lib/errno.h"
#include "x86/guest/guest_ops.h"
#include "x86/mm/log_dirty.h"

/*
 * Bits 16 and up of the flags are the available bits that the guest wants in the entry
 * (grant_table.h).
 */
#define GRANT_AVAIL(flags) ((((u64)(flags) >> _GNTMAP_guest_avail0) << 9) & PTE_AVAIL)

/* An L1 entry of the current domain, mapped. */
struct grant_slot {
	struct page_info *table; /* holds a reference if GNTMAP_contains_pte; else NULL */
	u64 *slot;
};

/* mmu_lock held. Returns a GNTST_* status. */
static int slot_find(u64 addr, unsigned int flags, struct grant_slot *s)
{
	struct domain *d = current->domain;
	u64 rights, type;

	s->table = NULL;
	if (!(flags & GNTMAP_contains_pte)) {
		s->slot = pv_map_l1_slot(current, addr, &rights);
		return s->slot ? GNTST_okay : GNTST_bad_virt_addr;
	}
	if (addr & 7)
		return GNTST_bad_virt_addr;
	s->table = page_get_from_mfn(maddr_to_mfn(addr), d);
	if (!s->table)
		return GNTST_general_error;
	type = READ_ONCE(s->table->type_info);
	if ((type & (PGT_TYPE_MASK | PGT_VALIDATED)) != (PGT_L1 | PGT_VALIDATED)) {
		page_put(s->table);
		return GNTST_general_error;
	}
	s->slot = (u64 *)((char *)map_frame(maddr_to_mfn(addr)) + (addr & ~PAGE_MASK));
	return GNTST_okay;
}

static void slot_release(const struct grant_slot *s)
{
	pv_unmap_slot(s->slot);
	if (s->table)
		page_put(s->table);
}

__flatten int pv_grant_map(u64 addr, mfn_t frame, unsigned int flags)
{
	struct domain *d = current->domain;
	u64 e = pte_make(frame, PTE_PRESENT | PTE_USER | PTE_ACCESSED | GRANT_AVAIL(flags));
	const struct domain *owner;
	struct grant_slot s;
	int status;

	if (!mfn_valid(frame))
		return GNTST_general_error;
	owner = page_owner(mfn_to_page(frame)); /* stable: the caller has a reference */
	if (!(flags & GNTMAP_readonly))
		e |= PTE_RW | PTE_DIRTY;
	pv_mmu_lock(d);
	status = slot_find(addr, flags, &s);
	if (status == GNTST_okay) {
		if (pv_write_l1e(d, owner, s.slot, e, PV_WRITE_PLAIN, 0))
			status = GNTST_general_error;
		slot_release(&s);
	}
	pv_mmu_unlock(d);
	return status;
}

/* *slot must map the grant's frame, with the grant's access. */
static int slot_check(const u64 *slot, mfn_t frame, unsigned int flags)
{
	u64 e = READ_ONCE(*slot);

	if (!(e & PTE_PRESENT) || !mfn_eq(pte_mfn(e), frame))
		return GNTST_general_error;
	if ((e & PTE_RW) && (flags & GNTMAP_readonly))
		return GNTST_general_error;
	return GNTST_okay;
}

/*
 * Moves the entry of new_addr, with its references, to *slot; new_addr's entry becomes empty. Both
 * may be the same entry, by one address or by two: it ends up empty.
 */
static int slot_move(u64 *slot, u64 new_addr)
{
	const struct domain *d = current->domain;
	u64 rights, *from = pv_map_l1_slot(current, new_addr, &rights), e, old;

	if (!from)
		return GNTST_general_error;
	e = atomic_xchg(from, 0UL);
	log_dirty_entry_written(from);
	pv_unmap_slot(from);
	if (!(READ_ONCE(*slot) & PTE_PRESENT)) {
		l1e_put(d, e);
		return GNTST_okay;
	}
	old = atomic_xchg(slot, e);
	log_dirty_entry_written(slot);
	l1e_put(d, old);
	return GNTST_okay;
}

__flatten int pv_grant_unmap(u64 addr, mfn_t frame, u64 new_addr, unsigned int flags)
{
	struct domain *d = current->domain;
	struct grant_slot s;
	int status;

	if (new_addr && (flags & GNTMAP_contains_pte))
		return GNTST_general_error;
	pv_mmu_lock(d);
	status = slot_find(addr, flags, &s);
	if (status == GNTST_okay) {
		status = slot_check(s.slot, frame, flags);
		if (status == GNTST_okay && new_addr)
			status = slot_move(s.slot, new_addr);
		else if (status == GNTST_okay && pv_write_l1e(d, d, s.slot, 0, PV_WRITE_PLAIN, 0))
			status = GNTST_general_error;
		slot_release(&s);
	}
	pv_mmu_unlock(d);
	return status;
}
