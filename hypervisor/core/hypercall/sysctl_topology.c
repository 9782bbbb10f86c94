/* SPDX-License-Identifier: MIT */
/*
 * Control operations that query CPUs, memory nodes and devices. All memory is one node, number 0.
 */
#include "core/hypercall/sysctl.h"

#include "hv/arch/control.h"
#include "hv/arch/frame.h"
#include "hv/arch/guest_access.h"
#include "hv/frame.h"
#include "hv/hypercall.h"
#include "hv/page_alloc.h"
#include "hv/sched.h"
#include "lib/errno.h"

long sysctl_getcpuinfo(struct xen_sysctl *op)
{
	struct xen_sysctl_getcpuinfo *g = &op->u.getcpuinfo;
	u32 n = min(g->max_cpus, nr_cpus);

	for (u32 cpu = 0; cpu < n; cpu++) {
		xen_sysctl_cpuinfo_t info = { .idletime = cpu_idle_time(cpu) };

		if (copy_to_guest_offset(g->info, cpu, &info, 1))
			return -EFAULT;
	}
	g->nr_cpus = n;
	return 0;
}

long sysctl_cputopoinfo(struct xen_sysctl *op)
{
	struct xen_sysctl_cputopoinfo *t = &op->u.cputopoinfo;
	u32 n = min(t->num_cpus, nr_cpus);

	if (!guest_handle_is_null(t->cputopo)) {
		for (u32 cpu = 0; cpu < n; cpu++) {
			xen_sysctl_cputopo_t topo = { XEN_INVALID_CORE_ID, XEN_INVALID_SOCKET_ID,
						      XEN_INVALID_NODE_ID };

			if (cpumask_test(cpu, &cpu_online_map))
				arch_cpu_topology(cpu, &topo);
			if (copy_to_guest_offset(t->cputopo, cpu, &topo, 1))
				return -EFAULT;
		}
	}
	t->num_cpus = nr_cpus;
	return 0;
}

#define LOCAL_DISTANCE 10 /* ACPI 5.2.17: a node's distance to itself */

long sysctl_numainfo(struct xen_sysctl *op)
{
	struct xen_sysctl_numainfo *info = &op->u.numainfo;
	const xen_sysctl_meminfo_t mem = { total_pages << PAGE_SHIFT, page_alloc_free_count()
									      << PAGE_SHIFT };
	const u32 distance = LOCAL_DISTANCE;

	if (info->num_nodes) {
		if (!guest_handle_is_null(info->meminfo) &&
		    copy_to_guest_offset(info->meminfo, 0, &mem, 1))
			return -EFAULT;
		if (!guest_handle_is_null(info->distance) &&
		    copy_to_guest_offset(info->distance, 0, &distance, 1))
			return -EFAULT;
	}
	info->num_nodes = 1;
	return 0;
}

long sysctl_pcitopoinfo(struct xen_sysctl *op)
{
	struct xen_sysctl_pcitopoinfo *p = &op->u.pcitopoinfo;
	u32 done = 0;

	if (guest_handle_is_null(p->devs) || guest_handle_is_null(p->nodes))
		return -EINVAL;
	while (done < p->num_devs) {
		physdev_pci_device_t dev;
		u32 node;

		if (copy_from_guest_offset(&dev, p->devs, done, 1))
			return -EFAULT;
		node = arch_pci_exists(dev.seg, dev.bus, dev.devfn) ? 0 : XEN_INVALID_DEV;
		if (copy_to_guest_offset(p->nodes, done, &node, 1))
			return -EFAULT;
		done++;
		/* The caller continues with the rest. */
		if (hypercall_preempt_check())
			break;
	}
	p->num_devs = done;
	return 0;
}
