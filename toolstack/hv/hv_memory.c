/* SPDX-License-Identifier: MIT */
/*
 * A domain's memory: allocation, release, reservation and the map that it sees. Argument layouts:
 * xen/memory.h, xen/hvm/e820.h.
 */
#include "hv/hv.h"

#include <errno.h>
#include <string.h>

#include "hv/hv_internal.h"

#define E820_RAM 1

/* One entry of the map, in the layout of the BIOS call INT 0x15, EAX 0xe820. */
struct e820_entry {
	uint64_t start, size;
	uint32_t type;
} __attribute__((packed));

_Static_assert(sizeof(struct e820_entry) == 20, "an entry of the E820 map");

long hv_memory_populate(struct hv *hv, uint32_t domid, const xen_pfn_t *gfns, xen_pfn_t *mfns,
			size_t count, unsigned int order, struct error **e)
{
	xen_pfn_t *buffer = hv_buffer(hv, count * sizeof(*buffer), e);
	struct xen_memory_reservation *op;
	long rc;

	if (!buffer)
		return -ENOMEM;
	memcpy(buffer, gfns, count * sizeof(*buffer));
	op = hv_op_begin(hv, sizeof(*op));
	set_xen_guest_handle(op->extent_start, buffer);
	op->nr_extents = count;
	op->extent_order = order;
	op->domid = (domid_t)domid;
	rc = hv_memory_op(hv, XENMEM_populate_physmap, op);
	if (rc > 0)
		memcpy(mfns, buffer, (size_t)rc * sizeof(*buffer));
	hv_buffer_free(hv, buffer);
	return rc < 0 ? hv_fail(e, (int)-rc, "allocate memory for domain %u", domid) : rc;
}

int hv_memory_release(struct hv *hv, uint32_t domid, const xen_pfn_t *mfns, size_t count,
		      struct error **e)
{
	xen_pfn_t *buffer = hv_buffer(hv, count * sizeof(*buffer), e);
	struct xen_memory_reservation *op;
	long rc;

	if (!buffer)
		return -ENOMEM;
	memcpy(buffer, mfns, count * sizeof(*buffer));
	op = hv_op_begin(hv, sizeof(*op));
	set_xen_guest_handle(op->extent_start, buffer);
	op->nr_extents = count;
	op->domid = (domid_t)domid;
	rc = hv_memory_op(hv, XENMEM_decrease_reservation, op);
	hv_buffer_free(hv, buffer);
	if (rc >= 0 && (size_t)rc < count)
		rc = -EINVAL;
	return rc < 0 ? hv_fail(e, (int)-rc, "take memory from domain %u", domid) : 0;
}

int hv_memory_claim(struct hv *hv, uint32_t domid, uint64_t pages, struct error **e)
{
	struct xen_memory_reservation *op = hv_op_begin(hv, sizeof(*op));
	long rc;

	op->nr_extents = pages;
	op->domid = (domid_t)domid;
	rc = hv_memory_op(hv, XENMEM_claim_pages, op);
	return rc < 0 ? hv_fail(e, (int)-rc, "reserve %llu MiB for domain %u",
				(unsigned long long)pages >> 8, domid) :
			0;
}

int hv_memory_set_map(struct hv *hv, uint32_t domid, uint64_t bytes, struct error **e)
{
	struct {
		struct xen_foreign_memory_map map;
		struct e820_entry entry;
	} *op = hv_op_begin(hv, sizeof(*op));
	long rc;

	op->entry = (struct e820_entry){ .start = 0, .size = bytes, .type = E820_RAM };
	op->map.domid = (domid_t)domid;
	op->map.map.nr_entries = 1;
	set_xen_guest_handle(op->map.map.buffer, (void *)&op->entry);
	rc = hv_memory_op(hv, XENMEM_set_memory_map, op);
	return rc < 0 ? hv_fail(e, (int)-rc, "set the memory map of domain %u", domid) : 0;
}

int hv_memory_max_mfn(struct hv *hv, uint64_t *mfn, struct error **e)
{
	long rc = hv_memory_op(hv, XENMEM_maximum_ram_page, NULL);

	if (rc < 0)
		return hv_fail(e, (int)-rc, "read the highest frame of the host");
	*mfn = (uint64_t)rc;
	return 0;
}
