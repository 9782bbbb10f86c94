/* SPDX-License-Identifier: MIT */
/*
 * GNTTABOP_copy. Each end of a copy is a grant, or a frame of the caller's own. The ends stay
 * pinned and mapped for the next copy of the same call. That one often has one of them again: a
 * packet may be spread over pages, or a page hold several packets.
 */
#include "core/grant/grant.h"

#include "hv/arch/frame.h"
#include "hv/arch/map.h"
#include "lib/string.h"

static void end_release(struct copy_end *e)
{
	struct page_info *pg;

	if (!e->held)
		return;
	e->held = false;
	unmap_frame(e->va);
	if (e->is_ref) {
		grant_unpin(e->domain, (u32)e->name, e->access);
		domain_put(e->domain);
		return;
	}
	pg = mfn_to_page(e->mfn);
	if (e->access == GRANT_WRITE)
		arch_page_put_writable(pg);
	page_put(pg);
}

static int end_take_grant(struct copy_end *e, u32 ref, domid_t domid)
{
	struct domain *ld = current->domain;
	int status;

	e->domain = domain_get_by_id(domid == DOMID_SELF ? ld->id : domid);
	if (!e->domain)
		return GNTST_bad_domain;
	status = e->domain->grants ? grant_pin(e->domain, ref, ld->id, e->access, &e->mfn) :
				     GNTST_bad_domain;
	if (status != GNTST_okay)
		domain_put(e->domain);
	return status;
}

static int end_take_own(struct copy_end *e, xen_pfn_t gfn, domid_t domid)
{
	struct page_info *pg;

	if (domid != DOMID_SELF)
		return GNTST_permission_denied;
	pg = guest_frame_get(current->domain, GFN(gfn), &e->mfn);
	if (!pg)
		return GNTST_bad_page;
	if (e->access == GRANT_WRITE && arch_page_get_writable(pg)) {
		page_put(pg);
		return GNTST_general_error;
	}
	return GNTST_okay;
}

static int end_take(struct copy_end *e, const struct gnttab_copy_ptr *p, bool is_ref,
		    enum grant_access access)
{
	u64 name = is_ref ? p->u.ref : p->u.gmfn;
	int status;

	if (e->held && e->is_ref == is_ref && e->domid == p->domid && e->name == name)
		return GNTST_okay;
	end_release(e);
	e->is_ref = is_ref;
	e->access = access;
	e->domid = p->domid;
	e->name = name;
	status = is_ref ? end_take_grant(e, p->u.ref, p->domid) :
			  end_take_own(e, p->u.gmfn, p->domid);
	if (status != GNTST_okay)
		return status;
	e->va = map_frame(e->mfn);
	e->held = true;
	return GNTST_okay;
}

__flatten void grant_copy(struct grant_batch *b, struct gnttab_copy *op)
{
	int status;

	if (op->source.offset + op->len > (int)PAGE_SIZE ||
	    op->dest.offset + op->len > (int)PAGE_SIZE) {
		op->status = GNTST_bad_copy_arg;
		return;
	}
	status = end_take(&b->source, &op->source, op->flags & GNTCOPY_source_gref, GRANT_READ);
	if (status == GNTST_okay)
		status = end_take(&b->dest, &op->dest, op->flags & GNTCOPY_dest_gref, GRANT_WRITE);
	/* Both ends may be the same page. */
	if (status == GNTST_okay)
		memmove(b->dest.va + op->dest.offset, b->source.va + op->source.offset, op->len);
	op->status = (s16)status;
}

void grant_copy_finish(struct grant_batch *b)
{
	end_release(&b->source);
	end_release(&b->dest);
}
