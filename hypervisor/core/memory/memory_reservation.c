/* SPDX-License-Identifier: MIT */
/*
 * A domain's reservation grows and shrinks. These calls return only the number of extents that they
 * did; a number smaller than the request means an error (xen/memory.h).
 */
#include "core/memory/memory_op.h"

#include "hv/arch/frame.h"
#include "hv/arch/guest_access.h"
#include "hv/atomic.h"
#include "hv/console.h"
#include "hv/frame.h"
#include "hv/page_alloc.h"
#include "lib/errno.h"

bool memory_flags_decode(unsigned int mem_flags, unsigned int order, unsigned int *memf)
{
	unsigned int bits = XENMEMF_get_address_bits(mem_flags);

	*memf = 0;
	if (mem_flags & (XENMEMF_populate_on_demand | XENMEMF_vnode))
		return false;
	if (bits && bits < 64) {
		if (bits <= order + PAGE_SHIFT)
			return false;
		*memf = MEMF_BITS(bits);
	}
	return true;
}

/*
 * Adds or removes extents, from `extent` on, the index in r->extent_start: how many; 0: that fails.
 */
typedef unsigned long extent_fn(struct domain *d, const struct xen_memory_reservation *r,
				unsigned long extent, unsigned int memf);

static long for_each_extent(struct xen_memory_reservation *r, unsigned long *done, extent_fn *fn)
{
	unsigned long i = *done, n;
	unsigned int memf;
	struct domain *d;
	long ret;
	int err;

	if (r->nr_extents > MEMOP_EXTENTS_MAX || r->extent_order > MEMORY_ORDER_MAX ||
	    i > r->nr_extents || !memory_flags_decode(r->mem_flags, r->extent_order, &memf))
		return (long)i;
	d = hypercall_target(r->domid, &err);
	if (!d)
		return (long)i;
	ret = (long)r->nr_extents;
	for (; i < r->nr_extents; i += n) {
		if (i != *done && hypercall_preempt_check()) {
			*done = i;
			ret = -ERESTART;
			break;
		}
		n = fn(d, r, i, memf);
		if (!n) {
			ret = (long)i;
			break;
		}
	}
	domain_put(d);
	return ret;
}

static unsigned long extent_add(struct domain *d, const struct xen_memory_reservation *r,
				unsigned long extent, unsigned int memf)
{
	struct page_info *pg;
	xen_pfn_t mfn;

	/* A frame without a number of the domain's would be of no use to it. */
	if (!guest_frames_are_machine(d))
		return 0;
	pg = page_alloc(d, r->extent_order, memf);
	if (!pg)
		return 0;
	mfn = mfn_x(page_to_mfn(pg));
	return guest_handle_is_null(r->extent_start) ||
	       !copy_to_guest_offset(r->extent_start, extent, &mfn, 1);
}

/*
 * Sets the machine-to-phys entries of new frames. Another vCPU of d, or d's destruction, may have
 * freed the frames already, so they may belong to another domain now. A frame that is still d's
 * stays d's while memory.lock is held, and its entry is reset when it is freed.
 */
static void name_frames(struct domain *d, const struct page_info *pg, unsigned int order,
			xen_pfn_t pfn)
{
	u32 owner = domain_to_owner(d);

	spin_lock(&d->memory.lock);
	for (unsigned long i = 0; i < 1UL << order; i++)
		if (likely(READ_ONCE(pg[i].owner) == owner))
			m2p_set(page_to_mfn(pg + i), pfn + i);
	spin_unlock(&d->memory.lock);
}

/*
 * The frames get the numbers from pfn on. If that fails they go back; d's destruction may have
 * taken some already.
 */
static bool number_frames(struct domain *d, struct page_info *pg, unsigned int order, xen_pfn_t pfn)
{
	unsigned long n = 1UL << order;

	if (!arch_gfn_map(d, GFN(pfn), page_to_mfn(pg), order, GFN_OWN))
		return true;
	for (unsigned long i = 0; i < n; i++) {
		if (page_get(pg + i, d)) {
			page_put_alloc_ref(pg + i);
			page_put(pg + i);
		}
	}
	return false;
}

static unsigned long extent_populate(struct domain *d, const struct xen_memory_reservation *r,
				     unsigned long extent, unsigned int memf)
{
	struct page_info *pg;
	xen_pfn_t pfn, mfn;

	if (copy_from_guest_offset(&pfn, r->extent_start, extent, 1) || pfn >= MEMORY_PFN_MAX)
		return 0;
	pg = page_alloc(d, r->extent_order, memf);
	if (!pg)
		return 0;
	if (!guest_frames_are_machine(d))
		return number_frames(d, pg, r->extent_order, pfn);
	name_frames(d, pg, r->extent_order, pfn);
	for (unsigned long i = 0; i < 1UL << r->extent_order; i++)
		arch_pfn_written(d, pfn + i);
	mfn = mfn_x(page_to_mfn(pg));
	return !copy_to_guest_offset(r->extent_start, extent, &mfn, 1);
}

/* Gives up one frame. Other references keep it from being freed. */
static bool frame_remove(struct domain *d, gfn_t gfn)
{
	mfn_t mfn;
	struct page_info *pg = guest_frame_get(d, gfn, &mfn);
	bool removed = false;

	if (!pg)
		return false;
	/* The domain cannot give away a page that the hypervisor shares with it. */
	if (!(READ_ONCE(pg->count_info) & PGC_HV)) {
		m2p_set(mfn, M2P_INVALID);
		page_put_alloc_ref(pg);
		removed = true;
	}
	page_put(pg);
	return removed;
}

/* Extents of one frame that are given up together: their translations are flushed once. */
#define GIVE_UP_BATCH 64

static unsigned long extents_give_up(struct domain *d, const struct xen_memory_reservation *r,
				     unsigned long extent)
{
	unsigned int n = r->extent_order ? 1 :
					   (unsigned int)min(r->nr_extents - extent,
							     (unsigned long)GIVE_UP_BATCH);
	xen_pfn_t numbers[GIVE_UP_BATCH];
	gfn_t gfns[GIVE_UP_BATCH];

	if (copy_from_guest_offset(numbers, r->extent_start, extent, n))
		return 0;
	for (unsigned int i = 0; i < n; i++)
		gfns[i] = GFN(numbers[i]);
	return arch_gfn_give_up(d, gfns, n, r->extent_order);
}

static unsigned long extent_remove(struct domain *d, const struct xen_memory_reservation *r,
				   unsigned long extent, unsigned int memf)
{
	xen_pfn_t gfn;

	if (!guest_frames_are_machine(d))
		return extents_give_up(d, r, extent);
	if (copy_from_guest_offset(&gfn, r->extent_start, extent, 1))
		return 0;
	for (unsigned long i = 0; i < 1UL << r->extent_order; i++)
		if (!frame_remove(d, GFN(gfn + i)))
			return 0;
	return 1;
}

long memory_increase(void *arg, unsigned long *done)
{
	return for_each_extent(arg, done, extent_add);
}

long memory_populate(void *arg, unsigned long *done)
{
	return for_each_extent(arg, done, extent_populate);
}

long memory_decrease(void *arg, unsigned long *done)
{
	return for_each_extent(arg, done, extent_remove);
}

long memory_claim(void *arg, unsigned long *done)
{
	const struct xen_memory_reservation *r = arg;
	struct domain *d;
	int err;

	if (!guest_handle_is_null(r->extent_start) || r->extent_order || r->mem_flags)
		return -EINVAL;
	d = hypercall_target(r->domid, &err);
	if (!d)
		return err;
	err = page_claim(d, r->nr_extents);
	domain_put(d);
	return err;
}
