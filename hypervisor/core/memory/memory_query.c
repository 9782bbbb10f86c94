/* SPDX-License-Identifier: MIT */
/* Queries about a domain's memory, and the frames that the hypervisor keeps for it. */
#include "core/memory/memory_op.h"

#include "hv/arch/frame.h"
#include "hv/arch/guest_access.h"
#include "hv/frame.h"
#include "hv/grant.h"
#include "lib/errno.h"

static long page_count(void *arg, bool maximum)
{
	const struct xen_memory_domain *which = arg;
	struct domain *d;
	long pages;
	int err;

	d = hypercall_target(which->domid, &err);
	if (!d)
		return err;
	pages = maximum ? READ_ONCE(d->memory.max_pages) : READ_ONCE(d->memory.tot_pages);
	domain_put(d);
	return pages;
}

long memory_current(void *arg, unsigned long *done)
{
	return page_count(arg, false);
}

long memory_maximum(void *arg, unsigned long *done)
{
	return page_count(arg, true);
}

/*
 * A PV guest itself writes to shared_info how many frame numbers it uses. It may write any number,
 * so the answer is bounded here. A domain that is about to be restored has written nothing yet: no
 * error.
 */
long memory_maximum_gpfn(void *arg, unsigned long *done)
{
	const struct xen_memory_domain *which = arg;
	struct domain *d;
	unsigned long max_pfn = 1;
	int err;

	d = hypercall_target(which->domid, &err);
	if (!d)
		return err;
	if (!guest_frames_are_machine(d))
		max_pfn = arch_gfn_max(d) + 1;
	else if (d->shared_info)
		max_pfn = max(min(READ_ONCE(d->shared_info->arch.max_pfn), MEMORY_PFN_MAX), 1UL);
	domain_put(d);
	return (long)max_pfn - 1;
}

/*
 * Memory is never populated on demand, so a target changes nothing. Tools set a target with each
 * change of a domain's memory, so it must succeed.
 */
static long pod_target(struct xen_pod_target *t, bool set)
{
	struct domain *d;
	int err = 0;

	d = hypercall_target(t->domid, &err);
	if (!d)
		return err;
	err = set && t->target_pages > READ_ONCE(d->memory.max_pages) ? -EINVAL : 0;
	t->tot_pages = READ_ONCE(d->memory.tot_pages);
	t->pod_cache_pages = t->pod_entries = 0;
	domain_put(d);
	return err;
}

long memory_pod_set(void *arg, unsigned long *done)
{
	return pod_target(arg, true);
}

long memory_pod_get(void *arg, unsigned long *done)
{
	return pod_target(arg, false);
}

/* No memory is reserved for devices, because no I/O memory management unit is in use. */
long memory_reserved_devices(void *arg, unsigned long *done)
{
	struct xen_reserved_device_memory_map *map = arg;

	map->nr_entries = 0;
	return 0;
}

#define FRAMES_PER_CHECK 32

/* The caller maps machine frames (CALL_DOM0: it is paravirtualized). */
static long grant_frames(struct domain *d, struct xen_mem_acquire_resource *r, unsigned long *done)
{
	unsigned int max_frames = grant_max_frames(d);

	if (guest_handle_is_null(r->frame_list)) {
		if (r->nr_frames)
			return -EINVAL;
		r->nr_frames = max_frames;
		return 0;
	}
	if (r->frame > max_frames || r->nr_frames > max_frames - r->frame)
		return -EINVAL;
	for (unsigned long i = *done; i < r->nr_frames; i++) {
		xen_pfn_t pfn;
		mfn_t mfn;
		int err;

		if (i != *done && i % FRAMES_PER_CHECK == 0 && hypercall_preempt_check()) {
			*done = i;
			return -ERESTART;
		}
		err = grant_get_shared_frame(d, (unsigned int)(r->frame + i), &mfn);
		if (err)
			return err;
		pfn = mfn_x(mfn);
		if (copy_to_guest_offset(r->frame_list, i, &pfn, 1))
			return -EFAULT;
	}
	return 0;
}

long memory_acquire_resource(void *arg, unsigned long *done)
{
	struct xen_mem_acquire_resource *r = arg;
	struct domain *d;
	long ret;

	if (r->pad)
		return -EINVAL;
	if (r->type != XENMEM_resource_grant_table ||
	    r->id != XENMEM_resource_grant_table_id_shared)
		return -EOPNOTSUPP;
	d = domain_get_by_id(r->domid);
	if (!d)
		return -ESRCH;
	ret = d->grants ? grant_frames(d, r, done) : -EINVAL;
	domain_put(d);
	return ret;
}
