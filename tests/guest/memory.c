/* SPDX-License-Identifier: MIT */
/* Memory is given back, taken again and exchanged for contiguous frames; the counts stay right. */
#include "guest.h"

static long op(unsigned int cmd, void *arg)
{
	return hc2(__HYPERVISOR_memory_op, cmd, arg);
}

static long reserve(unsigned int cmd, xen_pfn_t *frames, unsigned int nr)
{
	struct xen_memory_reservation r = { .nr_extents = nr, .domid = DOMID_SELF };

	set_xen_guest_handle(r.extent_start, frames);
	return op(cmd, &r);
}

static void unmap(void *page)
{
	EXPECT_EQ(hc3(__HYPERVISOR_update_va_mapping, page, 0, UVMF_INVLPG), 0);
}

static void test_balloon(void)
{
	domid_t self = DOMID_SELF;
	long before = op(XENMEM_current_reservation, &self);
	char *page = page_take();
	xen_pfn_t frame = virt_to_mfn(page);

	EXPECT(before > 0);
	EXPECT(op(XENMEM_maximum_reservation, &self) >= before);
	*(volatile char *)page = 99;
	unmap(page);
	EXPECT_EQ(reserve(XENMEM_decrease_reservation, &frame, 1), 1);
	EXPECT_EQ(op(XENMEM_current_reservation, &self), before - 1);
	/* The frame is not ours any more. */
	EXPECT_EQ(reserve(XENMEM_decrease_reservation, &frame, 1), 0);
	EXPECT(hc3(__HYPERVISOR_update_va_mapping, page, frame << 12 | 0x67, UVMF_INVLPG) < 0);
	frame = (unsigned long)page >> 12;
	EXPECT_EQ(reserve(XENMEM_populate_physmap, &frame, 1), 1);
	EXPECT_EQ(op(XENMEM_current_reservation, &self), before);
	EXPECT_EQ(machine_to_phys_mapping[frame], (unsigned long)page >> 12);
	EXPECT_EQ(hc3(__HYPERVISOR_update_va_mapping, page, frame << 12 | 0x67, UVMF_INVLPG), 0);
	((unsigned long *)start_info->mfn_list)[(unsigned long)page >> 12] = frame;
}

/* The owners of the hypervisor's pages and of device memory are no domains with memory. */
static void test_special_domains(void)
{
	static const domid_t special[] = { DOMID_IO, DOMID_XEN };
	struct xen_memory_exchange ex = { 0 };
	xen_pfn_t frame = 1;

	for (unsigned int i = 0; i < 2; i++) {
		struct xen_memory_reservation r = { .nr_extents = 1, .domid = special[i] };

		set_xen_guest_handle(r.extent_start, &frame);
		EXPECT_EQ(op(XENMEM_decrease_reservation, &r), 0);
		ex.in.domid = ex.out.domid = special[i];
		(void)op(XENMEM_exchange, &ex);
	}
}

static void test_exchange(void)
{
	char *pages[4];
	xen_pfn_t in[4], out = 0;
	struct xen_memory_exchange ex = { .in = { .nr_extents = 4, .domid = DOMID_SELF },
					  .out = { .nr_extents = 1,
						   .extent_order = 2,
						   .mem_flags = XENMEMF_address_bits(32),
						   .domid = DOMID_SELF } };

	for (unsigned int i = 0; i < 4; i++) {
		pages[i] = page_take();
		in[i] = virt_to_mfn(pages[i]);
		unmap(pages[i]);
	}
	out = (unsigned long)pages[0] >> 12;
	set_xen_guest_handle(ex.in.extent_start, in);
	set_xen_guest_handle(ex.out.extent_start, &out);
	EXPECT_EQ(op(XENMEM_exchange, &ex), 0);
	EXPECT_EQ(ex.nr_exchanged, 4);
	EXPECT_EQ(out & 3, 0);
	EXPECT(out < 0x100000);
	for (unsigned int i = 0; i < 4; i++)
		EXPECT_EQ(machine_to_phys_mapping[out + i], ((unsigned long)pages[0] >> 12) + i);
	for (unsigned int i = 0; i < 4; i++)
		EXPECT_EQ(hc3(__HYPERVISOR_update_va_mapping, pages[i], (out + i) << 12 | 0x67,
			      UVMF_INVLPG),
			  0);
}

static void test_queries(void)
{
	struct xen_memory_map map = { .nr_entries = 128 };
	struct e820 {
		uint64_t addr, size;
		uint32_t type;
	} __attribute__((packed)) *entries = page_take();
	unsigned long ram = 0;

	EXPECT(op(XENMEM_maximum_ram_page, NULL) > 0x1000);
	set_xen_guest_handle(map.buffer, (void *)entries);
	EXPECT_EQ(op(XENMEM_machine_memory_map, &map), 0);
	EXPECT(map.nr_entries >= 2);
	for (unsigned int i = 0; i < map.nr_entries; i++)
		if (entries[i].type == 1)
			ram += entries[i].size;
	EXPECT(ram > 400UL << 20);
	EXPECT_EQ(op(99, NULL), -XENOSYS);
}

void test_main(void)
{
	test_balloon();
	test_special_domains();
	test_exchange();
	test_queries();
}
