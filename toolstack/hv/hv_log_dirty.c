/* SPDX-License-Identifier: MIT */
/* The hypervisor's log of the pages that a domain writes to (xen/domctl.h, shadow_op). */
#include "hv/hv.h"

#include <errno.h>
#include <string.h>

#include "hv/hv_internal.h"

static int shadow_op(struct hv *hv, uint32_t domid, uint32_t what)
{
	hv_domctl_begin(hv, XEN_DOMCTL_shadow_op, domid)->u.shadow_op.op = what;
	return hv_domctl(hv);
}

int hv_log_dirty_start(struct hv *hv, uint32_t domid, struct error **e)
{
	int rc = shadow_op(hv, domid, XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY);

	/* A tool that was killed may have left it on. */
	if (rc < 0 && shadow_op(hv, domid, XEN_DOMCTL_SHADOW_OP_OFF) >= 0)
		rc = shadow_op(hv, domid, XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY);
	return rc < 0 ? hv_fail(e, -rc, "have the hypervisor log what domain %u writes", domid) : 0;
}

int hv_log_dirty_stop(struct hv *hv, uint32_t domid, struct error **e)
{
	int rc = shadow_op(hv, domid, XEN_DOMCTL_SHADOW_OP_OFF);

	return rc < 0 ? hv_fail(e, -rc, "end the log of what domain %u writes", domid) : 0;
}

int hv_log_dirty_round(struct hv *hv, uint32_t domid, uint64_t *bits, uint64_t pages, bool final,
		       struct error **e)
{
	size_t size = (size_t)((pages + 63) / 64 * 8);
	void *buffer = hv_buffer(hv, size, e);
	struct xen_domctl_shadow_op *op;
	int rc;

	if (!buffer)
		return -ENOMEM;
	memset(buffer, 0, size);
	op = &hv_domctl_begin(hv, XEN_DOMCTL_shadow_op, domid)->u.shadow_op;
	op->op = XEN_DOMCTL_SHADOW_OP_CLEAN;
	op->mode = final ? XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL : 0;
	op->pages = pages;
	set_xen_guest_handle(op->dirty_bitmap, buffer);
	rc = hv_domctl(hv);
	/* The hypervisor says how many pages the log has of those. */
	if (rc >= 0 && op->pages != pages)
		rc = -ERANGE;
	if (rc >= 0)
		memcpy(bits, buffer, size);
	hv_buffer_free(hv, buffer);
	return rc < 0 ? hv_fail(e, -rc, "read the log of what domain %u writes", domid) : 0;
}

int hv_log_dirty_count(struct hv *hv, uint32_t domid, uint64_t *pages, struct error **e)
{
	/* Without a place for the bitmap it only counts. */
	int rc = shadow_op(hv, domid, XEN_DOMCTL_SHADOW_OP_PEEK);

	if (rc < 0)
		return hv_fail(e, -rc, "read the log of what domain %u writes", domid);
	*pages = hv->op->domctl.u.shadow_op.stats.dirty_count;
	return 0;
}
