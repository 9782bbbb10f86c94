/* SPDX-License-Identifier: MIT */
/*
 * The x86 part of reusing a frame (hv/arch/frame.h): no CPU keeps a translation or a cache line of
 * the first use.
 */
#include "hv/arch/frame.h"

#include "hv/atomic.h"
#include "hv/console.h"
#include "x86/mm/page_types.h"
#include "x86/mm/tlb.h"

void arch_page_freed(struct page_info *pg, unsigned int order)
{
	u64 stamp = (u64)tlb_clock() << PGT_STAMP_SHIFT;

	for (unsigned long i = 0; i < 1UL << order; i++) {
		ASSERT((pg[i].count_info & PGC_HV) || !page_type_count(pg + i));
		m2p_set(page_to_mfn(pg + i), M2P_INVALID);
		pg[i].type_info = stamp | (pg[i].type_info & PGT_UNCACHED);
	}
}

static u32 stamp_of(const struct page_info *pg)
{
	return (u32)((READ_ONCE(pg->type_info) & PGT_STAMP_MASK) >> PGT_STAMP_SHIFT);
}

/* The CPUs that may still have a translation to a frame that left the page tables at `stamp`. */
static void stale_cpus(cpumask_t *cpus, u32 stamp)
{
	*cpus = cpu_online_map;
	tlb_filter(cpus, stamp);
}

void arch_page_reused(struct page_info *pg, unsigned int order)
{
	u64 uncached = 0;
	cpumask_t stale;
	u32 stamp = 0;

	for (unsigned long i = 0; i < 1UL << order; i++) {
		stamp = tlb_stamp_later(stamp, stamp_of(pg + i));
		uncached |= pg[i].type_info &= PGT_UNCACHED;
	}
	/* Stamp 0: the RAM was not mapped since boot, or since it was scrubbed. */
	if (stamp) {
		stale_cpus(&stale, stamp);
		if (!cpumask_empty(&stale))
			tlb_flush_mask(&stale);
	}
	if (likely(!uncached))
		return;
	/*
	 * These frames were written past the caches, so an old cache line could hide, or later
	 * overwrite, what is in memory. The TLB flush comes first: after it no CPU can write past
	 * the caches.
	 */
	for (unsigned long i = 0; i < 1UL << order; i++) {
		if (pg[i].type_info & PGT_UNCACHED)
			frame_flush_cache(page_to_mfn(pg + i));
		pg[i].type_info = PGT_NONE;
	}
}

bool arch_page_reuse_interrupts(const struct page_info *pg, unsigned int order)
{
	cpumask_t stale;
	u32 stamp = 0;

	for (unsigned long i = 0; i < 1UL << order; i++)
		stamp = tlb_stamp_later(stamp, stamp_of(pg + i));
	stale_cpus(&stale, stamp);
	cpumask_clear_cpu(smp_processor_id(), &stale);
	return !cpumask_empty(&stale);
}

bool arch_page_has_type(const struct page_info *pg)
{
	return page_type_count(pg) != 0;
}

void arch_page_share(struct page_info *pg, bool guest_writable)
{
	WRITE_ONCE(pg->type_info, (guest_writable ? PGT_WRITABLE : PGT_SHARED) | PGT_VALIDATED | 1);
}
