/* SPDX-License-Identifier: MIT */
/*
 * The slots of the address space that all domains share with the hypervisor, after boot. Their L4
 * entries never change. The page tables below are pages of the heap (boot's are mapped the same
 * way), so each is found at HEAP_VIRT + machine address. A page table, once made, is never freed.
 */
#include "x86/mm/paging.h"

#include "hv/arch/map.h"
#include "hv/console.h"
#include "hv/hv_heap.h"
#include "lib/errno.h"
#include "x86/boot/sections.h"
#include "x86/cpu/regs.h"
#include "x86/mm/tlb.h"

u64 *idle_l4;

static DEFINE_SPINLOCK(table_lock, LOCK_VMAP); /* guards the making of tables */

mfn_t virt_to_mfn(const void *addr)
{
	unsigned long va = (unsigned long)addr;
	u64 pte;

	if (likely(va >= HEAP_VIRT && va < HEAP_VIRT_END))
		return MFN((va - HEAP_VIRT) >> PAGE_SHIFT);
	if (va >= (unsigned long)_start && va < (unsigned long)_end)
		return maddr_to_mfn(image_to_maddr(addr));
	pte = hv_lookup_pte(va);
	BUG_ON(!pte);
	return pte_mfn(pte);
}

void *mfn_to_hv_virt(mfn_t mfn)
{
	return (void *)(HEAP_VIRT + mfn_to_maddr(mfn));
}

static u64 *table_of(u64 entry)
{
	return mfn_to_hv_virt(pte_mfn(entry));
}

/* The table that *entry points to; makes one if there is none. NULL: no memory. */
static u64 *table_get(u64 *entry)
{
	u64 *fresh;

	if (READ_ONCE(*entry) & PTE_PRESENT)
		return table_of(*entry);
	fresh = hv_alloc_pages(0);
	if (!fresh)
		return NULL;
	spin_lock(&table_lock);
	if (!(*entry & PTE_PRESENT)) {
		WRITE_ONCE(*entry, pte_make(virt_to_mfn(fresh), PTE_TABLE_HV));
		fresh = NULL;
	}
	spin_unlock(&table_lock);
	if (fresh)
		hv_free_pages(fresh, 0); /* another CPU was faster */
	return table_of(*entry);
}

/* The L1 entry of va. NULL: no memory for a table or, if not `make`, a table is missing. */
static u64 *l1_entry(unsigned long va, bool make)
{
	u64 *table = idle_l4;

	for (unsigned int level = 4; level > 1; level--) {
		u64 *entry = &table[pt_index(va, level)];

		if (!make && !(READ_ONCE(*entry) & PTE_PRESENT))
			return NULL;
		ASSERT(level == 4 || !(*entry & PTE_PSE));
		table = table_get(entry);
		if (!table)
			return NULL;
	}
	return &table[pt_index(va, 1)];
}

int hv_map_page(unsigned long va, mfn_t mfn, u64 flags)
{
	u64 *entry = l1_entry(va, true);

	if (!entry)
		return -ENOMEM;
	ASSERT(!*entry);
	WRITE_ONCE(*entry, pte_make(mfn, flags | PTE_GLOBAL));
	return 0;
}

void hv_unmap_page(unsigned long va)
{
	u64 *entry = l1_entry(va, false);

	if (!entry)
		return;
	WRITE_ONCE(*entry, 0);
	invlpg(va);
}

u64 hv_lookup_pte(unsigned long va)
{
	u64 *table = idle_l4, entry = 0;

	for (unsigned int level = 4; level > 0; level--) {
		entry = READ_ONCE(table[pt_index(va, level)]);
		if (!(entry & PTE_PRESENT))
			return 0;
		if (level == 2 && (entry & PTE_PSE))
			return (entry & ~(u64)PTE_PSE) + (pt_index(va, 1) << PAGE_SHIFT);
		if (level > 1)
			table = table_of(entry);
	}
	return entry;
}

/* --- the heap: boot has made its L2 tables, for all RAM that it may get --- */

static u64 *heap_l2_entry(mfn_t mfn)
{
	unsigned long va = HEAP_VIRT + mfn_to_maddr(mfn);
	u64 *l3 = table_of(idle_l4[pt_index(va, 4)]);

	return &table_of(l3[pt_index(va, 3)])[pt_index(va, 2)];
}

void arch_heap_map(mfn_t first)
{
	WRITE_ONCE(*heap_l2_entry(first), pte_make(first, PTE_HV_RW | PTE_PSE | PTE_GLOBAL));
}

void arch_heap_unmap(mfn_t first)
{
	unsigned long va = HEAP_VIRT + mfn_to_maddr(first);

	WRITE_ONCE(*heap_l2_entry(first), 0);
	invlpg(va);
	tlb_flush_page_mask(&cpu_online_map, va);
}
