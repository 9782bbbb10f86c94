/* SPDX-License-Identifier: MIT */
/*
 * Validation of guests' page tables and descriptor pages: checks each entry and takes or drops its
 * references. The top of page_types.c states the invariants.
 */
#include "x86/mm/page_validate.h"

#include "hv/arch/frame.h"
#include "hv/arch/map.h"
#include "hv/atomic.h"
#include "hv/console.h"
#include "hv/hypercall.h"
#include "lib/errno.h"
#include "x86/mm/log_dirty.h"

/* --- entries that are not present --- */

noinline int pte_refuse(struct domain *d)
{
	guest_printk(
		d, LOG_WARN,
		"refused: a page-table entry that is not present names memory, which this "
		"processor would read (L1TF). Linux from 4.19 on has no such entries; the option "
		"pv-l1tf=no accepts them\n");
	return -EINVAL;
}

static int check_absent_entries(struct domain *d, const u64 *table)
{
	if (!(cpu_guards & (CPU_GUARD_L1TF | CPU_GUARD_L1TF_DOM0)))
		return 0;
	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		if (pte_shows_memory(d, table[i]))
			return pte_refuse(d);
	return 0;
}

/* --- entries of L1 tables --- */

#define PTE_CACHE_BITS (PTE_PWT | PTE_PCD | PTE_PAT)

/*
 * Device memory has no reference counts. A domain may map what its own iomem_caps allow, in its own
 * name or in dom_io's, but never in the name of another domain. The check would read the other
 * domain's iomem_caps under the wrong lock: a change of a living domain's iomem_caps holds that
 * domain's mmu_lock, and only d's mmu_lock is held here.
 */
static noinline int l1e_get_device(const struct domain *d, const struct domain *target_owner,
				   u64 *entry)
{
	unsigned long mfn = mfn_x(pte_mfn(*entry));

	if (mfn >> (cpu_features.paddr_bits - PAGE_SHIFT))
		return -EINVAL;
	if ((target_owner != d && target_owner != dom_io) ||
	    !rangeset_contains(&d->iomem_caps, mfn, mfn))
		return -EPERM;
	*entry = l1e_adjust(*entry);
	return 0;
}

int l1e_get(struct domain *d, const struct domain *target_owner, u64 *entry)
{
	u64 e = l1e_adjust(*entry);
	mfn_t mfn = pte_mfn(e);
	struct page_info *pg;
	int err;

	if (unlikely(!mfn_valid(mfn)))
		return l1e_get_device(d, target_owner, entry);
	pg = mfn_to_page(mfn);
	if (unlikely(!page_get(pg, target_owner)))
		return page_owner(pg) == dom_io ? l1e_get_device(d, target_owner, entry) : -EINVAL;
	if (unlikely(target_owner == dom_io)) {
		/* dom_io's own frames are device memory, which has no references. */
		page_put(pg);
		return l1e_get_device(d, target_owner, entry);
	}
	if (unlikely(e & PTE_CACHE_BITS) && !domain_has_hardware(d))
		e &= ~PTE_CACHE_BITS;
	if (e & PTE_RW) {
		err = page_type_get(pg, PGT_WRITABLE);
		if (unlikely(err)) {
			page_put(pg);
			return err;
		}
		if (unlikely(target_owner != d))
			page_foreign_get(pg);
		if (unlikely(e & PTE_CACHE_BITS))
			atomic_or(&pg->type_info, PGT_UNCACHED);
	}
	*entry = e;
	return 0;
}

/* An entry of another domain's table that mapped the owner's page writable is gone. */
static noinline void foreign_writer_gone(struct page_info *pg)
{
	page_foreign_put(pg);
	log_dirty_mark(pg);
}

void l1e_put(const struct domain *d, u64 entry)
{
	const struct domain *owner;
	mfn_t mfn = pte_mfn(entry);
	struct page_info *pg;

	if (unlikely(!mfn_valid(mfn)))
		return;
	pg = mfn_to_page(mfn);
	owner = page_owner(pg);
	if (unlikely(owner == dom_io))
		return;
	if (entry & PTE_RW) {
		if (unlikely(owner != d))
			foreign_writer_gone(pg);
		/* A WRITABLE type is never preempted. */
		if (page_type_put(pg))
			BUG();
	}
	page_put(pg);
}

/*
 * The first present entry in [i, n); n: none. Most of a table is empty, so this tests eight at
 * once.
 */
static unsigned int next_present(const u64 *table, unsigned int i, unsigned int n)
{
	while (i < n) {
		const u64 *t = table + i;

		if (i % 8 == 0 && i + 8 <= n &&
		    !((t[0] | t[1] | t[2] | t[3] | t[4] | t[5] | t[6] | t[7]) & PTE_PRESENT))
			i += 8;
		else if (*t & PTE_PRESENT)
			return i;
		else
			i++;
	}
	return n;
}

/*
 * Validates an L1 table in one go: 512 entries of bounded cost each. *nr: the number of entries
 * that hold their references, in and out.
 */
static __flatten int l1_validate(struct domain *d, u64 *table, unsigned int *nr)
{
	for (unsigned int i = *nr; (i = next_present(table, i, PT_ENTRIES)) < PT_ENTRIES; i++) {
		u64 old = table[i], e = old;
		int err = l1e_get(d, d, &e);

		if (err) {
			*nr = i;
			return err == -EBUSY ? err : -EINVAL;
		}
		if (e != old)
			WRITE_ONCE(table[i], e);
	}
	*nr = PT_ENTRIES;
	return 0;
}

static __flatten void l1_devalidate(const struct domain *d, const u64 *table, unsigned int nr)
{
	for (unsigned int i = 0; (i = next_present(table, i, nr)) < nr; i++)
		l1e_put(d, table[i]);
}

/* --- entries of L2, L3 and L4 tables --- */

int table_entry_check(u64 *entry)
{
	if ((*entry & PTE_TABLE_DISALLOWED) || !mfn_valid(pte_mfn(*entry)))
		return -EINVAL;
	*entry |= PTE_USER;
	return 0;
}

/* *kept: the entry holds its references on the child, even on an error. */
static int child_get(struct domain *d, unsigned int level, u64 entry, bool *kept)
{
	struct page_info *pg = page_get_from_mfn(pte_mfn(entry), d);
	int err;

	*kept = false;
	if (!pg)
		return -EINVAL;
	err = page_type_get_keep(pg, page_table_type(level - 1), kept);
	if (!*kept)
		page_put(pg);
	return err;
}

/* Continues with the child of a partial entry, whose references are held. */
static int child_continue(u64 entry)
{
	struct page_info *pg = mfn_to_page(pte_mfn(entry));

	return READ_ONCE(pg->type_info) & PGT_VALIDATED ? 0 : page_validate(pg);
}

static int child_put(u64 entry)
{
	struct page_info *pg = mfn_to_page(pte_mfn(entry));
	int err = page_type_put(pg);

	if (!err)
		page_put(pg);
	return err;
}

/* Boot and idle vCPUs have no hypercall to restart. */
static bool should_preempt(void)
{
	return !current->is_idle && hypercall_preempt_check();
}

struct progress {
	unsigned int nr; /* entries below hold their references */
	bool child;	 /* entry nr holds its references too, but its child is partial */
};

static bool entry_counts(unsigned int level, const u64 *table, unsigned int i)
{
	return (table[i] & PTE_PRESENT) && !(level == 4 && l4_slot_is_hypervisor(i));
}

/* Each call advances by at least one entry, so that a preempted operation finishes. */
static int table_validate(struct domain *d, unsigned int level, u64 *table, struct progress *p)
{
	bool worked = false;

	for (; p->nr < PT_ENTRIES; p->nr++) {
		u64 e = table[p->nr];
		int err;

		if (!entry_counts(level, table, p->nr))
			continue;
		if (worked && should_preempt())
			return -ERESTART;
		worked = true;
		err = table_entry_check(&e);
		if (!err)
			err = p->child ? child_continue(e) : child_get(d, level, e, &p->child);
		if (err)
			return err;
		p->child = false;
		if (table[p->nr] != e)
			WRITE_ONCE(table[p->nr], e);
	}
	return 0;
}

static int table_devalidate(unsigned int level, const u64 *table, struct progress *p)
{
	bool worked = false;

	for (;;) {
		if (p->child) {
			int err;

			if (worked && should_preempt())
				return -ERESTART;
			worked = true;
			err = child_put(table[p->nr]);
			if (err)
				return err;
			p->child = false;
		}
		if (!p->nr)
			return 0;
		p->nr--;
		p->child = entry_counts(level, table, p->nr);
	}
}

/* --- descriptor pages --- */

/*
 * Segment descriptors, SDM 3A 3.4.5. A descriptor that is not present cannot be loaded, so it may
 * be anything. System descriptors and gates are refused: they lead out of ring 3. Code and data get
 * DPL 3, since a guest's kernel runs in ring 3 and may ask for DPL 0 in good faith. Code is made
 * non-conforming. The accessed bit is set, so that the processor never writes to the page.
 */
#define DESC_ACCESSED	BIT(40)
#define DESC_CONFORMING BIT(42) /* of code; of data: expand-down */
#define DESC_CODE	BIT(43)
#define DESC_S		BIT(44)
#define DESC_DPL	(BIT(45) | BIT(46))
#define DESC_PRESENT	BIT(47)

bool descriptor_make_safe(u64 *desc)
{
	u64 x = *desc;

	if (!(x & DESC_PRESENT))
		return true;
	if (!(x & DESC_S))
		return false;
	x |= DESC_DPL | DESC_ACCESSED;
	if (x & DESC_CODE)
		x &= ~DESC_CONFORMING;
	*desc = x;
	return true;
}

static int seg_desc_validate(u64 *table)
{
	for (unsigned int i = 0; i < PAGE_SIZE / sizeof(u64); i++) {
		u64 old = table[i], desc = old;

		if (!descriptor_make_safe(&desc))
			return -EINVAL;
		if (desc != old)
			WRITE_ONCE(table[i], desc);
	}
	return 0;
}

/* --- pages --- */

static struct progress progress_of(u64 type_info)
{
	struct progress p = { PT_ENTRIES, false };

	if (!(type_info & PGT_VALIDATED)) {
		p.nr = (unsigned int)((type_info & PGT_NR_MASK) >> PGT_NR_SHIFT);
		p.child = (type_info & PGT_PARTIAL_CHILD) != 0;
	}
	return p;
}

static void page_state_set(struct page_info *pg, u64 state)
{
	u64 x = READ_ONCE(pg->type_info);

	while (!atomic_cmpxchg(&pg->type_info, &x, (x & ~PGT_STATE_MASK) | state))
		;
}

static void page_set_partial(struct page_info *pg, const struct progress *p)
{
	page_state_set(pg, PGT_PARTIAL | p->nr * BIT(PGT_NR_SHIFT) |
				   (p->child ? PGT_PARTIAL_CHILD : 0));
}

noinline int page_validate(struct page_info *pg)
{
	u64 x = READ_ONCE(pg->type_info);
	unsigned int level = page_table_level(x);
	struct progress p = progress_of(x);
	struct domain *d = page_owner(pg);
	u64 *table = map_frame(page_to_mfn(pg));
	int err;

	if ((x & PGT_TYPE_MASK) == PGT_SEG_DESC)
		err = seg_desc_validate(table);
	else if (check_absent_entries(d, table))
		err = -EINVAL;
	else if (level == 1)
		err = l1_validate(d, table, &p.nr);
	else
		err = table_validate(d, level, table, &p);
	if (!err && level == 4)
		l4_fill_hypervisor_slots(table, d);
	unmap_frame(table);

	/* Even if not all entries are valid, some may have been adjusted. */
	log_dirty_table_state(pg, true);
	if (err) {
		page_set_partial(pg, &p);
		return err;
	}
	page_state_set(pg, PGT_VALIDATED);
	page_table_debug_check(pg);
	return 0;
}

noinline int page_devalidate(struct page_info *pg)
{
	u64 x = READ_ONCE(pg->type_info);
	unsigned int level = page_table_level(x);
	struct progress p = progress_of(x);
	u64 *table = map_frame(page_to_mfn(pg));
	int err = 0;

	/* Mark the page partial, and void every vCPU's last_walk, before dropping any reference. */
	page_set_partial(pg, &p);
	page_owner(pg)->arch->table_generation++;
	log_dirty_table_state(pg, false);
	if (level == 1) {
		l1_devalidate(page_owner(pg), table, p.nr);
		p.nr = 0;
	} else {
		err = table_devalidate(level, table, &p);
	}
	unmap_frame(table);
	page_set_partial(pg, &p);
	return err;
}
