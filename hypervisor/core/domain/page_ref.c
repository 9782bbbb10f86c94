/* SPDX-License-Identifier: MIT */
/*
 * Owners of frames and references to them.
 *
 * An unowned frame has a count of 0 and no PGC_ALLOCATED, and page_get takes no reference without
 * PGC_ALLOCATED. So a count that has reached 0 stays 0, whatever other CPUs try, and only the CPU
 * that brought it to 0 frees the frame. The owner is set before count_info lets anybody in, and
 * cleared after the count has reached 0.
 */
#include "hv/frame.h"

#include "core/base/page_alloc_internal.h"
#include "hv/arch/frame.h"
#include "hv/atomic.h"
#include "hv/console.h"
#include "hv/domain.h"
#include "hv/page_alloc.h"
#include "hv/spinlock.h"
#include "lib/errno.h"

#define PGC_OWNED ((u32)(PGC_ALLOCATED | 1))

int page_assign_prepared(struct domain *d, struct page_info *pg, unsigned int order,
			 unsigned int memf)
{
	unsigned long n = 1UL << order;
	bool counted = !(memf & MEMF_NO_REFCOUNT);
	int err = 0;

	spin_lock(&d->memory.lock);
	if (domain_is_dying(d)) {
		err = -EINVAL;
	} else if (counted) {
		if ((u64)d->memory.tot_pages + n > d->memory.max_pages)
			err = -E2BIG;
		/* All pages together hold one reference. */
		else if (!d->memory.tot_pages && !domain_get(d))
			err = -EINVAL;
		else
			d->memory.tot_pages += (u32)n;
	}
	for (unsigned long i = 0; !err && i < n; i++) {
		ASSERT(!pg[i].owner && !pg[i].count_info);
		page_list_add_tail(pg + i, &d->memory.pages);
		WRITE_ONCE(pg[i].owner, domain_to_owner(d));
		smp_wmb();
		WRITE_ONCE(pg[i].count_info, PGC_OWNED);
	}
	spin_unlock(&d->memory.lock);
	return err;
}

int page_assign(struct domain *d, struct page_info *pg, unsigned int order, unsigned int memf)
{
	arch_page_reused(pg, order);
	return page_assign_prepared(d, pg, order, memf);
}

/*
 * Takes a frame off d's list. Caller holds d->memory.lock. True: that was d's last page, and the
 * caller drops d's reference for its pages.
 */
static bool page_unlink(struct domain *d, struct page_info *pg, bool counted)
{
	page_list_del(pg, &d->memory.pages);
	WRITE_ONCE(pg->owner, 0);
	return counted && --d->memory.tot_pages == 0;
}

int page_steal(struct domain *d, struct page_info *pg, unsigned int memf)
{
	u32 only_allocated = PGC_OWNED;
	bool last = false;
	int err = 0;

	spin_lock(&d->memory.lock);
	if (page_owner(pg) != d || (READ_ONCE(pg->count_info) & PGC_HV))
		err = -EINVAL;
	else if (arch_page_has_type(pg) || !atomic_cmpxchg(&pg->count_info, &only_allocated, 0))
		err = -EBUSY;
	else
		last = page_unlink(d, pg, !(memf & MEMF_NO_REFCOUNT));
	spin_unlock(&d->memory.lock);
	if (err)
		return err;
	arch_page_freed(pg, 0);
	if (last)
		domain_put(d);
	return 0;
}

/*
 * Checks and changes count and owner in one atomic step: d owns the frame when the reference is
 * taken, whatever other CPUs do.
 */
bool page_get(struct page_info *pg, const struct domain *d)
{
	u64 x = READ_ONCE(pg->count_and_owner);

	do {
		if (x >> 32 != domain_to_owner(d) || !(x & PGC_ALLOCATED) ||
		    (x & PGC_COUNT_MASK) == PGC_COUNT_MASK)
			return false;
	} while (!atomic_cmpxchg(&pg->count_and_owner, &x, x + 1));
	return true;
}

static noinline void page_last_put(struct page_info *pg)
{
	struct domain *d = page_owner(pg);
	bool last;

	if (pg->count_info & PGC_HV) {
		shared_page_release(pg);
		return;
	}
	spin_lock(&d->memory.lock);
	last = page_unlink(d, pg, true);
	spin_unlock(&d->memory.lock);
	page_alloc_release(pg, d);
	if (last)
		domain_put(d);
}

void page_put(struct page_info *pg)
{
	u32 x = atomic_sub_return(&pg->count_info, 1);

	ASSERT((x & PGC_COUNT_MASK) != PGC_COUNT_MASK);
	if (unlikely(!(x & PGC_COUNT_MASK)))
		page_last_put(pg);
}

struct page_info *page_get_from_mfn(mfn_t mfn, const struct domain *d)
{
	struct page_info *pg;

	if (!mfn_valid(mfn))
		return NULL;
	pg = mfn_to_page(mfn);
	return page_get(pg, d) ? pg : NULL;
}

void page_put_alloc_ref(struct page_info *pg)
{
	u32 old = __atomic_fetch_and(&pg->count_info, ~(u32)PGC_ALLOCATED, __ATOMIC_SEQ_CST);

	if (old & PGC_ALLOCATED)
		page_put(pg);
}
