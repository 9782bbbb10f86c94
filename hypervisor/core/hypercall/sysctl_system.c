/* SPDX-License-Identifier: MIT */
/* Control operations on the system: its log, its memory, the list of its domains. */
#include "core/hypercall/sysctl.h"

#include "hv/arch/control.h"
#include "hv/arch/frame.h"
#include "hv/arch/guest_access.h"
#include "hv/arch/time.h"
#include "hv/console.h"
#include "hv/frame.h"
#include "hv/hypercall.h"
#include "hv/page_alloc.h"
#include "hv/sched.h"
#include "lib/errno.h"
#include "lib/string.h"

#define LOG_CHUNK 512
#define LOG_MAX	  KiB(256) /* limit of one call: more than the log holds */

long sysctl_readconsole(struct xen_sysctl *op)
{
	struct xen_sysctl_readconsole *r = &op->u.readconsole;
	u32 index = r->index, want = min(r->count, (u32)LOG_MAX), done = 0;
	bool incremental = r->incremental;
	char chunk[LOG_CHUNK];
	size_t n;

	while (done < want) {
		n = console_read_log(chunk, min(want - done, (u32)LOG_CHUNK), &index, incremental,
				     false);
		if (!n)
			break;
		if (copy_to_guest_offset(r->buffer, done, chunk, n))
			return -EFAULT;
		done += (u32)n;
		incremental = true;
	}
	/*
	 * Clear only what has reached the caller: with this call, or with the earlier calls that
	 * its index comes from.
	 */
	if (r->clear)
		console_read_log(chunk, 0, &index, true, true);
	r->index = index;
	r->count = done;
	return 0;
}

#define DEBUG_KEYS_MAX 64 /* any more are ignored */

long sysctl_debug_keys(struct xen_sysctl *op)
{
	const struct xen_sysctl_debug_keys *k = &op->u.debug_keys;
	char keys[DEBUG_KEYS_MAX];
	u32 n = min(k->nr_keys, (u32)DEBUG_KEYS_MAX);

	if (copy_from_guest_offset(keys, k->keys, 0, n))
		return -EFAULT;
	for (u32 i = 0; i < n; i++)
		debug_key_handle(keys[i]);
	return 0;
}

long sysctl_physinfo(struct xen_sysctl *op)
{
	struct xen_sysctl_physinfo *p = &op->u.physinfo;

	memset(p, 0, sizeof(*p));
	p->nr_cpus = cpumask_weight(&cpu_online_map);
	p->max_cpu_id = nr_cpus - 1;
	p->nr_nodes = 1;
	p->cpu_khz = (u32)time_tsc_khz();
	p->capabilities = XEN_SYSCTL_PHYSCAP_gnttab_v1;
	if (arch_hvm_available())
		p->capabilities |= XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_hap;
	p->total_pages = total_pages;
	/*
	 * Dirty frames can be allocated, too, so they count as free. Tools add scrub_pages, which
	 * is 0 here, to get what will be free.
	 */
	p->free_pages = page_alloc_free_count();
	p->outstanding_pages = page_claimed_total();
	p->max_mfn = max_page - 1;
	arch_physinfo(p);
	return 0;
}

long sysctl_sched_id(struct xen_sysctl *op)
{
	op->u.sched_id.sched_id = sched_id();
	return 0;
}

long sysctl_getdomaininfolist(struct xen_sysctl *op)
{
	struct xen_sysctl_getdomaininfolist *l = &op->u.getdomaininfolist;
	struct xen_domctl_getdomaininfo info;
	domid_t next = l->first_domain;
	struct domain *d;
	u32 n = 0;

	for (; n < l->max_domains && next < DOMID_FIRST_RESERVED &&
	       (d = domain_get_next(next)) != NULL;
	     n++) {
		next = (domid_t)(d->id + 1);
		domain_get_info(d, &info);
		domain_put(d);
		if (copy_to_guest_offset(l->buffer, n, &info, 1))
			return -EFAULT;
	}
	l->num_domains = n;
	return 0;
}

long sysctl_availheap(struct xen_sysctl *op)
{
	struct xen_sysctl_availheap *a = &op->u.availheap;

	/* There is only node 0; -1 means every node. */
	if (a->node < -1 || a->node > 0 || a->min_bitwidth > 64 || a->max_bitwidth > 64)
		return -EINVAL;
	a->avail_bytes = page_alloc_free_in(a->min_bitwidth, a->max_bitwidth) << PAGE_SHIFT;
	return 0;
}

long sysctl_scheduler(struct xen_sysctl *op)
{
	return sched_sysctl(&op->u.scheduler_op);
}
