/* SPDX-License-Identifier: MIT */
/* Control operations on the log of dirty pages and on the memory that it takes (xen/domctl.h). */
#include "x86/guest/domctl.h"

#include "hv/arch/guest_access.h"
#include "lib/errno.h"
#include "x86/mm/log_dirty.h"

#define PAGES_PER_MIB (MiB(1) / PAGE_SIZE)

static int copy_bitmap(void *op, u64 at, const void *from, size_t n)
{
	const struct xen_domctl_shadow_op *s = op;

	return copy_to_guest(guest_ptr(s->dirty_bitmap) + at, from, n) ? -EFAULT : 0;
}

static long round_op(struct domain *d, struct xen_domctl_shadow_op *s, unsigned int flags)
{
	struct log_dirty_result result;
	int err;

	if (s->mode & ~(u32)XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL)
		return -EINVAL;
	if (s->mode & XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL)
		flags |= LOG_DIRTY_FINAL;
	err = log_dirty_round(d, guest_handle_is_null(s->dirty_bitmap) ? NULL : copy_bitmap, s,
			      s->pages, flags, &result);
	if (err)
		return err;
	s->stats.dirty_count = result.dirty;
	s->stats.fault_count = result.faults;
	return 0;
}

long domctl_shadow(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_shadow_op *s = &op->u.shadow_op;

	/* The log stops d's vCPUs, which the caller's domain cannot do to itself. */
	if (d == current->domain)
		return -EINVAL;
	switch (s->op) {
	case XEN_DOMCTL_SHADOW_OP_OFF:
		return log_dirty_disable(d, guest_ops(d)->reload_tables);
	case XEN_DOMCTL_SHADOW_OP_ENABLE:
		if (s->mode != XEN_DOMCTL_SHADOW_ENABLE_LOG_DIRTY)
			return -EOPNOTSUPP;
		return log_dirty_enable(d, guest_ops(d)->reload_tables);
	case XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY:
		return log_dirty_enable(d, guest_ops(d)->reload_tables);
	case XEN_DOMCTL_SHADOW_OP_CLEAN:
		return round_op(d, s, LOG_DIRTY_TAKE);
	case XEN_DOMCTL_SHADOW_OP_PEEK:
		return round_op(d, s, 0);
	case XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION:
		s->mb = (u32)DIV_ROUND_UP(log_dirty_pool_pages(d), PAGES_PER_MIB);
		return 0;
	case XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION:
		d->arch->paging_pool_pages = s->mb * PAGES_PER_MIB;
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

/* In bytes. Counts from the next time that the log is turned on. */
long domctl_set_mempool(struct domain *d, struct xen_domctl *op)
{
	u64 size = op->u.paging_mempool.size;

	if (size % PAGE_SIZE)
		return -EINVAL;
	d->arch->paging_pool_pages = size / PAGE_SIZE;
	return 0;
}

long domctl_get_mempool(struct domain *d, struct xen_domctl *op)
{
	op->u.paging_mempool.size = log_dirty_pool_pages(d) * PAGE_SIZE;
	return 0;
}
