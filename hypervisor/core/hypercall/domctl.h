/* SPDX-License-Identifier: MIT */
/*
 * Private to domctl.c, which dispatches, and the files with the sub-operations; sysctl.c uses some
 * parts.
 */
#ifndef CORE_HYPERCALL_DOMCTL_H
#define CORE_HYPERCALL_DOMCTL_H

#include "hv/domain.h"

#include <xen/domctl.h>

/*
 * A sub-operation on d (NULL where the row needs no domain). op is a private copy. LOCK_DOMCTL is
 * held.
 */
typedef long domctl_fn(struct domain *d, struct xen_domctl *op);

/* domctl_life.c */
domctl_fn domctl_create, domctl_destroy, domctl_pause, domctl_unpause, domctl_resume,
	domctl_max_vcpus, domctl_max_mem;
/* domctl_info.c */
domctl_fn domctl_getdomaininfo, domctl_getvcpuinfo, domctl_set_handle, domctl_set_debugging,
	domctl_set_time_offset, domctl_subscribe, domctl_scheduler;
/* domctl_vcpu.c */
domctl_fn domctl_set_context, domctl_get_context, domctl_set_affinity, domctl_get_affinity,
	domctl_set_node_affinity, domctl_get_node_affinity;
/* domctl_access.c */
domctl_fn domctl_irq_permission, domctl_iomem_permission, domctl_memory_mapping;

/* Fills in what tools learn of a domain. */
void domain_get_info(struct domain *d, struct xen_domctl_getdomaininfo *info);

/*
 * Copy CPU sets from and to tools (xen.h, struct xenctl_bitmap). Bits beyond HV_MAX_CPUS are
 * ignored on the way in, and are zero on the way out. 0 or -EFAULT.
 */
int __must_check cpumask_from_guest(cpumask_t *mask, const struct xenctl_bitmap *map);
int __must_check cpumask_to_guest(const struct xenctl_bitmap *map, const cpumask_t *mask);

/* vCPU `id` of d, or NULL. */
static inline struct vcpu *domain_vcpu(const struct domain *d, u32 id)
{
	return id < d->max_vcpus ? d->vcpus[id] : NULL;
}

#endif
