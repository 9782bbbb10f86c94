/* SPDX-License-Identifier: MIT */
/*
 * Frames of a domain: mapping them, reading and changing their types. Argument layouts:
 * xen/domctl.h, xen/xen.h.
 */
#include "hv/hv.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <xen/grant_table.h>

#include "hv/hv_internal.h"

/* Xen refuses more frames than this in one getpageframeinfo3. */
#define INFO_CHUNK 1024
/* Frames in one hypercall. */
#define CLEAR_CHUNK 1024

void *hv_map_frames(struct hv *hv, uint32_t domid, int prot, const xen_pfn_t *frames, int *errs,
		    size_t count, struct error **e)
{
	void *address = xenforeignmemory_map(hv->memory, domid, prot, count, frames, errs);

	if (!address)
		hv_fail(e, errno, "map %zu pages of domain %u", count, domid);
	return address;
}

void hv_unmap_frames(struct hv *hv, void *address, size_t count)
{
	if (address)
		xenforeignmemory_unmap(hv->memory, address, count);
}

int hv_frames_info(struct hv *hv, uint32_t domid, xen_pfn_t *frames, size_t count, struct error **e)
{
	xen_pfn_t *buffer = hv_buffer(hv, INFO_CHUNK * sizeof(*buffer), e);
	int rc = 0;

	if (!buffer)
		return -ENOMEM;
	for (size_t done = 0; done < count && rc >= 0; done += INFO_CHUNK) {
		size_t now = count - done < INFO_CHUNK ? count - done : INFO_CHUNK;
		struct xen_domctl *op = hv_domctl_begin(hv, XEN_DOMCTL_getpageframeinfo3, domid);

		memcpy(buffer, frames + done, now * sizeof(*buffer));
		op->u.getpageframeinfo3.num = now;
		set_xen_guest_handle(op->u.getpageframeinfo3.array, buffer);
		rc = hv_domctl(hv);
		memcpy(frames + done, buffer, now * sizeof(*buffer));
	}
	hv_buffer_free(hv, buffer);
	return rc < 0 ? hv_fail(e, -rc, "read the types of domain %u's pages", domid) : 0;
}

int hv_mmuext(struct hv *hv, uint32_t domid, const struct mmuext_op *ops, size_t count,
	      struct error **e)
{
	struct mmuext_op *buffer = hv_buffer(hv, count * sizeof(*buffer), e);
	int rc;

	if (!buffer)
		return -ENOMEM;
	memcpy(buffer, ops, count * sizeof(*buffer));
	rc = xencall4(hv->calls, __HYPERVISOR_mmuext_op, (uintptr_t)buffer, count, 0, domid);
	rc = rc < 0 ? -errno : 0;
	hv_buffer_free(hv, buffer);
	return rc < 0 ?
		       hv_fail(e, -rc, "make page tables of %zu pages of domain %u", count, domid) :
		       0;
}

/* The hypervisor clears the frames itself, which saves mapping them. */
int hv_clear_frames(struct hv *hv, uint32_t domid, const xen_pfn_t *frames, size_t count,
		    struct error **e)
{
	struct mmuext_op *ops = hv_buffer(hv, CLEAR_CHUNK * sizeof(*ops), e);
	int rc = ops ? 0 : -ENOMEM;

	for (size_t done = 0; done < count && rc == 0;) {
		size_t now = count - done < CLEAR_CHUNK ? count - done : CLEAR_CHUNK;

		for (size_t i = 0; i < now; i++)
			ops[i] = (struct mmuext_op){ .cmd = MMUEXT_CLEAR_PAGE,
						     .arg1.mfn = frames[done + i] };
		if (xencall4(hv->calls, __HYPERVISOR_mmuext_op, (uintptr_t)ops, now, 0, domid) < 0)
			rc = hv_fail(e, errno, "clear %zu pages of domain %u", count, domid);
		done += now;
	}
	if (ops)
		hv_buffer_free(hv, ops);
	return rc;
}

int hv_hypercall_page(struct hv *hv, uint32_t domid, uint64_t gmfn, struct error **e)
{
	struct xen_domctl *op = hv_domctl_begin(hv, XEN_DOMCTL_hypercall_init, domid);
	int rc;

	op->u.hypercall_init.gmfn = gmfn;
	rc = hv_domctl(hv);
	return rc < 0 ? hv_fail(e, -rc, "fill the hypercall page of domain %u", domid) : 0;
}

int hv_grant_seed(struct hv *hv, uint32_t domid, const struct hv_grant_seed *seeds, size_t count,
		  struct error **e)
{
	void *table = NULL;
	xenforeignmemory_resource_handle *resource =
		xenforeignmemory_map_resource(hv->memory, (domid_t)domid,
					      XENMEM_resource_grant_table,
					      XENMEM_resource_grant_table_id_shared, 0, 1, &table,
					      PROT_READ | PROT_WRITE, 0);
	grant_entry_v1_t *entries = table;

	if (!resource)
		return hv_fail(e, errno, "map the grant table of domain %u", domid);
	for (size_t i = 0; i < count; i++) {
		grant_entry_v1_t *entry = &entries[seeds[i].ref % (4096 / sizeof(*entry))];

		entry->domid = (domid_t)seeds[i].backend_domid;
		entry->frame = (uint32_t)seeds[i].frame;
		/* Last: the flags make the entry valid. */
		__atomic_store_n(&entry->flags, GTF_permit_access, __ATOMIC_RELEASE);
	}
	xenforeignmemory_unmap_resource(hv->memory, resource);
	return 0;
}
