/* SPDX-License-Identifier: MIT */
/* Control operations on a domain that only x86 has, or that read state that x86 keeps. */
#include "x86/guest/domctl.h"

#include "hv/arch/control.h"
#include "hv/arch/frame.h"
#include "hv/arch/guest.h"
#include "hv/arch/guest_access.h"
#include "hv/arch/map.h"
#include "hv/frame.h"
#include "hv/hypercall.h"
#include "lib/errno.h"
#include "x86/mm/page_types.h"

static long domctl_hypercall_init(struct domain *d, struct xen_domctl *op)
{
	mfn_t mfn;
	struct page_info *pg = guest_frame_get(d, GFN(op->u.hypercall_init.gmfn), &mfn);
	void *page;

	if (!pg)
		return -EACCES;
	if (arch_page_get_writable(pg)) {
		page_put(pg);
		return -EACCES;
	}
	page = map_frame(mfn);
	guest_ops(d)->hypercall_page_init(page);
	unmap_frame(page);
	arch_page_put_writable(pg);
	page_put(pg);
	return 0;
}

static long domctl_set_address_size(struct domain *d, struct xen_domctl *op)
{
	switch (op->u.address_size.size) {
	case 64:
		return 0;
	case 32:
		return -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
}

static long domctl_get_address_size(struct domain *d, struct xen_domctl *op)
{
	op->u.address_size.size = 64;
	return 0;
}

#define IO_PORTS 65536

static long domctl_ioport_permission(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_ioport_permission *p = &op->u.ioport_permission;
	struct rangeset *caps = &d->arch->ioport_caps;
	unsigned long first = p->first_port, last = first + p->nr_ports - 1;
	long err;

	if (!p->nr_ports || first >= IO_PORTS || p->nr_ports > IO_PORTS - first)
		return -EINVAL;
	if (!rangeset_contains(&current->domain->arch->ioport_caps, first, last))
		return -EPERM;
	spin_lock(&d->lock);
	err = p->allow_access ? rangeset_add(caps, first, last) :
				rangeset_remove(caps, first, last);
	spin_unlock(&d->lock);
	return err;
}

/* The frame's type, as a tool that saves the domain needs it. */
static xen_pfn_t frame_type(struct domain *d, gfn_t gfn)
{
	static const u32 tables[] = { XEN_DOMCTL_PFINFO_L1TAB, XEN_DOMCTL_PFINFO_L2TAB,
				      XEN_DOMCTL_PFINFO_L3TAB, XEN_DOMCTL_PFINFO_L4TAB };
	mfn_t mfn;
	struct page_info *pg = guest_frame_get(d, gfn, &mfn);
	xen_pfn_t type = XEN_DOMCTL_PFINFO_NOTAB;
	u64 info;

	if (!pg)
		return XEN_DOMCTL_PFINFO_XTAB;
	info = READ_ONCE(pg->type_info);
	if ((info & PGT_COUNT_MASK) && page_type_is_table(info & PGT_TYPE_MASK)) {
		type = tables[((info & PGT_TYPE_MASK) - PGT_L1) / (PGT_L2 - PGT_L1)];
		if (info & PGT_PINNED)
			type |= XEN_DOMCTL_PFINFO_LPINTAB;
	}
	page_put(pg);
	return type;
}

#define FRAME_INFO_BATCH 32

static long domctl_frame_info(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_getpageframeinfo3 *g = &op->u.getpageframeinfo3;
	xen_pfn_t frames[FRAME_INFO_BATCH];

	while (g->num) {
		unsigned int n = (unsigned int)min(g->num, (u64)FRAME_INFO_BATCH);

		if (copy_from_guest_offset(frames, g->array, 0, n))
			return -EFAULT;
		for (unsigned int i = 0; i < n; i++)
			frames[i] = frame_type(d, GFN(frames[i]));
		if (copy_to_guest_offset(g->array, 0, frames, n))
			return -EFAULT;
		/* The interface records progress in its own fields. */
		g->num -= n;
		g->array.p += n;
		if (g->num && hypercall_preempt_check())
			return -ERESTART;
	}
	return 0;
}

static long domctl_send_trigger(struct domain *d, struct xen_domctl *op)
{
	struct vcpu *v = vcpu_of(d, op->u.sendtrigger.vcpu);

	if (op->u.sendtrigger.trigger != XEN_DOMCTL_SENDTRIGGER_NMI)
		return -EOPNOTSUPP;
	if (!v)
		return -ESRCH;
	arch_vcpu_send_nmi(v);
	return 0;
}

static long domctl_hvm_context(struct domain *d, struct xen_domctl *op)
{
	return guest_ops(d)->hvm_context ? guest_ops(d)->hvm_context(d, op) : -EINVAL;
}

/*
 * The copy back to the caller. NONE: nothing. RESULT: after success or before a continuation.
 * ALWAYS: after an error, too, since it shows the cause.
 */
enum copyback { NONE, RESULT, ALWAYS };

#define ROW(op, fn, out) [XEN_DOMCTL_##op] = { fn, out }

static const struct {
	arch_domctl_fn *fn;
	enum copyback out;
} domctl_ops[] = {
	/* clang-format off: a row each */
	ROW(ioport_permission, domctl_ioport_permission, NONE),
	ROW(hypercall_init, domctl_hypercall_init, NONE),
	ROW(gethvmcontext, domctl_hvm_context, RESULT),
	ROW(sethvmcontext, domctl_hvm_context, NONE),
	ROW(gethvmcontext_partial, domctl_hvm_context, RESULT),
	ROW(sendtrigger, domctl_send_trigger, NONE),
	ROW(set_address_size, domctl_set_address_size, NONE),
	ROW(get_address_size, domctl_get_address_size, RESULT),
	ROW(set_ext_vcpucontext, domctl_set_ext_context, NONE),
	ROW(get_ext_vcpucontext, domctl_get_ext_context, RESULT),
	ROW(gettscinfo, domctl_get_tsc, RESULT),
	ROW(settscinfo, domctl_set_tsc, NONE),
	ROW(getpageframeinfo3, domctl_frame_info, RESULT),
	ROW(setvcpuextstate, domctl_set_xstate, NONE),
	ROW(getvcpuextstate, domctl_get_xstate, RESULT),
	ROW(get_vcpu_msrs, domctl_get_msrs, RESULT),
	ROW(set_vcpu_msrs, domctl_set_msrs, ALWAYS),
	ROW(get_cpu_policy, domctl_get_policy, RESULT),
	ROW(set_cpu_policy, domctl_set_policy, ALWAYS),
	ROW(shadow_op, domctl_shadow, RESULT),
	ROW(get_paging_mempool_size, domctl_get_mempool, RESULT),
	ROW(set_paging_mempool_size, domctl_set_mempool, NONE),
	/* clang-format on */
};

long arch_domctl(struct domain *d, struct xen_domctl *op, bool *copyback)
{
	enum copyback out;
	long ret;

	if (op->cmd >= ARRAY_SIZE(domctl_ops) || !domctl_ops[op->cmd].fn)
		return -ENOSYS;
	out = domctl_ops[op->cmd].out;
	ret = domctl_ops[op->cmd].fn(d, op);
	*copyback = out == ALWAYS || (out == RESULT && (ret >= 0 || ret == -ERESTART));
	return ret;
}
