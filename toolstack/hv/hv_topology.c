/* SPDX-License-Identifier: MIT */
/*
 * The host's processors and memory: which core, socket and node they belong to, and the pools that
 * divide the processors among domains. Argument layouts: xen/sysctl.h.
 */
#include "hv/hv.h"

#include <errno.h>
#include <string.h>

#include "hv/hv_internal.h"
#include "lib/alloc.h"

/* The hypervisor says how many there are when it is given no buffer. */
static int count_cpus(struct hv *hv, uint32_t *count, struct error **e)
{
	struct xen_sysctl *op = hv_sysctl_begin(hv, XEN_SYSCTL_cputopoinfo);
	int rc = hv_sysctl(hv);

	if (rc < 0)
		return hv_fail(e, -rc, "read the topology of the processors");
	*count = op->u.cputopoinfo.num_cpus;
	return 0;
}

int hv_host_cpu_topology(struct hv *hv, struct xen_sysctl_cputopo **cpus, size_t *count,
			 struct error **e)
{
	struct xen_sysctl_cputopo *buffer;
	struct xen_sysctl *op;
	uint32_t room = 0;
	int rc = count_cpus(hv, &room, e);

	if (rc)
		return rc;
	buffer = hv_buffer(hv, room * sizeof(*buffer), e);
	if (!buffer)
		return -ENOMEM;
	op = hv_sysctl_begin(hv, XEN_SYSCTL_cputopoinfo);
	op->u.cputopoinfo.num_cpus = room;
	set_xen_guest_handle(op->u.cputopoinfo.cputopo, buffer);
	rc = hv_sysctl(hv);
	if (rc < 0) {
		hv_fail(e, -rc, "read the topology of the processors");
	} else {
		*count = op->u.cputopoinfo.num_cpus < room ? op->u.cputopoinfo.num_cpus : room;
		*cpus = xcalloc(*count + 1, sizeof(**cpus));
		memcpy(*cpus, buffer, *count * sizeof(**cpus));
	}
	hv_buffer_free(hv, buffer);
	return rc < 0 ? rc : 0;
}

static int count_nodes(struct hv *hv, uint32_t *count, struct error **e)
{
	struct xen_sysctl *op = hv_sysctl_begin(hv, XEN_SYSCTL_numainfo);
	int rc = hv_sysctl(hv);

	if (rc < 0)
		return hv_fail(e, -rc, "read the host's NUMA nodes");
	*count = op->u.numainfo.num_nodes;
	return 0;
}

int hv_host_numa(struct hv *hv, struct hv_numa *numa, struct error **e)
{
	struct xen_sysctl_meminfo *memory;
	uint32_t *distances, room = 0;
	struct xen_sysctl *op;
	int rc = count_nodes(hv, &room, e);
	size_t count;

	if (rc)
		return rc;
	memory =
		hv_buffer(hv, room * sizeof(*memory) + (size_t)room * room * sizeof(*distances), e);
	if (!memory)
		return -ENOMEM;
	distances = (uint32_t *)(memory + room);
	op = hv_sysctl_begin(hv, XEN_SYSCTL_numainfo);
	op->u.numainfo.num_nodes = room;
	set_xen_guest_handle(op->u.numainfo.meminfo, memory);
	set_xen_guest_handle(op->u.numainfo.distance, distances);
	rc = hv_sysctl(hv);
	if (rc < 0) {
		hv_fail(e, -rc, "read the host's NUMA nodes");
	} else {
		count = op->u.numainfo.num_nodes < room ? op->u.numainfo.num_nodes : room;
		numa->count = count;
		numa->memory = xcalloc(count + 1, sizeof(*memory));
		memcpy(numa->memory, memory, count * sizeof(*memory));
		numa->distances = xcalloc(count * count + 1, sizeof(*distances));
		memcpy(numa->distances, distances, count * count * sizeof(*distances));
	}
	hv_buffer_free(hv, memory);
	return rc < 0 ? rc : 0;
}

int hv_cpupool_next(struct hv *hv, uint32_t from, struct hv_cpupool *pool, struct error **e)
{
	uint8_t *bits = hv_buffer(hv, sizeof(pool->cpus.bits), e);
	struct xen_sysctl_cpupool_op *info;
	struct xen_sysctl *op;
	int rc;

	if (!bits)
		return -ENOMEM;
	memset(bits, 0, sizeof(pool->cpus.bits));
	op = hv_sysctl_begin(hv, XEN_SYSCTL_cpupool_op);
	info = &op->u.cpupool_op;
	info->op = XEN_SYSCTL_CPUPOOL_OP_INFO;
	info->cpupool_id = from;
	set_xen_guest_handle(info->cpumap.bitmap, bits);
	info->cpumap.nr_bits = 8 * sizeof(pool->cpus.bits);
	rc = hv_sysctl(hv);
	if (rc >= 0) {
		pool->id = info->cpupool_id;
		pool->scheduler = info->sched_id;
		pool->domains = info->n_dom;
		memcpy(pool->cpus.bits, bits, sizeof(pool->cpus.bits));
	}
	hv_buffer_free(hv, bits);
	if (rc == -ENOENT)
		return -ENOENT;
	return rc < 0 ? hv_fail(e, -rc, "read the pools of processors") : 0;
}
