/* SPDX-License-Identifier: MIT */
/*
 * Where frames appear in the memory of a domain whose frame numbers are its own: add_to_physmap,
 * its batch, and remove_from_physmap. A PV domain addresses machine frames and has nothing to
 * change.
 */
#include "core/memory/memory_op.h"

#include "hv/arch/frame.h"
#include "hv/arch/guest_access.h"
#include "hv/arch/map.h"
#include "hv/frame.h"
#include "hv/grant.h"
#include "lib/errno.h"

/* The domain that a call changes, with a reference. NULL: *err is -ESRCH, -EPERM, -EOPNOTSUPP. */
static struct domain *target_get(domid_t id, int *err)
{
	struct domain *d = hypercall_target(id, err);

	if (d && guest_frames_are_machine(d)) {
		domain_put(d);
		*err = -EOPNOTSUPP;
		d = NULL;
	}
	return d;
}

/* A page of the hypervisor that d may map. */
static int add_shared(struct domain *d, mfn_t mfn, gfn_t gfn)
{
	return arch_gfn_map(d, gfn, mfn, 0, GFN_OWN);
}

static int add_grant_frame(struct domain *d, xen_ulong_t idx, gfn_t gfn)
{
	mfn_t mfn;
	int err;

	/* Tables of version 1 have no status frames. */
	if (!d->grants || (idx & XENMAPIDX_grant_table_status) || idx > ~0U)
		return -EINVAL;
	err = grant_get_shared_frame(d, (unsigned int)idx, &mfn);
	return err ? err : add_shared(d, mfn, gfn);
}

/* Moves the frame that d calls `from`. Of two calls that move one frame, one finds nothing. */
static int move_own(struct domain *d, gfn_t from, gfn_t gfn)
{
	mfn_t mfn;
	struct page_info *pg = guest_frame_get(d, from, &mfn);
	int err;

	if (!pg)
		return -EINVAL;
	err = arch_gfn_unmap(d, from, mfn);
	if (!err) {
		err = arch_gfn_map(d, gfn, mfn, 0, GFN_OWN);
		/* Back to where it was. If even that fails, d is dying. */
		if (err && arch_gfn_map(d, from, mfn, 0, GFN_OWN))
			err = -ESRCH;
	}
	page_put(pg);
	return err;
}

static int add_foreign(struct domain *d, domid_t foreign, gfn_t from, gfn_t gfn)
{
	struct domain *fd;
	struct page_info *pg;
	mfn_t mfn;
	int err = 0;

	fd = hypercall_target(foreign, &err);
	if (!fd)
		return err;
	pg = fd == d ? NULL : guest_frame_get(fd, from, &mfn);
	if (pg) {
		err = arch_gfn_map(d, gfn, mfn, 0, GFN_FOREIGN);
		page_put(pg);
	} else {
		err = -EINVAL;
	}
	domain_put(fd);
	return err;
}

static int add_one(struct domain *d, unsigned int space, domid_t foreign, xen_ulong_t idx,
		   xen_pfn_t gpfn)
{
	if (gpfn >= MEMORY_PFN_MAX)
		return -EINVAL;
	switch (space) {
	case XENMAPSPACE_shared_info:
		return idx ? -EINVAL : add_shared(d, virt_to_mfn(d->shared_info), GFN(gpfn));
	case XENMAPSPACE_grant_table:
		return add_grant_frame(d, idx, GFN(gpfn));
	case XENMAPSPACE_gmfn:
	case XENMAPSPACE_gmfn_range:
		return move_own(d, GFN(idx), GFN(gpfn));
	case XENMAPSPACE_gmfn_foreign:
		return add_foreign(d, foreign, GFN(idx), GFN(gpfn));
	default:
		return -EOPNOTSUPP;
	}
}

#define ADDS_PER_CHECK 16

long memory_add(void *arg, unsigned long *done)
{
	const struct xen_add_to_physmap *a = arg;
	unsigned long n = a->space == XENMAPSPACE_gmfn_range ? a->size : 1;
	struct domain *d;
	int err = 0;

	if (a->space == XENMAPSPACE_gmfn_foreign || *done > n)
		return -EINVAL;
	d = target_get(a->domid, &err);
	if (!d)
		return err;
	for (unsigned long i = *done; !err && i < n; i++) {
		if (i != *done && i % ADDS_PER_CHECK == 0 && hypercall_preempt_check()) {
			*done = i;
			err = -ERESTART;
			break;
		}
		err = add_one(d, a->space, DOMID_INVALID, a->idx + i, a->gpfn + i);
	}
	domain_put(d);
	return err;
}

long memory_add_batch(void *arg, unsigned long *done)
{
	const struct xen_add_to_physmap_batch *a = arg;
	struct domain *d;
	int err = 0;

	if (a->space == XENMAPSPACE_gmfn_range || *done > a->size ||
	    (a->space != XENMAPSPACE_gmfn_foreign && a->u.res0))
		return -EINVAL;
	d = target_get(a->domid, &err);
	if (!d)
		return err;
	for (unsigned long i = *done; i < a->size; i++) {
		xen_ulong_t idx;
		xen_pfn_t gpfn;
		int status;

		if (i != *done && i % ADDS_PER_CHECK == 0 && hypercall_preempt_check()) {
			*done = i;
			err = -ERESTART;
			break;
		}
		if (copy_from_guest_offset(&idx, a->idxs, i, 1) ||
		    copy_from_guest_offset(&gpfn, a->gpfns, i, 1)) {
			err = -EFAULT;
			break;
		}
		/* One that fails does not end the batch. */
		status = add_one(d, a->space, a->u.foreign_domid, idx, gpfn);
		if (copy_to_guest_offset(a->errs, i, &status, 1)) {
			err = -EFAULT;
			break;
		}
	}
	domain_put(d);
	return err;
}

/* The frame stays its owner's. */
long memory_remove(void *arg, unsigned long *done)
{
	const struct xen_remove_from_physmap *r = arg;
	struct domain *d;
	int err = 0;

	d = target_get(r->domid, &err);
	if (!d)
		return err;
	err = arch_gfn_unmap(d, GFN(r->gpfn), INVALID_MFN);
	domain_put(d);
	return err;
}
