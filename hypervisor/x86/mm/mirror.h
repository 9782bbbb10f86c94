/* SPDX-License-Identifier: MIT */
/*
 * Mirrors: copies of a domain's validated page tables, which the processor walks while the domain's
 * writes are logged. The top of mirror.c explains them.
 */
#ifndef X86_MM_MIRROR_H
#define X86_MM_MIRROR_H

#include "hv/frame.h"
#include "x86/arch_domain.h"

/* The frames that a domain's mirrors are made of. The mmu_lock guards it while the log is on. */
struct mirror_pool {
	u32 *buckets; /* mirrors by their table's frame, linked by next */
	unsigned long nr_buckets;
	u32 free; /* unused frames, linked by next */
	unsigned long nr_free, nr_frames;
	unsigned long cursor; /* the bucket where mirror_protect goes on */
	bool draining;
};

/*
 * Grows the pool to `frames`. 0, -ENOMEM, or -ERESTART: call again. The log is off, and nobody else
 * works on the pool.
 */
int __must_check mirror_pool_fill(struct mirror_pool *pool, unsigned long frames);
/* Frees all, in steps. 0, or -ERESTART: call again. The log is off, and no CPU walks a mirror. */
int __must_check mirror_pool_drain(struct mirror_pool *pool);

/* For the functions below: d's log is on, and the caller holds d's mmu_lock. */

/* Makes sure that the next `frames` mirrors, a few, find a frame. May drop all others. */
void mirror_reserve(struct domain *d, unsigned long frames);
/* The mirror of an L4 table; makes it if there is none (mirror_reserve). */
mfn_t mirror_of_l4(struct domain *d, const struct page_info *l4);
/* An entry of a valid table, mapped at `slot`, has changed. */
void mirror_update(struct domain *d, const struct page_info *table, const u64 *slot);
/* The table is one no longer. */
void mirror_drop(struct domain *d, const struct page_info *table);
/*
 * Takes the right to write away from entries that got it by a first write. 0, or -ERESTART: call
 * again. The caller flushes the TLBs after that.
 */
int __must_check mirror_protect(struct domain *d);
#ifdef HV_DEBUG
/* Compares each mirror with its table. */
void mirror_check(struct domain *d);
#else
static inline void mirror_check(struct domain *d)
{
}
#endif

/*
 * The current vCPU faulted at `addr`, or the hypervisor did for it. True: the access may be tried
 * again. False also if the log of its domain is off. The caller does not hold the mmu_lock if the
 * access is a write. Interrupts are as they were when it faulted.
 */
bool mirror_fault(unsigned long addr, u32 error_code);

#endif
