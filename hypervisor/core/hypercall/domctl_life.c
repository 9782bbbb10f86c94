/* SPDX-License-Identifier: MIT */
/* Control operations on a domain's life: create, give vCPUs and memory, pause, resume, destroy. */
#include "core/hypercall/domctl.h"

#include "hv/arch/guest.h"
#include "hv/console.h"
#include "hv/hypercall.h"
#include "lib/errno.h"

/*
 * Finds an ID that no domain has. It counts upwards before it reuses low IDs, so that a late caller
 * does not hit a new domain. LOCK_DOMCTL is held.
 */
static int free_domid(domid_t *id)
{
	static domid_t last;
	domid_t try = last;

	do {
		struct domain *d;

		try = try + 1U >= DOMID_FIRST_RESERVED ? 1 : (domid_t)(try + 1);
		d = domain_get_by_id(try);
		if (!d) {
			*id = last = try;
			return 0;
		}
		domain_put(d);
	} while (try != last);
	return -ENOMEM;
}

static int refuse(int err, const char *why)
{
	log_warn("domain not created: %s\n", why);
	return err;
}

static int config_check(const struct xen_domctl_createdomain *c)
{
	if (c->flags & ~((XEN_DOMCTL_CDF_MAX << 1) - 1))
		return refuse(-EINVAL, "unknown flags");
	if (c->flags & (XEN_DOMCTL_CDF_iommu | XEN_DOMCTL_CDF_nested_virt | XEN_DOMCTL_CDF_vpmu |
			XEN_DOMCTL_CDF_s3_integrity))
		return refuse(-EINVAL, "it asks for an IOMMU, nested virtualization, performance "
				       "counters or tboot");
	if (c->iommu_opts)
		return refuse(-EINVAL, "IOMMU options without an IOMMU");
	if (c->max_vcpus < 1 || c->max_vcpus > HV_MAX_VCPUS)
		return refuse(-EINVAL, "bad number of vCPUs");
	if (XEN_DOMCTL_GRANT_version(c->grant_opts) != 1 ||
	    (c->grant_opts & ~XEN_DOMCTL_GRANT_version_mask))
		return refuse(-EINVAL, "only version 1 of grant tables is offered");
	if (c->vmtrace_size)
		return refuse(-EINVAL, "tracing is not offered");
	if (c->cpupool_id)
		return refuse(-EINVAL, "there is only CPU pool 0");
	return arch_domain_config_check(c);
}

long domctl_create(struct domain *unused, struct xen_domctl *op)
{
	struct xen_domctl_createdomain *config = &op->u.createdomain;
	domid_t id = op->domain;
	struct domain *d;
	int err = config_check(config);

	if (err)
		return err;
	if (id == 0 || id >= DOMID_FIRST_RESERVED) {
		err = free_domid(&id);
		if (err)
			return err;
	}
	d = domain_create(id, config, false);
	if (IS_ERR(d))
		return PTR_ERR(d);
	op->domain = d->id;
	return 0;
}

long domctl_destroy(struct domain *d, struct xen_domctl *op)
{
	return domain_kill(d);
}

long domctl_pause(struct domain *d, struct xen_domctl *op)
{
	return domain_pause_by_controller(d);
}

long domctl_unpause(struct domain *d, struct xen_domctl *op)
{
	return domain_unpause_by_controller(d);
}

long domctl_resume(struct domain *d, struct xen_domctl *op)
{
	if (domain_is_dying(d))
		return -EINVAL;
	domain_resume(d);
	return 0;
}

/*
 * Creates the vCPUs; their number was fixed when the domain was created. A repeated call continues
 * where the last one stopped.
 */
long domctl_max_vcpus(struct domain *d, struct xen_domctl *op)
{
	if (op->u.max_vcpus.max != d->max_vcpus || domain_is_dying(d))
		return -EINVAL;
	for (unsigned int i = 0; i < d->max_vcpus; i++) {
		if (d->vcpus[i])
			continue;
		if (!vcpu_create(d, i))
			return -ENOMEM;
		if (hypercall_preempt_check())
			return -ERESTART;
	}
	return 0;
}

long domctl_max_mem(struct domain *d, struct xen_domctl *op)
{
	u64 pages = op->u.max_mem.max_memkb >> (PAGE_SHIFT - 10);

	spin_lock(&d->memory.lock);
	d->memory.max_pages = (u32)min(pages, (u64)~0U);
	spin_unlock(&d->memory.lock);
	return 0;
}
