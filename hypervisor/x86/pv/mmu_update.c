/* SPDX-License-Identifier: MIT */
/*
 * Hypercall mmu_update: changes of page-table entries by machine address, and of the M2P (xen.h).
 */
#include "x86/pv/pv_mmu.h"

#include "hv/arch/frame.h"
#include "hv/arch/guest_access.h"
#include "hv/atomic.h"
#include "lib/errno.h"
#include "x86/mm/log_dirty.h"
#include "hypercall_table.h"
#include "x86/pv/pv_array.h"

#define UPDATES_PER_CHECK 16

/* --- writing an entry --- */

/*
 * Publishes `val`; *old: the entry before. The processor may set accessed and dirty at any time,
 * but nothing else changes the slot.
 */
static int slot_publish(u64 *slot, u64 val, enum pv_write how, u64 expected, u64 *old)
{
	u64 x;

	switch (how) {
	case PV_WRITE_PLAIN:
		*old = READ_ONCE(*slot);
		WRITE_ONCE(*slot, val);
		break;
	case PV_WRITE_KEEP_AD:
		x = READ_ONCE(*slot);
		while (!atomic_cmpxchg(slot, &x, val | (x & (PTE_ACCESSED | PTE_DIRTY))))
			;
		*old = x;
		break;
	case PV_WRITE_EXPECTED:
		*old = expected;
		if (!atomic_cmpxchg(slot, &expected, val))
			return -EAGAIN;
		break;
	}
	log_dirty_entry_written(slot);
	return 0;
}

/*
 * The entry changes only in `harmless` bits, on which no check depends: no reference changes. All
 * other changes are validated in full.
 */
static bool change_is_harmless(u64 old, u64 val, u64 harmless)
{
	return (old & PTE_PRESENT) && !((old ^ val) & ~harmless);
}

__flatten int pv_write_l1e(struct domain *d, const struct domain *target_owner, u64 *slot, u64 val,
			   enum pv_write how, u64 expected)
{
	u64 old = how == PV_WRITE_EXPECTED ? expected : READ_ONCE(*slot);
	int err;

	if (val & PTE_PRESENT) {
		/* The new entry allows less: only the type reference is dropped, below. */
		bool loses_rw = (old & PTE_RW) && !(val & PTE_RW);

		if (change_is_harmless(old, l1e_adjust(val),
				       PTE_HARMLESS | (loses_rw ? PTE_RW : 0))) {
			err = slot_publish(slot, l1e_adjust(val), how, expected, &old);
			if (!err && loses_rw && mfn_valid(pte_mfn(old)) &&
			    page_owner(mfn_to_page(pte_mfn(old))) != dom_io &&
			    page_type_put(mfn_to_page(pte_mfn(old))))
				BUG();
			return err;
		}
		err = l1e_get(d, target_owner, &val);
		if (unlikely(err))
			return err;
	} else if (pte_shows_memory(d, val)) {
		return pte_refuse(d);
	}
	err = slot_publish(slot, val, how, expected, &old);
	if (unlikely(err))
		old = val;
	if (old & PTE_PRESENT)
		l1e_put(d, old);
	return err;
}

/*
 * Writes an entry of a valid L2, L3 or L4 table of d. mmu_lock held. -ERESTART: held_page has the
 * child.
 */
static noinline int write_table_entry(struct domain *d, unsigned int level, u64 *slot, u64 val,
				      enum pv_write how)
{
	unsigned int index = (unsigned int)(((unsigned long)slot & ~PAGE_MASK) / sizeof(u64));
	u64 old = READ_ONCE(*slot);
	struct page_info *child;
	int err;

	if (level == 4 && l4_slot_is_hypervisor(index))
		return -EINVAL;
	if (val & PTE_PRESENT) {
		err = table_entry_check(&val);
		if (err)
			return err;
		/* RW of an upper entry only narrows what the L1 entries allow. */
		if (change_is_harmless(old, val, PTE_HARMLESS | PTE_RW)) {
			d->arch->table_generation++;
			return slot_publish(slot, val, how, 0, &old);
		}
		err = page_get_and_type(pte_mfn(val), d, page_table_type(level - 1), &child);
		if (err)
			return err;
	} else if (pte_shows_memory(d, val)) {
		return pte_refuse(d);
	}
	err = slot_publish(slot, val, how, 0, &old);
	d->arch->table_generation++;
	if (old & PTE_PRESENT)
		page_put_table(mfn_to_page(pte_mfn(old)));
	return err;
}

/* The page is not a page table: writes plain memory, if the guest may write it. */
static noinline int write_plain(struct page_info *pg, u64 *slot, u64 val)
{
	int err = page_type_get(pg, PGT_WRITABLE);

	if (err)
		return err;
	WRITE_ONCE(*slot, val);
	err = page_type_put(pg);
	log_dirty_mark(pg);
	return err;
}

struct owners {
	struct domain *tables, *data;
};

static __flatten int update_entry(const struct owners *o, u64 ptr, u64 val, enum pv_write how)
{
	struct page_info *pg;
	u64 *table, *slot, type;
	int err;

	if (unlikely(ptr & 7))
		return -EINVAL;
	pg = page_get_from_mfn(maddr_to_mfn(ptr), o->tables);
	if (unlikely(!pg))
		return -EINVAL;
	if (unlikely(current->arch->held_page)) {
		mfn_t child = pte_mfn(val);

		err = page_held_settle(
			(val & PTE_PRESENT) && mfn_valid(child) ? mfn_to_page(child) : NULL);
		if (err)
			goto out;
	}
	pv_mmu_lock(o->tables);
	table = map_frame(maddr_to_mfn(ptr));
	slot = (u64 *)((char *)table + (ptr & ~PAGE_MASK));
	type = READ_ONCE(pg->type_info);
	if (unlikely(o->tables != current->domain && domain_is_dying(o->tables)))
		err = -ESRCH;
	else if (likely((type & (PGT_TYPE_MASK | PGT_VALIDATED)) == (PGT_L1 | PGT_VALIDATED)))
		err = pv_write_l1e(o->tables, o->data, slot, val, how, 0);
	else if (page_is_valid_table(type))
		err = write_table_entry(o->tables, page_table_level(type), slot, val, how);
	else if (page_type_is_table(type & PGT_TYPE_MASK) && (type & PGT_COUNT_MASK))
		err = -EBUSY; /* another vCPU validates or devalidates it */
	else
		err = write_plain(pg, slot, val);
	unmap_frame(table);
	pv_mmu_unlock(o->tables);
out:
	page_put(pg);
	return err;
}

static noinline int update_m2p(const struct owners *o, u64 ptr, u64 val)
{
	mfn_t mfn = maddr_to_mfn(ptr);
	struct page_info *pg = page_get_from_mfn(mfn, o->data);

	if (!pg)
		return -EINVAL;
	m2p_set(mfn, val);
	log_dirty_mark(pg);
	page_put(pg);
	return 0;
}

static long update_one(void *owners, void *request, char __guest *where)
{
	const struct owners *o = owners;
	const struct mmu_update *req = request;
	u64 ptr = req->ptr & ~3UL;

	switch (req->ptr & 3) {
	case MMU_MACHPHYS_UPDATE:
		return update_m2p(o, ptr, req->val);
	case MMU_PT_UPDATE_PRESERVE_AD:
		return update_entry(o, ptr, req->val, PV_WRITE_KEEP_AD);
	default: /* NORMAL and NO_TRANSLATE: a PV domain's frame numbers are never translated */
		return update_entry(o, ptr, req->val, PV_WRITE_PLAIN);
	}
}

/*
 * The new entries name frames of a domain with frame numbers of its own. NO_TRANSLATE: frames that
 * acquire_resource named. The reference that the translation took is needed only until the entry
 * has its own.
 */
static noinline long update_one_translated(void *owners, void *request, char __guest *where)
{
	const struct owners *o = owners;
	const struct mmu_update *req = request;
	u64 val = req->val;
	struct page_info *pg;
	int err;

	/* The p2m has the only say in what these frames are called. */
	if ((req->ptr & 3) == MMU_MACHPHYS_UPDATE)
		return -EPERM;
	if ((req->ptr & 3) != MMU_NORMAL_PT_UPDATE || !(val & PTE_PRESENT))
		return update_one(owners, request, where);
	pg = pv_translate_entry(o->data, &val);
	if (!pg)
		return -EINVAL;
	err = update_entry(o, req->ptr & ~3UL, val, PV_WRITE_PLAIN);
	page_put(pg);
	return err;
}

/* --- the hypercall --- */

static int owners_get(struct owners *o, unsigned long foreigndom)
{
	unsigned int tables = (unsigned int)(foreigndom >> 16) & 0xffff;
	int err = 0;

	o->tables = o->data = current->domain;
	if (likely(foreigndom == DOMID_SELF))
		return 0;
	if (tables) {
		o->tables = pv_owner_get(tables - 1, &err);
		if (!o->tables)
			return err;
		if (o->tables == dom_io || o->tables == dom_xen)
			return -EINVAL;
	}
	o->data = pv_owner_get(foreigndom & 0xffff, &err);
	if (!o->data) {
		pv_owner_put(o->tables);
		return err;
	}
	return 0;
}

static __flatten long run_updates(struct owners *o, unsigned long list, unsigned long count,
				  unsigned long pdone)
{
	struct mmu_update req;

	return pv_array_run(list, count, pdone, &req, sizeof(req), UPDATES_PER_CHECK, update_one,
			    o);
}

static noinline long run_translated(struct owners *o, unsigned long list, unsigned long count,
				    unsigned long pdone)
{
	struct mmu_update req;

	return pv_array_run(list, count, pdone, &req, sizeof(req), UPDATES_PER_CHECK,
			    update_one_translated, o);
}

long do_mmu_update(unsigned long list, unsigned long count, unsigned long pdone,
		   unsigned long foreigndom, unsigned long a4, unsigned long a5)
{
	struct owners o;
	long ret = owners_get(&o, foreigndom);

	if (ret)
		return ret;
	if (unlikely(foreigndom != DOMID_SELF) && !guest_frames_are_machine(o.data))
		ret = run_translated(&o, list, count, pdone);
	else
		ret = run_updates(&o, list, count, pdone);
	pv_owner_put(o.data);
	pv_owner_put(o.tables);
	return ret;
}
