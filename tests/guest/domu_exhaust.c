/* SPDX-License-Identifier: MIT */
/*
 * Takes all that it can get of everything that is counted: event channels, grant frames and
 * references, grant mappings, memory, vCPU timers. It prints how much that was, and then loops
 * forever with events masked. It runs as a guest beside others. It proves that host and neighbours
 * still have enough, and that destroying it gives everything back.
 */
#include "guest.h"

/* Control operations are Domain-0's alone, as calls and in a multicall, whatever they ask. */
static void expect_denied(void)
{
	static uint32_t op[128]; /* of no version: who may ask is told -EACCES */
	multicall_entry_t calls[] = {
		{ .op = __HYPERVISOR_sysctl, .args = { (unsigned long)op } },
		{ .op = __HYPERVISOR_domctl, .args = { (unsigned long)op } },
		{ .op = __HYPERVISOR_platform_op, .args = { (unsigned long)op } },
	};

	for (unsigned int i = 0; i < 3; i++)
		EXPECT_EQ(hc1(calls[i].op, calls[i].args[0]), -XEPERM);
	EXPECT_EQ(hc2(__HYPERVISOR_multicall, calls, 3), 0);
	for (unsigned int i = 0; i < 3; i++)
		EXPECT_EQ((long)calls[i].result, -XEPERM);
}

static unsigned long take_ports(void)
{
	unsigned long n = 0;

	for (;; n++) {
		struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = 0 };

		if (hc2(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &alloc))
			return n;
	}
}

/* Sets up all frames of the grant table; the first one is mapped. */
static grant_entry_v1_t *take_grant_frames(unsigned long *frames)
{
	static xen_pfn_t list[4096];
	struct gnttab_setup_table setup = { .dom = DOMID_SELF };
	grant_entry_v1_t *grants = page_take();

	set_xen_guest_handle(setup.frame_list, list);
	for (*frames = 0; *frames < sizeof(list) / sizeof(list[0]); ++*frames) {
		setup.nr_frames = (uint32_t)*frames + 1;
		if (hc3(__HYPERVISOR_grant_table_op, GNTTABOP_setup_table, &setup, 1) ||
		    setup.status)
			break;
	}
	if (*frames == 0 ||
	    hc3(__HYPERVISOR_update_va_mapping, grants, list[0] << 12 | 0x67, UVMF_INVLPG))
		guest_error("the grant table cannot be mapped");
	return grants;
}

/* Maps one of its own pages read-only at one place, over and over: each mapping takes a handle. */
static unsigned long take_mappings(grant_entry_v1_t *grants)
{
	void *shared = page_take(), *window = page_take();
	unsigned long n = 0;

	hc3(__HYPERVISOR_update_va_mapping, window, 0, UVMF_INVLPG);
	grants[8].frame = (uint32_t)virt_to_mfn(shared);
	grants[8].domid = own_domid();
	grants[8].flags = GTF_permit_access | GTF_readonly;
	for (;; n++) {
		struct gnttab_map_grant_ref map = { .host_addr = (unsigned long)window,
						    .flags = GNTMAP_host_map | GNTMAP_readonly,
						    .ref = 8,
						    .dom = own_domid() };

		if (hc3(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, &map, 1) || map.status)
			return n;
		/* Remove it from the page table, but not from the hypervisor's record. */
		hc3(__HYPERVISOR_update_va_mapping, window, 0, UVMF_INVLPG);
	}
}

static unsigned long take_memory(void)
{
	unsigned long n = 0;

	for (;; n++) {
		xen_pfn_t frame = 0;
		struct xen_memory_reservation one = { .nr_extents = 1, .domid = DOMID_SELF };

		set_xen_guest_handle(one.extent_start, &frame);
		if (hc2(__HYPERVISOR_memory_op, XENMEM_populate_physmap, &one) != 1)
			return n;
	}
}

void test_main(void)
{
	unsigned long frames, ports, mappings;
	grant_entry_v1_t *grants;

	expect_denied();
	ports = take_ports();
	grants = take_grant_frames(&frames);
	mappings = take_mappings(grants);

	guest_printf("exhaust: %lu ports, %lu grant frames, %lu mappings, %lu pages\n", ports,
		     frames, mappings, take_memory());
	events_disable();
	for (;;)
		__asm__ volatile("" ::: "memory");
}
