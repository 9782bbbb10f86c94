/* SPDX-License-Identifier: MIT */
/* vCPUs: their number, their affinity and all of their state. Argument layouts: xen/domctl.h. */
#include "hv/hv.h"

#include <errno.h>
#include <string.h>

#include "hv/hv_internal.h"
#include "lib/alloc.h"

/* Offsets of the two CPU maps in the page of hv->op, behind the operation itself. */
#define HARD_OFFSET 1024
#define SOFT_OFFSET 2048

/* No processor has a larger extended state. */
#define XSAVE_MAX (1u << 20)

int hv_vcpu_allocate(struct hv *hv, uint32_t domid, unsigned int max, struct error **e)
{
	struct xen_domctl *op = hv_domctl_begin(hv, XEN_DOMCTL_max_vcpus, domid);
	int rc;

	op->u.max_vcpus.max = max;
	rc = hv_domctl(hv);
	return rc < 0 ? hv_fail(e, -rc, "give domain %u its %u vCPUs", domid, max) : 0;
}

int hv_vcpu_info(struct hv *hv, uint32_t domid, unsigned int vcpu, struct hv_vcpu_info *info,
		 struct error **e)
{
	struct xen_domctl *op = hv_domctl_begin(hv, XEN_DOMCTL_getvcpuinfo, domid);
	int rc;

	op->u.getvcpuinfo.vcpu = vcpu;
	rc = hv_domctl(hv);
	if (rc < 0)
		return hv_fail(e, -rc, "read the state of vCPU %u of domain %u", vcpu, domid);
	*info = (struct hv_vcpu_info){
		.online = op->u.getvcpuinfo.online,
		.blocked = op->u.getvcpuinfo.blocked,
		.running = op->u.getvcpuinfo.running,
		.cpu_time_ns = op->u.getvcpuinfo.cpu_time,
		.cpu = op->u.getvcpuinfo.cpu,
	};
	return 0;
}

/* Gets or sets the affinity. On return both maps hold what the hypervisor made of them. */
static int affinity(struct hv *hv, uint32_t cmd, uint32_t domid, unsigned int vcpu,
		    struct hv_cpumap *hard, struct hv_cpumap *soft)
{
	struct xen_domctl *op = hv_domctl_begin(hv, cmd, domid);
	struct xen_domctl_vcpuaffinity *affinity = &op->u.vcpuaffinity;
	uint8_t *hard_bits = hv->op->bytes + HARD_OFFSET;
	uint8_t *soft_bits = hv->op->bytes + SOFT_OFFSET;
	int rc;

	memset(hard_bits, 0, sizeof(*hard));
	memset(soft_bits, 0, sizeof(*soft));
	if (cmd == XEN_DOMCTL_setvcpuaffinity && hard)
		memcpy(hard_bits, hard->bits, sizeof(*hard));
	if (cmd == XEN_DOMCTL_setvcpuaffinity && soft)
		memcpy(soft_bits, soft->bits, sizeof(*soft));
	affinity->vcpu = vcpu;
	affinity->flags = (hard ? XEN_VCPUAFFINITY_HARD : 0) | (soft ? XEN_VCPUAFFINITY_SOFT : 0);
	set_xen_guest_handle(affinity->cpumap_hard.bitmap, hard_bits);
	affinity->cpumap_hard.nr_bits = HV_CPUMAP_CPUS;
	set_xen_guest_handle(affinity->cpumap_soft.bitmap, soft_bits);
	affinity->cpumap_soft.nr_bits = HV_CPUMAP_CPUS;
	rc = hv_domctl(hv);
	if (rc < 0)
		return rc;
	if (hard)
		memcpy(hard->bits, hard_bits, sizeof(*hard));
	if (soft)
		memcpy(soft->bits, soft_bits, sizeof(*soft));
	return 0;
}

int hv_vcpu_get_affinity(struct hv *hv, uint32_t domid, unsigned int vcpu, struct hv_cpumap *hard,
			 struct hv_cpumap *soft, struct error **e)
{
	int rc = affinity(hv, XEN_DOMCTL_getvcpuaffinity, domid, vcpu, hard, soft);

	return rc < 0 ? hv_fail(e, -rc, "read the CPU affinity of vCPU %u of domain %u", vcpu,
				domid) :
			0;
}

int hv_vcpu_set_affinity(struct hv *hv, uint32_t domid, unsigned int vcpu, struct hv_cpumap *hard,
			 struct hv_cpumap *soft, struct error **e)
{
	int rc = affinity(hv, XEN_DOMCTL_setvcpuaffinity, domid, vcpu, hard, soft);

	return rc < 0 ? hv_fail(e, -rc, "pin vCPU %u of domain %u", vcpu, domid) : 0;
}

static int context_op(struct hv *hv, uint32_t cmd, uint32_t domid, unsigned int vcpu,
		      vcpu_guest_context_t *buffer)
{
	struct xen_domctl *op = hv_domctl_begin(hv, cmd, domid);

	op->u.vcpucontext.vcpu = vcpu;
	set_xen_guest_handle(op->u.vcpucontext.ctxt, buffer);
	return hv_domctl(hv);
}

int hv_vcpu_get_context(struct hv *hv, uint32_t domid, unsigned int vcpu,
			vcpu_guest_context_t *context, struct error **e)
{
	vcpu_guest_context_t *buffer = hv_buffer(hv, sizeof(*buffer), e);
	int rc;

	if (!buffer)
		return -ENOMEM;
	memset(buffer, 0, sizeof(*buffer));
	rc = context_op(hv, XEN_DOMCTL_getvcpucontext, domid, vcpu, buffer);
	if (rc >= 0)
		*context = *buffer;
	hv_buffer_free(hv, buffer);
	return rc < 0 ? hv_fail(e, -rc, "read the registers of vCPU %u of domain %u", vcpu, domid) :
			0;
}

int hv_vcpu_set_context(struct hv *hv, uint32_t domid, unsigned int vcpu,
			const vcpu_guest_context_t *context, struct error **e)
{
	vcpu_guest_context_t *buffer = hv_buffer(hv, sizeof(*buffer), e);
	int rc;

	if (!buffer)
		return -ENOMEM;
	*buffer = *context;
	rc = context_op(hv, XEN_DOMCTL_setvcpucontext, domid, vcpu, buffer);
	hv_buffer_free(hv, buffer);
	return rc < 0 ? hv_fail(e, -rc, "set the registers of vCPU %u of domain %u", vcpu, domid) :
			0;
}

int hv_vcpu_reset(struct hv *hv, uint32_t domid, unsigned int vcpu, struct error **e)
{
	int rc = context_op(hv, XEN_DOMCTL_setvcpucontext, domid, vcpu, NULL);

	return rc < 0 ? hv_fail(e, -rc, "reset vCPU %u of domain %u", vcpu, domid) : 0;
}

int hv_vcpu_get_ext_context(struct hv *hv, uint32_t domid, unsigned int vcpu,
			    struct xen_domctl_ext_vcpucontext *ext, struct error **e)
{
	struct xen_domctl *op = hv_domctl_begin(hv, XEN_DOMCTL_get_ext_vcpucontext, domid);
	int rc;

	op->u.ext_vcpucontext.vcpu = vcpu;
	rc = hv_domctl(hv);
	if (rc < 0)
		return hv_fail(e, -rc, "read the entry points of vCPU %u of domain %u", vcpu,
			       domid);
	*ext = op->u.ext_vcpucontext;
	return 0;
}

int hv_vcpu_set_ext_context(struct hv *hv, uint32_t domid,
			    const struct xen_domctl_ext_vcpucontext *ext, struct error **e)
{
	struct xen_domctl *op = hv_domctl_begin(hv, XEN_DOMCTL_set_ext_vcpucontext, domid);
	int rc;

	op->u.ext_vcpucontext = *ext;
	rc = hv_domctl(hv);
	return rc < 0 ? hv_fail(e, -rc, "set the entry points of vCPU %u of domain %u", ext->vcpu,
				domid) :
			0;
}

/* A copy of a hypercall buffer in ordinary memory. */
static void *copy_of(const void *buffer, size_t size)
{
	return memcpy(xmalloc(size), buffer, size);
}

/*
 * *size in: bytes in buffer, which may be NULL; out: bytes of the state. *features: a get call
 * without a buffer sets it, and the call with the buffer must repeat it.
 */
static int xsave_op(struct hv *hv, uint32_t cmd, uint32_t domid, unsigned int vcpu, void *buffer,
		    size_t *size, uint64_t *features)
{
	struct xen_domctl *op = hv_domctl_begin(hv, cmd, domid);
	int rc;

	op->u.vcpuextstate.vcpu = vcpu;
	op->u.vcpuextstate.size = *size;
	op->u.vcpuextstate.xfeature_mask = *features;
	set_xen_guest_handle(op->u.vcpuextstate.buffer, (uint64_t *)buffer);
	rc = hv_domctl(hv);
	*size = op->u.vcpuextstate.size;
	*features = op->u.vcpuextstate.xfeature_mask;
	return rc;
}

int hv_vcpu_get_xsave(struct hv *hv, uint32_t domid, unsigned int vcpu, void **data, size_t *size,
		      struct error **e)
{
	uint64_t features = 0;
	void *buffer;
	int rc;

	*data = NULL;
	*size = 0;
	rc = xsave_op(hv, XEN_DOMCTL_getvcpuextstate, domid, vcpu, NULL, size, &features);
	if (rc == 0 && *size > XSAVE_MAX)
		rc = -E2BIG;
	if (rc < 0)
		return hv_fail(e, -rc, "read the extended state of vCPU %u of domain %u", vcpu,
			       domid);
	if (*size == 0)
		return 0;
	buffer = hv_buffer(hv, *size, e);
	if (!buffer)
		return -ENOMEM;
	memset(buffer, 0, *size);
	rc = xsave_op(hv, XEN_DOMCTL_getvcpuextstate, domid, vcpu, buffer, size, &features);
	if (rc >= 0)
		*data = copy_of(buffer, *size);
	hv_buffer_free(hv, buffer);
	return rc < 0 ? hv_fail(e, -rc, "read the extended state of vCPU %u of domain %u", vcpu,
				domid) :
			0;
}

int hv_vcpu_set_xsave(struct hv *hv, uint32_t domid, unsigned int vcpu, const void *data,
		      size_t size, struct error **e)
{
	void *buffer = hv_buffer(hv, size, e);
	uint64_t features = 0;
	int rc;

	if (!buffer)
		return -ENOMEM;
	memcpy(buffer, data, size);
	rc = xsave_op(hv, XEN_DOMCTL_setvcpuextstate, domid, vcpu, buffer, &size, &features);
	hv_buffer_free(hv, buffer);
	return rc < 0 ? hv_fail(e, -rc, "set the extended state of vCPU %u of domain %u", vcpu,
				domid) :
			0;
}

static int msrs_op(struct hv *hv, uint32_t cmd, uint32_t domid, unsigned int vcpu,
		   xen_domctl_vcpu_msr_t *buffer, size_t *count)
{
	struct xen_domctl *op = hv_domctl_begin(hv, cmd, domid);
	int rc;

	op->u.vcpu_msrs.vcpu = vcpu;
	op->u.vcpu_msrs.msr_count = (uint32_t)*count;
	set_xen_guest_handle(op->u.vcpu_msrs.msrs, buffer);
	rc = hv_domctl(hv);
	*count = op->u.vcpu_msrs.msr_count;
	return rc;
}

int hv_vcpu_get_msrs(struct hv *hv, uint32_t domid, unsigned int vcpu, xen_domctl_vcpu_msr_t **msrs,
		     size_t *count, struct error **e)
{
	xen_domctl_vcpu_msr_t *buffer;
	size_t room = 0;
	int rc;

	*msrs = NULL;
	*count = 0;
	rc = msrs_op(hv, XEN_DOMCTL_get_vcpu_msrs, domid, vcpu, NULL, &room);
	if (rc < 0)
		return hv_fail(e, -rc, "read the registers of vCPU %u of domain %u", vcpu, domid);
	if (room == 0)
		return 0;
	buffer = hv_buffer(hv, room * sizeof(*buffer), e);
	if (!buffer)
		return -ENOMEM;
	memset(buffer, 0, room * sizeof(*buffer));
	*count = room;
	rc = msrs_op(hv, XEN_DOMCTL_get_vcpu_msrs, domid, vcpu, buffer, count);
	if (rc >= 0 && *count > 0 && *count <= room)
		*msrs = copy_of(buffer, *count * sizeof(*buffer));
	hv_buffer_free(hv, buffer);
	return rc < 0 ? hv_fail(e, -rc, "read the registers of vCPU %u of domain %u", vcpu, domid) :
			0;
}

int hv_vcpu_set_msrs(struct hv *hv, uint32_t domid, unsigned int vcpu,
		     const xen_domctl_vcpu_msr_t *msrs, size_t count, struct error **e)
{
	xen_domctl_vcpu_msr_t *buffer = hv_buffer(hv, count * sizeof(*buffer), e);
	int rc;

	if (!buffer)
		return -ENOMEM;
	memcpy(buffer, msrs, count * sizeof(*buffer));
	rc = msrs_op(hv, XEN_DOMCTL_set_vcpu_msrs, domid, vcpu, buffer, &count);
	hv_buffer_free(hv, buffer);
	return rc < 0 ? hv_fail(e, -rc, "set the registers of vCPU %u of domain %u", vcpu, domid) :
			0;
}
