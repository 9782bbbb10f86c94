/* SPDX-License-Identifier: MIT */
/*
 * The guest changes its own memory: gives pages up and takes new ones, moves them, maps the shared
 * page and its grant table, maps and copies grants. What it reads afterwards shows that no old
 * translation is left.
 */
#include "pvh.h"

#include <xen/grant_table.h>

/* Above what the guest uses, and below its 32 MiB. */
#define AREA  0x1400UL /* a piece of 2 MiB */
#define PLACE 0x1800UL

static volatile uint64_t *at(unsigned long gfn)
{
	return (volatile uint64_t *)(gfn * PAGE_SIZE);
}

static long reservation(unsigned int op, xen_pfn_t *list, unsigned long nr, unsigned int order)
{
	struct xen_memory_reservation r = { .nr_extents = nr,
					    .extent_order = order,
					    .domid = DOMID_SELF };

	set_xen_guest_handle(r.extent_start, list);
	return hc2(__HYPERVISOR_memory_op, op, &r);
}

static long pages(void)
{
	domid_t self = DOMID_SELF;

	return hc2(__HYPERVISOR_memory_op, XENMEM_current_reservation, &self);
}

static long add(unsigned int space, unsigned long idx, unsigned long gfn)
{
	struct xen_add_to_physmap a = {
		.domid = DOMID_SELF, .space = space, .idx = idx, .gpfn = gfn
	};

	return hc2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &a);
}

static long give_up(unsigned long gfn)
{
	xen_pfn_t list[] = { gfn };

	return reservation(XENMEM_decrease_reservation, list, 1, 0);
}

static void balloon(void)
{
	static xen_pfn_t list[512];
	long before = pages();

	for (unsigned int i = 0; i < 512; i++) {
		list[i] = AREA + i;
		*at(AREA + i) = ~0UL;
	}
	EXPECT_EQ(reservation(XENMEM_decrease_reservation, list, 512, 0), 512);
	EXPECT_EQ(pages(), before - 512);
	/* What is not there cannot be given up. */
	EXPECT_EQ(reservation(XENMEM_decrease_reservation, list, 1, 0), 0);
	/* Back in one piece: each page is one of its own. (Xen does not clear what was this
	 * guest's.) */
	EXPECT_EQ(reservation(XENMEM_populate_physmap, list, 1, 9), 1);
	EXPECT_EQ(pages(), before);
	EXPECT_EQ(list[0], AREA);
	for (unsigned int i = 0; i < 512; i++) {
		EXPECT(*at(AREA + i) == 0 || *at(AREA + i) == ~0UL);
		*at(AREA + i) = i + 1;
	}
	for (unsigned int i = 0; i < 512; i++)
		EXPECT_EQ(*at(AREA + i), i + 1);
	/* One page out of the middle of it. */
	EXPECT_EQ(give_up(AREA + 100), 1);
	EXPECT_EQ(*at(AREA + 99), 100);
	EXPECT_EQ(*at(AREA + 101), 102);
	list[0] = AREA + 100;
	EXPECT_EQ(reservation(XENMEM_populate_physmap, list, 1, 0), 1);
	*at(AREA + 100) = 0x100;
	EXPECT_EQ(*at(AREA + 99), 100);
	EXPECT_EQ(*at(AREA + 101), 102);
	EXPECT_EQ(pages(), before);
}

static void move(void)
{
	long before = pages();

	*at(PLACE) = 0x1111;
	*at(PLACE + 1) = 0x2222;
	/* The second page takes the place of the first, which is given up. */
	EXPECT_EQ(add(XENMAPSPACE_gmfn, PLACE + 1, PLACE), 0);
	EXPECT_EQ(*at(PLACE), 0x2222);
	EXPECT_EQ(pages(), before - 1);
	EXPECT(add(XENMAPSPACE_gmfn, PLACE + 1, PLACE + 2) < 0);
}

static void shared_page(void)
{
	unsigned long home = (unsigned long)shared_info / PAGE_SIZE;

	struct shared_info *there = (struct shared_info *)at(PLACE + 1);

	EXPECT(shared_info->vcpu_info[0].time.tsc_to_system_mul);
	shared_info->evtchn_mask[1] = 0x777;
	EXPECT_EQ(add(XENMAPSPACE_shared_info, 0, PLACE + 1), 0);
	EXPECT_EQ(there->evtchn_mask[1], 0x777);
	EXPECT_EQ(add(XENMAPSPACE_shared_info, 0, home), 0);
	EXPECT_EQ(shared_info->evtchn_mask[1], 0x777);
	shared_info->evtchn_mask[1] = ~0UL;
	EXPECT(add(XENMAPSPACE_shared_info, 1, PLACE + 1) < 0);
}

/*
 * Grants to itself: the mapper's side and the granter's at once. On Xen the frame loses its old
 * number when it is mapped so.
 */
static void grants(void)
{
	domid_t self = (domid_t)cpuid(0x40000004, 0).c;
	struct gnttab_map_grant_ref map = { .host_addr = (PLACE + 4) * PAGE_SIZE,
					    .flags = GNTMAP_host_map,
					    .ref = 9,
					    .dom = self };
	struct gnttab_unmap_grant_ref unmap = { .host_addr = (PLACE + 4) * PAGE_SIZE };
	struct gnttab_copy copy = { .source = { .u.ref = 9, .domid = self },
				    .dest = { .u.gmfn = PLACE + 6, .domid = DOMID_SELF },
				    .len = PAGE_SIZE,
				    .flags = GNTCOPY_source_gref };
	volatile grant_entry_v1_t *table = (volatile void *)at(PLACE + 3);

	EXPECT_EQ(give_up(PLACE + 3), 1);
	EXPECT_EQ(give_up(PLACE + 4), 1);
	EXPECT_EQ(add(XENMAPSPACE_grant_table, 0, PLACE + 3), 0);
	*at(PLACE + 5) = 0x5555;
	table[9].domid = self;
	table[9].frame = PLACE + 5;
	__atomic_store_n(&table[9].flags, GTF_permit_access, __ATOMIC_SEQ_CST);
	EXPECT_EQ(hc3(__HYPERVISOR_grant_table_op, GNTTABOP_copy, &copy, 1), 0);
	EXPECT_EQ(copy.status, GNTST_okay);
	EXPECT_EQ(*at(PLACE + 6), 0x5555);
	EXPECT_EQ(hc3(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, &map, 1), 0);
	EXPECT_EQ(map.status, GNTST_okay);
	EXPECT_EQ(*at(PLACE + 4), 0x5555);
	*at(PLACE + 4) = 0x6666;
	EXPECT_EQ(*at(PLACE + 4), 0x6666);
	EXPECT(table[9].flags & GTF_writing);
	unmap.handle = map.handle;
	EXPECT_EQ(hc3(__HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, &unmap, 1), 0);
	EXPECT_EQ(unmap.status, GNTST_okay);
	EXPECT_EQ(table[9].flags, GTF_permit_access);
	/* A new page where the grant was. */
	EXPECT_EQ(reservation(XENMEM_populate_physmap, (xen_pfn_t[]){ PLACE + 4 }, 1, 0), 1);
	*at(PLACE + 4) = 0x7777;
	EXPECT_EQ(*at(PLACE + 4), 0x7777);
}

static void bad_addresses(void)
{
	/* Not mapped, not canonical, and RAM that is not there. */
	EXPECT_EQ(hc2(__HYPERVISOR_xen_version, XENVER_extraversion, 5UL << 30), -XEFAULT);
	EXPECT_EQ(hc2(__HYPERVISOR_xen_version, XENVER_extraversion, 0x800000000000), -XEFAULT);
	EXPECT_EQ(hc2(__HYPERVISOR_xen_version, XENVER_extraversion, 0xe0000000), -XEFAULT);
	/* Across two pages. */
	EXPECT_EQ(hc2(__HYPERVISOR_xen_version, XENVER_extraversion, (PLACE + 8) * PAGE_SIZE - 3),
		  0);
	EXPECT(reservation(XENMEM_populate_physmap, (xen_pfn_t[]){ 1UL << 50 }, 1, 0) == 0);
}

void pvh_test(void)
{
	balloon();
	move();
	shared_page();
	grants();
	bad_addresses();
}
