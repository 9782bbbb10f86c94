/* SPDX-License-Identifier: MIT */
/*
 * Pages of the hypervisor that a guest may map. Such a frame is a page of the heap. It has an owner
 * and references like a guest's own frames, and a type reference that keeps it from ever becoming a
 * page table.
 *
 * shared_page_free takes the frame from its owner at once: if somebody still maps the frame, it
 * must not point to a domain that is about to be freed. The frame then belongs to dom_xen until its
 * last reference is dropped.
 */
#include "hv/hv_heap.h"

#include "core/base/page_alloc_internal.h"
#include "hv/arch/frame.h"
#include "hv/arch/map.h"
#include "hv/atomic.h"
#include "hv/domain.h"
#include "hv/spinlock.h"

void *shared_page_alloc(struct domain *d, bool guest_writable)
{
	void *va = hv_alloc_pages(0);
	struct page_info *pg;

	if (!va)
		return NULL;
	pg = virt_to_page(va);
	arch_page_share(pg, guest_writable);
	spin_lock(&d->memory.lock);
	page_list_add_tail(pg, &d->memory.hv_pages);
	WRITE_ONCE(pg->owner, domain_to_owner(d));
	spin_unlock(&d->memory.lock);
	smp_wmb();
	WRITE_ONCE(pg->count_info, (u32)(PGC_HV | PGC_ALLOCATED | 1));
	return va;
}

void shared_page_free(void *va)
{
	struct page_info *pg = virt_to_page(va);
	struct domain *d = page_owner(pg);

	spin_lock(&d->memory.lock);
	page_list_del(pg, &d->memory.hv_pages);
	WRITE_ONCE(pg->owner, domain_to_owner(dom_xen));
	spin_unlock(&d->memory.lock);
	page_put_alloc_ref(pg);
}

void shared_page_release(struct page_info *pg)
{
	/* Flush now: the heap reuses pages without a check for stale translations. */
	arch_page_freed(pg, 0);
	arch_page_reused(pg, 0);
	hv_free_pages(mfn_to_hv_virt(page_to_mfn(pg)), 0);
}
