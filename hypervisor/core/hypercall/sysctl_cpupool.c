/* SPDX-License-Identifier: MIT */
/*
 * CPU pools, as tools see them. There is one pool, number 0, with every CPU and every domain in it;
 * no other can be created.
 */
#include "core/hypercall/sysctl.h"

#include "hv/sched.h"
#include "lib/errno.h"

/* Tools size their sets for the present CPUs, so a larger set is a mistake. */
#define POOL_BITS_MAX 65536

static u32 count_domains(void)
{
	domid_t next = 0;
	struct domain *d;
	u32 n = 0;

	while (next < DOMID_FIRST_RESERVED && (d = domain_get_next(next)) != NULL) {
		next = (domid_t)(d->id + 1);
		domain_put(d);
		n++;
	}
	return n;
}

/*
 * Reports the pool with that number or the next higher one: tools walk through all pools so, until
 * -ENOENT.
 */
static long pool_info(struct xen_sysctl_cpupool_op *p)
{
	if (p->cpupool_id != 0)
		return -ENOENT;
	p->sched_id = sched_id();
	p->n_dom = count_domains();
	return cpumask_to_guest(&p->cpumap, &cpu_online_map);
}

static long pool_free_cpus(const struct xen_sysctl_cpupool_op *p)
{
	cpumask_t none;

	cpumask_zero(&none);
	return cpumask_to_guest(&p->cpumap, &none);
}

/* Every CPU is in pool 0 already, so none is free. */
static long pool_add_cpu(const struct xen_sysctl_cpupool_op *p)
{
	if (p->cpupool_id != 0)
		return -ENOENT;
	return p->cpu < nr_cpus || p->cpu == XEN_SYSCTL_CPUPOOL_PAR_ANY ? -ENODEV : -EINVAL;
}

static long pool_remove_cpu(const struct xen_sysctl_cpupool_op *p)
{
	if (p->cpupool_id != 0)
		return -ENOENT;
	return p->cpu < nr_cpus || p->cpu == XEN_SYSCTL_CPUPOOL_PAR_ANY ? -EBUSY : -EINVAL;
}

/* Every domain is in pool 0 already: nothing to do. */
static long pool_move_domain(const struct xen_sysctl_cpupool_op *p)
{
	struct domain *d;

	if (p->cpupool_id != 0)
		return -ENOENT;
	d = p->domid < DOMID_FIRST_RESERVED ? domain_get_by_id((domid_t)p->domid) : NULL;
	if (!d)
		return -EINVAL;
	domain_put(d);
	return 0;
}

long sysctl_cpupool(struct xen_sysctl *op)
{
	struct xen_sysctl_cpupool_op *p = &op->u.cpupool_op;

	if ((p->op == XEN_SYSCTL_CPUPOOL_OP_INFO || p->op == XEN_SYSCTL_CPUPOOL_OP_FREEINFO) &&
	    p->cpumap.nr_bits > POOL_BITS_MAX)
		return -EINVAL;
	switch (p->op) {
	case XEN_SYSCTL_CPUPOOL_OP_INFO:
		return pool_info(p);
	case XEN_SYSCTL_CPUPOOL_OP_FREEINFO:
		return pool_free_cpus(p);
	case XEN_SYSCTL_CPUPOOL_OP_CREATE:
		return p->cpupool_id == 0 ? -EEXIST : -EOPNOTSUPP;
	case XEN_SYSCTL_CPUPOOL_OP_DESTROY:
		return p->cpupool_id == 0 ? -EBUSY : -ENOENT;
	case XEN_SYSCTL_CPUPOOL_OP_ADDCPU:
		return pool_add_cpu(p);
	case XEN_SYSCTL_CPUPOOL_OP_RMCPU:
		return pool_remove_cpu(p);
	case XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN:
		return pool_move_domain(p);
	default:
		return -ENOSYS;
	}
}
