/* SPDX-License-Identifier: MIT */
/* What the page allocator asks of us between two uses of a frame (hv/arch.h). */
#include "hv/arch.h"

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

void arch_page_reused(struct page_info *pg, unsigned int order)
{
	cpumask_t stale;
	u32 stamp = 0;

	for (unsigned long i = 0; i < 1UL << order; i++) {
		stamp = tlb_stamp_later(stamp, (u32)((pg[i].type_info & PGT_STAMP_MASK) >> PGT_STAMP_SHIFT));
		/* Written past the caches: no old line of it may hide, or later overwrite, what is in memory. */
		if (unlikely(pg[i].type_info & PGT_UNCACHED))
			frame_flush_cache(page_to_mfn(pg + i));
		pg[i].type_info = PGT_NONE;
	}
	/* RAM that was never mapped since boot. */
	if (!stamp)
		return;
	stale = cpu_online_map;
	tlb_filter(&stale, stamp);
	if (!cpumask_empty(&stale))
		tlb_flush_mask(&stale);
}

bool arch_page_has_type(const struct page_info *pg)
{
	return page_type_count(pg) != 0;
}

void arch_page_share(struct page_info *pg, bool guest_writable)
{
	WRITE_ONCE(pg->type_info, (guest_writable ? PGT_WRITABLE : PGT_SHARED) | PGT_VALIDATED | 1);
}
