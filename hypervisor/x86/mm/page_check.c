/* SPDX-License-Identifier: MIT */
/*
 * Checks the invariants of page types from a validated table; debug builds and tests ask after each
 * validation. Other CPUs keep running meanwhile, so only what holds at any moment is checked: the
 * references that this table itself holds.
 */
#include "x86/mm/page_validate.h"

#include "hv/arch/frame.h"
#include "hv/arch/map.h"
#include "hv/atomic.h"

static bool l1_entry_is_consistent(u64 e)
{
	const struct page_info *pg;
	u64 t;

	if (!(e & PTE_PRESENT))
		return true;
	if (!(e & PTE_USER) || (e & PTE_GLOBAL))
		return false;
	if (!mfn_valid(pte_mfn(e)))
		return true;
	pg = mfn_to_page(pte_mfn(e));
	if (page_owner(pg) == dom_io)
		return true;
	t = READ_ONCE(pg->type_info);
	if (!(READ_ONCE(pg->count_info) & PGC_COUNT_MASK))
		return false;
	return !(e & PTE_RW) || ((t & PGT_TYPE_MASK) == PGT_WRITABLE && (t & PGT_COUNT_MASK));
}

static bool table_entry_is_consistent(const struct page_info *table, unsigned int level,
				      unsigned int i, u64 e)
{
	const struct page_info *pg;
	u64 t;

	if (!(e & PTE_PRESENT) || (level == 4 && l4_slot_is_hypervisor(i)))
		return true;
	if ((e & PTE_TABLE_DISALLOWED) || !(e & PTE_USER) || !mfn_valid(pte_mfn(e)))
		return false;
	pg = mfn_to_page(pte_mfn(e));
	t = READ_ONCE(pg->type_info);
	return (t & PGT_TYPE_MASK) == page_table_type(level - 1) && (t & PGT_COUNT_MASK) &&
	       (t & PGT_VALIDATED) && page_owner(pg) == page_owner(table);
}

bool page_table_is_consistent(struct page_info *pg)
{
	u64 t = READ_ONCE(pg->type_info);
	unsigned int level = page_table_level(t);
	bool ok = true;
	u64 *table;

	if (!page_is_valid_table(t))
		return true;
	table = map_frame(page_to_mfn(pg));
	for (unsigned int i = 0; ok && i < PT_ENTRIES; i++)
		ok = level == 1 ? l1_entry_is_consistent(table[i]) :
				  table_entry_is_consistent(pg, level, i, table[i]);
	unmap_frame(table);
	return ok;
}
