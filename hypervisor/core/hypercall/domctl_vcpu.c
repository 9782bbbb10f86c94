/* SPDX-License-Identifier: MIT */
/* Control operations on a vCPU: its registers, and where it may run. */
#include "core/hypercall/domctl.h"

#include "hv/arch/guest.h"
#include "hv/arch/guest_access.h"
#include "hv/hv_heap.h"
#include "hv/sched.h"
#include "lib/errno.h"
#include "lib/string.h"

/* --- sets of CPUs --- */

int cpumask_from_guest(cpumask_t *mask, const struct xenctl_bitmap *map)
{
	u32 bits = min(map->nr_bits, (u32)HV_MAX_CPUS);

	cpumask_zero(mask);
	if (copy_from_guest(mask->bits, guest_ptr(map->bitmap), DIV_ROUND_UP(bits, 8U)))
		return -EFAULT;
	for (u32 i = bits; i < ROUND_UP(bits, 8U); i++)
		cpumask_clear_cpu(i, mask);
	return 0;
}

int cpumask_to_guest(const struct xenctl_bitmap *map, const cpumask_t *mask)
{
	u32 bits = min(map->nr_bits, (u32)HV_MAX_CPUS), bytes = DIV_ROUND_UP(bits, 8U);
	cpumask_t copy = *mask;

	for (u32 i = bits; i < ROUND_UP(bits, 8U); i++)
		cpumask_clear_cpu(i, &copy);
	if (copy_to_guest(guest_ptr(map->bitmap), copy.bits, bytes))
		return -EFAULT;
	if (DIV_ROUND_UP((u64)map->nr_bits, 8) > bytes)
		return clear_guest(guest_ptr(map->bitmap) + bytes,
				   DIV_ROUND_UP((u64)map->nr_bits, 8) - bytes);
	return 0;
}

#define AFFINITY_KINDS (XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT)
/*
 * The limit for sets of CPUs: tools size them for the present CPUs, so a larger set is a mistake.
 */
#define AFFINITY_BITS_MAX 65536

static int affinity_check(const struct xen_domctl_vcpuaffinity *a)
{
	if (!(a->flags & AFFINITY_KINDS) || (a->flags & ~(AFFINITY_KINDS | XEN_VCPUAFFINITY_FORCE)))
		return -EINVAL;
	return a->cpumap_hard.nr_bits > AFFINITY_BITS_MAX ||
			       a->cpumap_soft.nr_bits > AFFINITY_BITS_MAX ?
		       -EINVAL :
		       0;
}

/* Reports the affinity that is in effect now. */
static int affinity_report(const struct xen_domctl_vcpuaffinity *a, const struct vcpu *v)
{
	cpumask_t hard, soft;
	int err = 0;

	cpumask_and(&hard, &v->sched.hard_affinity, &cpu_online_map);
	cpumask_and(&soft, &v->sched.soft_affinity, &hard);
	if (a->flags & XEN_VCPUAFFINITY_HARD)
		err = cpumask_to_guest(&a->cpumap_hard, &hard);
	if (!err && (a->flags & XEN_VCPUAFFINITY_SOFT))
		err = cpumask_to_guest(&a->cpumap_soft, &soft);
	return err;
}

long domctl_set_affinity(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
	struct vcpu *v = domain_vcpu(d, a->vcpu);
	cpumask_t hard, soft, old;
	int err = affinity_check(a);

	if (err)
		return err;
	if (!v)
		return a->vcpu < d->max_vcpus ? -ESRCH : -EINVAL;
	/* Read both before setting either. */
	if (((a->flags & XEN_VCPUAFFINITY_HARD) && cpumask_from_guest(&hard, &a->cpumap_hard)) ||
	    ((a->flags & XEN_VCPUAFFINITY_SOFT) && cpumask_from_guest(&soft, &a->cpumap_soft)))
		return -EFAULT;
	old = v->sched.hard_affinity;
	if (a->flags & XEN_VCPUAFFINITY_HARD)
		err = vcpu_set_hard_affinity(v, &hard);
	if (!err && (a->flags & XEN_VCPUAFFINITY_SOFT)) {
		err = vcpu_set_soft_affinity(v, &soft);
		if (err && (a->flags & XEN_VCPUAFFINITY_HARD) && vcpu_set_hard_affinity(v, &old))
			return err;
	}
	return err ? err : affinity_report(a, v);
}

long domctl_get_affinity(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
	struct vcpu *v = domain_vcpu(d, a->vcpu);
	int err = affinity_check(a);

	if (err)
		return err;
	if (!v)
		return a->vcpu < d->max_vcpus ? -ESRCH : -EINVAL;
	if (a->flags & XEN_VCPUAFFINITY_HARD)
		err = cpumask_to_guest(&a->cpumap_hard, &v->sched.hard_affinity);
	if (!err && (a->flags & XEN_VCPUAFFINITY_SOFT))
		err = cpumask_to_guest(&a->cpumap_soft, &v->sched.soft_affinity);
	return err;
}

/* There is one memory node, number 0. */
long domctl_set_node_affinity(struct domain *d, struct xen_domctl *op)
{
	cpumask_t nodes;

	if (cpumask_from_guest(&nodes, &op->u.nodeaffinity.nodemap))
		return -EFAULT;
	return cpumask_test(0, &nodes) ? 0 : -EINVAL;
}

long domctl_get_node_affinity(struct domain *d, struct xen_domctl *op)
{
	cpumask_t nodes;

	if (op->u.nodeaffinity.nodemap.nr_bits > AFFINITY_BITS_MAX)
		return -EINVAL;
	cpumask_zero(&nodes);
	cpumask_set(0, &nodes);
	return cpumask_to_guest(&op->u.nodeaffinity.nodemap, &nodes);
}

/* --- registers --- */

long domctl_set_context(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_vcpucontext *c = &op->u.vcpucontext;
	struct vcpu *v = domain_vcpu(d, c->vcpu);
	vcpu_guest_context_t *ctx;
	long err;

	if (!v || domain_is_dying(d))
		return -EINVAL;
	if (guest_handle_is_null(c->ctxt))
		return vcpu_reset(v);
	ctx = hv_alloc(sizeof(*ctx));
	if (!ctx)
		return -ENOMEM;
	err = copy_from_guest_offset(ctx, c->ctxt, 0, 1);
	if (!err) {
		domain_pause(d);
		spin_lock(&d->lock);
		err = vcpu_set_context(v, ctx);
		spin_unlock(&d->lock);
		domain_unpause(d);
	}
	hv_free(ctx);
	return err;
}

long domctl_get_context(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_vcpucontext *c = &op->u.vcpucontext;
	struct vcpu *v = domain_vcpu(d, c->vcpu);
	vcpu_guest_context_t *ctx;
	long err;

	if (!v)
		return -EINVAL;
	if (!v->is_initialised)
		return -ENODATA;
	ctx = hv_alloc(sizeof(*ctx));
	if (!ctx)
		return -ENOMEM;
	vcpu_pause(v);
	arch_vcpu_get_context(v, ctx);
	vcpu_unpause(v);
	err = copy_to_guest_offset(c->ctxt, 0, ctx, 1);
	hv_free(ctx);
	return err;
}
