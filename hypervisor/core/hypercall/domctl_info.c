/* SPDX-License-Identifier: MIT */
/* Control operations that query a domain and its vCPUs, or only record something. */
#include "core/hypercall/domctl.h"

#include "hv/arch/frame.h"
#include "hv/arch/map.h"
#include "hv/arch/time.h"
#include "hv/evtchn.h"
#include "hv/frame.h"
#include "hv/sched.h"
#include "lib/errno.h"
#include "lib/string.h"

static void vcpus_get_info(const struct domain *d, struct xen_domctl_getdomaininfo *info)
{
	bool blocked = true, running = false;
	struct vcpu *v;

	info->max_vcpu_id = XEN_INVALID_MAX_VCPU_ID;
	for_each_vcpu(d, v) {
		u32 flags = READ_ONCE(v->pause_flags);

		info->cpu_time += vcpu_cpu_time(v);
		info->max_vcpu_id = v->id;
		if (flags & VPF_DOWN)
			continue;
		info->nr_online_vcpus++;
		if (!(flags & (VPF_BLOCKED | VPF_POLL)))
			blocked = false;
		if (READ_ONCE(v->is_running))
			running = true;
	}
	info->flags |= (blocked ? XEN_DOMINF_blocked : 0) | (running ? XEN_DOMINF_running : 0);
}

void domain_get_info(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
	memset(info, 0, sizeof(*info));
	info->domain = d->id;
	spin_lock(&d->lock);
	info->flags = (d->state == DOMAIN_DEAD ? XEN_DOMINF_dying : 0) |
		      (d->shutdown.done ? XEN_DOMINF_shutdown : 0) |
		      (d->controller_pause_count ? XEN_DOMINF_paused : 0) |
		      (d->debugger_attached ? XEN_DOMINF_debugged : 0) |
		      (d->create_flags & XEN_DOMCTL_CDF_xs_domain ? XEN_DOMINF_xs_domain : 0) |
		      (d->create_flags & XEN_DOMCTL_CDF_hvm ? XEN_DOMINF_hvm_guest : 0) |
		      (d->create_flags & XEN_DOMCTL_CDF_hap ? XEN_DOMINF_hap : 0) |
		      (d->shutdown.done ? (d->shutdown.code & XEN_DOMINF_shutdownmask)
						  << XEN_DOMINF_shutdownshift :
					  0);
	memcpy(info->handle, d->handle, sizeof(info->handle));
	spin_unlock(&d->lock);
	vcpus_get_info(d, info);
	info->tot_pages = READ_ONCE(d->memory.tot_pages);
	info->max_pages = READ_ONCE(d->memory.max_pages);
	info->outstanding_pages = READ_ONCE(d->memory.claimed_pages);
	info->shared_info_frame = d->shared_info ? mfn_x(virt_to_mfn(d->shared_info)) : ~0UL;
	info->ssidref = d->ssidref;
	info->gpaddr_bits = (u8)(64 - __builtin_clzl(max_page) + PAGE_SHIFT);
}

/* Reports the domain with that ID or the next higher one, so that tools can walk through all. */
long domctl_getdomaininfo(struct domain *unused, struct xen_domctl *op)
{
	domid_t id = op->domain == DOMID_SELF ? current->domain->id : op->domain;
	struct domain *d;

	if (id >= DOMID_FIRST_RESERVED)
		return -ESRCH;
	d = domain_get_next(id);
	if (!d)
		return -ESRCH;
	domain_get_info(d, &op->u.getdomaininfo);
	op->domain = d->id;
	domain_put(d);
	return 0;
}

long domctl_getvcpuinfo(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_getvcpuinfo *info = &op->u.getvcpuinfo;
	struct vcpu *v = domain_vcpu(d, info->vcpu);
	u32 flags;

	if (info->vcpu >= d->max_vcpus)
		return -EINVAL;
	if (!v)
		return -ESRCH;
	flags = READ_ONCE(v->pause_flags);
	info->online = !(flags & VPF_DOWN);
	info->blocked = !!(flags & (VPF_BLOCKED | VPF_POLL));
	info->running = READ_ONCE(v->is_running);
	info->cpu_time = vcpu_cpu_time(v);
	info->cpu = READ_ONCE(v->processor);
	return 0;
}

long domctl_set_handle(struct domain *d, struct xen_domctl *op)
{
	spin_lock(&d->lock);
	memcpy(d->handle, op->u.setdomainhandle.handle, sizeof(d->handle));
	spin_unlock(&d->lock);
	return 0;
}

long domctl_set_debugging(struct domain *d, struct xen_domctl *op)
{
	spin_lock(&d->lock);
	d->debugger_attached = op->u.setdebugging.enable;
	spin_unlock(&d->lock);
	return 0;
}

long domctl_set_time_offset(struct domain *d, struct xen_domctl *op)
{
	d->time_offset_seconds = op->u.settimeoffset.time_offset_seconds;
	arch_domain_update_wallclock(d);
	return 0;
}

long domctl_subscribe(struct domain *d, struct xen_domctl *op)
{
	/* A port that is not bound (any more) is detected when it is used. */
	spin_lock(&d->lock);
	d->shutdown.suspend_port = op->u.subscribe.port;
	spin_unlock(&d->lock);
	return 0;
}

long domctl_scheduler(struct domain *d, struct xen_domctl *op)
{
	return sched_domctl(d, &op->u.scheduler_op);
}
