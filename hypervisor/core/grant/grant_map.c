/* SPDX-License-Identifier: MIT */
/*
 * Mapping of grants: the mapper's handles, and what happens to them on map, on unmap, and when the
 * mapper dies.
 */
#include "core/grant/grant.h"

#include "hv/arch/frame.h"
#include "hv/arch/guest.h"
#include "hv/hv_heap.h"
#include "hv/hypercall.h"
#include "lib/errno.h"

#define MAPPED (GNTMAP_host_map | GNTMAP_device_map)
/* Mappings that are dropped between two checks for preemption. */
#define RELEASE_BATCH 64

static enum grant_access access_of(u32 flags)
{
	return flags & GNTMAP_readonly ? GRANT_READ : GRANT_WRITE;
}

/* gt->lock held. */
static struct maptrack *maptrack_entry(const struct grant_table *gt, grant_handle_t handle)
{
	return gt->maptrack[handle / MAPTRACK_PER_FRAME] + handle % MAPTRACK_PER_FRAME;
}

static u32 maptrack_count(const struct grant_table *gt)
{
	return gt->nr_maptrack_frames * (u32)MAPTRACK_PER_FRAME;
}

/* gt->lock held. */
static void maptrack_put(struct grant_table *gt, grant_handle_t handle)
{
	struct maptrack *m = maptrack_entry(gt, handle);

	m->granter = NULL;
	m->flags = 0;
	m->ref = gt->maptrack_free;
	gt->maptrack_free = handle;
}

/* gt->lock held. */
static bool maptrack_grow(struct grant_table *gt)
{
	u32 first = maptrack_count(gt);
	struct maptrack *frame;

	if (gt->nr_maptrack_frames >= gt->max_maptrack_frames)
		return false;
	frame = hv_alloc_pages(0);
	if (!frame)
		return false;
	gt->maptrack[gt->nr_maptrack_frames++] = frame;
	for (u32 i = MAPTRACK_PER_FRAME; i-- > 0;)
		maptrack_put(gt, first + i);
	return true;
}

/*
 * Takes a handle. Nobody else uses its entry until map_for_handle sets flags. MAPTRACK_NONE: no
 * more.
 */
static grant_handle_t maptrack_get(struct grant_table *gt)
{
	grant_handle_t handle;

	spin_lock(&gt->lock);
	handle = gt->maptrack_free;
	if (handle == MAPTRACK_NONE && maptrack_grow(gt))
		handle = gt->maptrack_free;
	if (handle != MAPTRACK_NONE)
		gt->maptrack_free = maptrack_entry(gt, handle)->ref;
	spin_unlock(&gt->lock);
	return handle;
}

void maptrack_free_all(struct grant_table *gt)
{
	for (unsigned int i = 0; i < gt->nr_maptrack_frames; i++)
		hv_free_pages(gt->maptrack[i], 0);
}

/* Pins the grant, maps it and fills the handle's entry. */
static int map_for_handle(struct domain *ld, struct domain *granter,
			  struct gnttab_map_grant_ref *op, grant_handle_t handle)
{
	struct grant_table *gt = ld->grants;
	enum grant_access access = access_of(op->flags);
	struct maptrack *m;
	mfn_t frame;
	int status;

	status = grant_pin(granter, op->ref, ld->id, access, &frame);
	if (status != GNTST_okay)
		return status;
	if (op->flags & GNTMAP_host_map) {
		status = arch_grant_map(op->host_addr, frame, op->flags);
		if (status != GNTST_okay) {
			grant_unpin(granter, op->ref, access);
			return status;
		}
	}
	/*
	 * No lock: while flags say that nothing is mapped, nobody looks at the rest of the entry.
	 */
	m = maptrack_entry(gt, handle);
	m->granter = granter;
	m->ref = op->ref;
	smp_wmb();
	WRITE_ONCE(m->flags, op->flags & ~MAPTRACK_BUSY);
	op->handle = handle;
	op->dev_bus_addr = mfn_to_maddr(frame);
	return GNTST_okay;
}

__flatten void grant_map(struct gnttab_map_grant_ref *op)
{
	struct domain *ld = current->domain, *granter;
	struct grant_table *gt = ld->grants;
	grant_handle_t handle;

	op->handle = 0;
	op->dev_bus_addr = 0;
	if (!(op->flags & MAPPED)) {
		op->status = GNTST_bad_gntref;
		return;
	}
	granter = domain_get_by_id(op->dom);
	if (!granter || !granter->grants) {
		op->status = GNTST_bad_domain;
		goto put;
	}
	handle = maptrack_get(gt);
	if (handle == MAPTRACK_NONE) {
		op->status = GNTST_no_space;
		goto put;
	}
	op->status = (s16)map_for_handle(ld, granter, op, handle);
	/* The mapping keeps the reference on the granter. */
	if (op->status == GNTST_okay)
		return;
	spin_lock(&gt->lock);
	maptrack_put(gt, handle);
	spin_unlock(&gt->lock);
put:
	if (granter)
		domain_put(granter);
}

/*
 * Claims the entry for an unmap and copies it. False: there is no such mapping, or another CPU is
 * unmapping it.
 */
static bool maptrack_begin_unmap(struct grant_table *gt, grant_handle_t handle,
				 struct maptrack *copy)
{
	struct maptrack *m;
	bool ok = false;

	spin_lock(&gt->lock);
	if (handle < maptrack_count(gt)) {
		m = maptrack_entry(gt, (u32)index_below(handle, maptrack_count(gt)));
		if ((m->flags & MAPPED) && !(m->flags & MAPTRACK_BUSY)) {
			*copy = *m;
			m->flags |= MAPTRACK_BUSY;
			ok = true;
		}
	}
	spin_unlock(&gt->lock);
	return ok;
}

/*
 * Ends an unmap: the mappings in `gone` (of MAPPED) no longer exist. True: those were the last, and
 * the handle is free now.
 */
static bool maptrack_end_unmap(struct grant_table *gt, grant_handle_t handle, u32 gone)
{
	struct maptrack *m;
	bool last;

	spin_lock(&gt->lock);
	m = maptrack_entry(gt, handle);
	m->flags &= ~(gone | MAPTRACK_BUSY);
	last = !(m->flags & MAPPED);
	if (last)
		maptrack_put(gt, handle);
	spin_unlock(&gt->lock);
	return last;
}

__flatten int grant_unmap(struct grant_batch *b, grant_handle_t handle, u64 host_addr,
			  u64 dev_bus_addr, u64 new_addr)
{
	struct grant_table *gt = current->domain->grants;
	int status = GNTST_okay;
	struct maptrack m;
	u32 gone = 0;
	mfn_t frame;

	if (!maptrack_begin_unmap(gt, handle, &m))
		return GNTST_bad_handle;
	frame = grant_pinned_frame(m.granter, m.ref);
	if (dev_bus_addr && (m.flags & GNTMAP_device_map)) {
		if (dev_bus_addr == mfn_to_maddr(frame))
			gone |= GNTMAP_device_map;
		else
			status = GNTST_bad_dev_addr;
	}
	if (status == GNTST_okay && host_addr && (m.flags & GNTMAP_host_map)) {
		status = arch_grant_unmap(host_addr, frame, new_addr, m.flags);
		if (status == GNTST_okay) {
			gone |= GNTMAP_host_map;
			b->stale = true;
		}
	}
	if (!maptrack_end_unmap(gt, handle, gone))
		return status;
	b->unmapped[b->nr].granter = m.granter;
	b->unmapped[b->nr].ref = m.ref;
	b->unmapped[b->nr].access = access_of(m.flags);
	if (++b->nr == UNMAP_BATCH)
		grant_unmap_finish(b);
	return status;
}

__flatten void grant_unmap_finish(struct grant_batch *b)
{
	/*
	 * Flush first: once the pins are dropped, the frames may be used for something else.
	 *
	 * Flush also if a device mapping still holds the pin. The host mapping must be gone from
	 * the TLBs all the same, and whoever drops that pin later cannot know whether somebody has
	 * flushed.
	 */
	if (b->nr || b->stale)
		arch_tlb_flush_domain(current->domain);
	b->stale = false;
	for (unsigned int i = 0; i < b->nr; i++) {
		grant_unpin(b->unmapped[i].granter, b->unmapped[i].ref, b->unmapped[i].access);
		domain_put(b->unmapped[i].granter);
	}
	b->nr = 0;
}

/* d no longer runs. Its page tables still have the mappings, but no CPU uses them. */
int grant_domain_release_mappings(struct domain *d)
{
	struct grant_table *gt = d->grants;
	struct maptrack m;
	u32 handle;

	while ((handle = gt->release_next) < maptrack_count(gt)) {
		gt->release_next++;
		if (maptrack_begin_unmap(gt, handle, &m)) {
			(void)maptrack_end_unmap(gt, handle, MAPPED);
			grant_unpin(m.granter, m.ref, access_of(m.flags));
			domain_put(m.granter);
		}
		if (gt->release_next % RELEASE_BATCH == 0 && hypercall_preempt_check())
			return -ERESTART;
	}
	return 0;
}
