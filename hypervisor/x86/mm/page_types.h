/* SPDX-License-Identifier: MIT */
/*
 * Types of frames: struct page_info's type_info. The top of x86/mm/page_types.c states the
 * invariants.
 *
 *	63..60	type
 *	59	pinned
 *	58	validated
 *	57	partial (see nr)
 *	56	partial child holds a reference
 *	55..46	nr: entries validated so far, of a partial page; of a WRITABLE frame, how many
 *		entries of other domains' tables map it writable (at the most value: that or more)
 *	45	mapped writable by another domain
 *	44	mapped uncached
 *	43..24	count is 0: TLB clock when the count fell to 0; else: number of drops so far
 *	23..0	count
 */
#ifndef X86_MM_PAGE_TYPES_H
#define X86_MM_PAGE_TYPES_H

#include "hv/atomic.h"
#include "hv/frame.h"
#include "x86/arch_domain.h"

#define PGT_TYPE_SHIFT	  60
#define PGT_NONE	  (0UL << PGT_TYPE_SHIFT)
#define PGT_L1		  (1UL << PGT_TYPE_SHIFT)
#define PGT_L2		  (2UL << PGT_TYPE_SHIFT)
#define PGT_L3		  (3UL << PGT_TYPE_SHIFT)
#define PGT_L4		  (4UL << PGT_TYPE_SHIFT)
#define PGT_SEG_DESC	  (5UL << PGT_TYPE_SHIFT) /* descriptor table page */
#define PGT_WRITABLE	  (6UL << PGT_TYPE_SHIFT)
#define PGT_SHARED	  (7UL << PGT_TYPE_SHIFT) /* the hypervisor's, which guests may map read-only */
#define PGT_TYPE_MASK	  (15UL << PGT_TYPE_SHIFT)
#define PGT_PINNED	  BIT(59)
#define PGT_VALIDATED	  BIT(58)
#define PGT_PARTIAL	  BIT(57)
#define PGT_PARTIAL_CHILD BIT(56)
#define PGT_NR_SHIFT	  46
#define PGT_NR_MASK	  (0x3ffUL << PGT_NR_SHIFT)
/* Since the type last changed, a domain other than the owner had the frame mapped writable. */
#define PGT_FOREIGN BIT(45)
/* Since the type last changed, the frame was mapped writable and not write-back. */
#define PGT_UNCACHED	BIT(44)
#define PGT_STAMP_SHIFT 24
#define PGT_STAMP_MASK	(0xfffffUL << PGT_STAMP_SHIFT)
#define PGT_DROPS_FULL	BIT(43) /* the count of drops starts again at 0 */
#define PGT_COUNT_MASK	(BIT(24) - 1)

#define PGT_STATE_MASK (PGT_VALIDATED | PGT_PARTIAL | PGT_PARTIAL_CHILD | PGT_NR_MASK)

/*
 * Takes a type reference. The caller holds a general reference on the frame, one for each type
 * reference. For page tables and descriptor pages the caller holds the owner's mmu_lock. Interrupts
 * are on, since TLBs of other CPUs may need a flush.
 *
 * Returns 0, or:
 *   -EINVAL    the frame is in use as another type, or is not a valid page of this type
 *   -EBUSY     the count is full
 *   -ERESTART  preempted (tables only; never when an idle vCPU runs, as in boot). The caller holds
 *              the type reference, on a partial page, and must call page_type_put.
 */
int __must_check page_type_get(struct page_info *pg, u64 type);
/*
 * Drops one. For tables the caller holds the owner's mmu_lock. -ERESTART: preempted; the reference
 * is still held, call again.
 */
int __must_check page_type_put(struct page_info *pg);
/*
 * page_get_from_mfn and page_type_get together, for the current vCPU. After -ERESTART the vCPU's
 * held_page owns both references: call again with the same arguments to go on, or call
 * page_held_settle.
 */
int __must_check page_get_and_type(mfn_t mfn, struct domain *d, u64 type, struct page_info **out);
void page_put_and_type(struct page_info *pg); /* not for tables that may be preempted */
/*
 * Drops both references of a table; the caller holds the owner's mmu_lock. If that is preempted,
 * the rest goes to held_page.
 */
void page_put_table(struct page_info *pg);
/*
 * Finishes the work on the current vCPU's held_page. Call this before each operation on page
 * tables, and after the last one of a hypercall, without an mmu_lock. Does nothing if held_page is
 * `target` (may be NULL), the page that the operation is about to reference. 0, or -ERESTART: call
 * again later.
 */
int __must_check page_held_settle(const struct page_info *target);

/*
 * Writes back and drops the cache lines of a frame that was written past the caches, so that reads
 * return what was written.
 */
void frame_flush_cache(mfn_t mfn);

/* Counts an L1 entry of another domain that maps the frame writable, and one that is gone. */
static inline void page_foreign_get(struct page_info *pg)
{
	u64 x = READ_ONCE(pg->type_info), new;

	do {
		new = x | PGT_FOREIGN;
		if (likely((x & PGT_NR_MASK) != PGT_NR_MASK))
			new += BIT(PGT_NR_SHIFT);
	} while (!atomic_cmpxchg(&pg->type_info, &x, new));
}
static inline void page_foreign_put(struct page_info *pg)
{
	u64 x = READ_ONCE(pg->type_info);

	/* At the most value the number is no longer known. */
	while ((x & PGT_NR_MASK) != PGT_NR_MASK &&
	       !atomic_cmpxchg(&pg->type_info, &x, x - BIT(PGT_NR_SHIFT)))
		;
}
static inline bool page_has_foreign_writer(const struct page_info *pg)
{
	u64 x = READ_ONCE(pg->type_info);

	return (x & PGT_TYPE_MASK) == PGT_WRITABLE && (x & PGT_NR_MASK);
}

static inline u64 page_type(const struct page_info *pg)
{
	return READ_ONCE(pg->type_info) & PGT_TYPE_MASK;
}
static inline u32 page_type_count(const struct page_info *pg)
{
	return READ_ONCE(pg->type_info) & PGT_COUNT_MASK;
}
/* The type of a page table of that level (1 to 4), and back. */
static inline u64 page_table_type(unsigned int level)
{
	return (u64)level << PGT_TYPE_SHIFT;
}
static inline unsigned int page_table_level(u64 type_info)
{
	return (unsigned int)((type_info & PGT_TYPE_MASK) >> PGT_TYPE_SHIFT);
}
static inline bool page_type_is_table(u64 type)
{
	return type - PGT_L1 <= PGT_L4 - PGT_L1;
}
/* The page is a VALIDATED page table: all its entries hold their references. */
static inline bool page_is_valid_table(u64 type_info)
{
	return page_type_is_table(type_info & PGT_TYPE_MASK) && (type_info & PGT_VALIDATED);
}

#endif
