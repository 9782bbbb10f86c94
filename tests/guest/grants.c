/* SPDX-License-Identifier: MIT */
/* Grant tables: a domain grants to itself, maps, copies and unmaps. Wrong references and rights are
 * refused. */
#include "guest.h"

static grant_entry_v1_t *entries;

static long op(unsigned int cmd, void *arg, unsigned int count)
{
	return hc3(__HYPERVISOR_grant_table_op, cmd, arg, count);
}

static void grant(unsigned int ref, void *page, uint16_t flags)
{
	entries[ref].domid = 0;
	entries[ref].frame = (uint32_t)virt_to_mfn(page);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	entries[ref].flags = flags;
}

static void test_setup(void)
{
	xen_pfn_t frames[1] = { 0 };
	gnttab_setup_table_t setup = { .dom = DOMID_SELF, .nr_frames = 1 };
	gnttab_query_size_t query = { .dom = DOMID_SELF };
	char *page = page_take();

	set_xen_guest_handle(setup.frame_list, frames);
	EXPECT_EQ(op(GNTTABOP_setup_table, &setup, 1), 0);
	EXPECT_EQ(setup.status, GNTST_okay);
	EXPECT(frames[0] != 0);
	EXPECT_EQ(hc3(__HYPERVISOR_update_va_mapping, page, frames[0] << 12 | 0x67, UVMF_INVLPG),
		  0);
	entries = (grant_entry_v1_t *)page;
	EXPECT_EQ(op(GNTTABOP_query_size, &query, 1), 0);
	EXPECT_EQ(query.status, GNTST_okay);
	EXPECT(query.nr_frames >= 1);
}

static void test_map(void)
{
	char *source = page_take(), *window = page_take();
	gnttab_map_grant_ref_t map = {
		.host_addr = (uint64_t)window, .flags = GNTMAP_host_map, .ref = 10, .dom = 0
	};
	gnttab_unmap_grant_ref_t unmap = { .host_addr = (uint64_t)window };

	/* Nothing granted yet. */
	EXPECT_EQ(op(GNTTABOP_map_grant_ref, &map, 1), 0);
	EXPECT(map.status < 0);
	source[0] = 42;
	grant(10, source, GTF_permit_access);
	EXPECT_EQ(op(GNTTABOP_map_grant_ref, &map, 1), 0);
	EXPECT_EQ(map.status, GNTST_okay);
	EXPECT_EQ(*(volatile char *)window, 42);
	*(volatile char *)window = 43;
	EXPECT_EQ(*(volatile char *)source, 43);
	EXPECT_EQ(entries[10].flags & (GTF_reading | GTF_writing), GTF_reading | GTF_writing);
	EXPECT_EQ(map.dev_bus_addr, virt_to_mfn(source) << 12);
	unmap.handle = map.handle;
	EXPECT_EQ(op(GNTTABOP_unmap_grant_ref, &unmap, 1), 0);
	EXPECT_EQ(unmap.status, GNTST_okay);
	EXPECT_EQ(entries[10].flags & (GTF_reading | GTF_writing), 0);
	EXPECT_EQ(CATCH("movq %0, %%rax\n\tmovb (%%rax), %%al", "r"(window)), 14);
	/* The second unmap is refused. */
	EXPECT_EQ(op(GNTTABOP_unmap_grant_ref, &unmap, 1), 0);
	EXPECT(unmap.status < 0);
	/* Read-only grant: no writable mapping. */
	grant(11, source, GTF_permit_access | GTF_readonly);
	map.ref = 11;
	EXPECT_EQ(op(GNTTABOP_map_grant_ref, &map, 1), 0);
	EXPECT(map.status < 0);
	map.flags |= GNTMAP_readonly;
	EXPECT_EQ(op(GNTTABOP_map_grant_ref, &map, 1), 0);
	EXPECT_EQ(map.status, GNTST_okay);
	EXPECT_EQ(CATCH("movq %0, %%rax\n\tmovb $1, (%%rax)", "r"(window)), 14);
	unmap.handle = map.handle;
	EXPECT_EQ(op(GNTTABOP_unmap_grant_ref, &unmap, 1), 0);
	EXPECT_EQ(unmap.status, GNTST_okay);
	map.ref = 0x7fffffff;
	EXPECT_EQ(op(GNTTABOP_map_grant_ref, &map, 1), 0);
	EXPECT(map.status < 0);
	map.ref = 10;
	map.dom = 77;
	EXPECT_EQ(op(GNTTABOP_map_grant_ref, &map, 1), 0);
	EXPECT(map.status < 0);
}

static void test_copy(void)
{
	char *from = page_take(), *to = page_take();
	gnttab_copy_t copy = { .source = { .domid = DOMID_SELF, .offset = 100 },
			       .dest = { .domid = DOMID_SELF, .offset = 200 },
			       .len = 1000,
			       .flags = GNTCOPY_source_gref | GNTCOPY_dest_gref };

	for (unsigned int i = 0; i < PAGE_SIZE; i++)
		from[i] = (char)(i * 7);
	memset(to, 0, PAGE_SIZE);
	grant(20, from, GTF_permit_access | GTF_readonly);
	grant(21, to, GTF_permit_access);
	copy.source.u.ref = 20;
	copy.dest.u.ref = 21;
	EXPECT_EQ(op(GNTTABOP_copy, &copy, 1), 0);
	EXPECT_EQ(copy.status, GNTST_okay);
	EXPECT_EQ(memcmp(to + 200, from + 100, 1000), 0);
	EXPECT_EQ(to[199] | to[1200], 0);
	EXPECT_EQ(entries[21].flags & (GTF_reading | GTF_writing), 0);
	/* Not into a read-only grant, not across the page's end. */
	copy.dest.u.ref = 20;
	EXPECT_EQ(op(GNTTABOP_copy, &copy, 1), 0);
	EXPECT(copy.status < 0);
	copy.dest.u.ref = 21;
	copy.dest.offset = 4000;
	EXPECT_EQ(op(GNTTABOP_copy, &copy, 1), 0);
	EXPECT(copy.status < 0);
	/* Own frame as the destination. */
	copy.flags = GNTCOPY_source_gref;
	copy.dest.u.gmfn = virt_to_mfn(to);
	copy.dest.offset = 0;
	EXPECT_EQ(op(GNTTABOP_copy, &copy, 1), 0);
	EXPECT_EQ(copy.status, GNTST_okay);
	EXPECT_EQ(memcmp(to, from + 100, 1000), 0);
}

void test_main(void)
{
	test_setup();
	test_map();
	test_copy();
	EXPECT_EQ(op(99, NULL, 1), -XENOSYS);
	EXPECT_EQ(op(GNTTABOP_map_grant_ref, (void *)0x7ffff000, 1), -XEFAULT);
}
