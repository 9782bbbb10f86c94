/* SPDX-License-Identifier: MIT */
/*
 * memory_op and grants for a domain whose frame numbers are its own: populate, decrease,
 * add_to_physmap and its batch, remove, and that no frame is lost or kept by any of them.
 */
/* links: hypervisor/x86/hvm/p2m.c hypervisor/x86/hvm/p2m_log.c hypervisor/x86/hvm/p2m_format.c hypervisor/x86/hvm/physmap.c */
/* links: hypervisor/x86/mm/page_types.c hypervisor/x86/mm/page_validate.c hypervisor/x86/mm/page_check.c */
/* links: hypervisor/core/memory/memory_reservation.c hypervisor/core/memory/memory_physmap.c */
/* links: hypervisor/core/domain/page_ref.c hypervisor/core/base/page_list.c */
/* links: hypervisor/x86/mm/log_dirty.c hypervisor/x86/mm/mirror.c hypervisor/lib/dirty_map.c */
/* links: hypervisor/lib/bitmap.c hypervisor/lib/rangeset.c */
#include "core/memory/memory_op.h"

#include <string.h>
#include <xen/grant_table.h>
#include "core/base/page_alloc_internal.h"
#include "host/host.h"
#include "hv/arch/frame.h"
#include "hv/arch/map.h"
#include "hv/grant.h"
#include "hv/hv_heap.h"
#include "hv/page_alloc.h"
#include "hv/pause.h"
#include "lib/errno.h"
#include "unit.h"
#include "x86/cpu/feature.h"
#include "x86/hvm/p2m.h"
#include "x86/hvm/p2m_format.h"
#include "x86/hvm/physmap.h"
#include "x86/mm/page_types.h"
#include "x86/mm/paging.h"
#include "x86/mm/tlb.h"

#define RAM_PAGES 8192
#define FIRST	  1024
#define LIMIT	  2048

struct domain *dom0, *dom_io, *dom_xen, *idle_domain;
struct cpu_features cpu_features = { .paddr_bits = 40 };
u64 *idle_l4;

static struct domain *hvm, *pv;
static unsigned long m2p[RAM_PAGES], flushes, freed;
static bool preempt;
static grant_entry_v1_t *grant_frame;

bool hypercall_preempt_check(void)
{
	return preempt;
}

struct domain *hypercall_target(unsigned int id, int *err)
{
	if (id == 1 || id == 2)
		return id == 1 ? hvm : pv;
	*err = -ESRCH;
	return NULL;
}

bool domain_get(struct domain *d)
{
	return true;
}

void domain_put(struct domain *d)
{
}

bool guest_frames_are_machine(const struct domain *d)
{
	return d != hvm;
}

struct page_info *guest_frame_get(struct domain *d, gfn_t gfn, mfn_t *mfn)
{
	if (d == hvm)
		return p2m_frame_get(d, gfn, mfn);
	*mfn = MFN(gfn_x(gfn));
	return page_get_from_mfn(*mfn, d);
}

int arch_gfn_map(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order, enum gfn_use use)
{
	return hvm_gfn_map(d, gfn, mfn, order, use);
}

int arch_gfn_unmap(struct domain *d, gfn_t gfn, mfn_t mfn)
{
	return hvm_gfn_unmap(d, gfn, mfn);
}

unsigned int arch_gfn_give_up(struct domain *d, const gfn_t *gfns, unsigned int nr,
			      unsigned int order)
{
	return hvm_gfn_give_up(d, gfns, nr, order);
}

int grant_get_shared_frame(struct domain *d, unsigned int idx, mfn_t *mfn)
{
	if (idx)
		return -EINVAL;
	*mfn = virt_to_mfn(grant_frame);
	return 0;
}

int page_claim(struct domain *d, unsigned long pages)
{
	return 0;
}

void arch_page_reused(struct page_info *pg, unsigned int order)
{
}

void arch_page_freed(struct page_info *pg, unsigned int order)
{
}

bool arch_page_has_type(const struct page_info *pg)
{
	return page_type_count(pg) != 0;
}

void page_alloc_release(struct page_info *pg, const struct domain *d)
{
	assert_int_equal(page_type_count(pg), 0);
	assert_int_equal(m2p[mfn_x(page_to_mfn(pg))], M2P_INVALID);
	memset(pg, 0, sizeof(*pg));
	freed++;
}

struct page_info *page_alloc(struct domain *d, unsigned int order, unsigned int memf)
{
	for (unsigned long m = FIRST; d && m < FIRST + 4096; m += 1UL << order) {
		struct page_info *pg = mfn_to_page(MFN(m));
		bool unused = true;

		for (unsigned long i = 0; i < 1UL << order; i++)
			unused &= !pg[i].count_info;
		if (unused)
			return page_assign_prepared(d, pg, order, 0) ? NULL : pg;
	}
	return NULL;
}

void page_free(struct page_info *pg, unsigned int order)
{
}

void shared_page_release(struct page_info *pg)
{
	fail();
}

void tlb_ipi_handler(void)
{
}

void m2p_set(mfn_t mfn, unsigned long pfn)
{
	m2p[mfn_x(mfn)] = pfn;
}

unsigned long m2p_get(mfn_t mfn)
{
	return m2p[mfn_x(mfn)];
}

void domain_pause(struct domain *d)
{
}

void domain_unpause(struct domain *d)
{
}

void tlb_flush_mask(const cpumask_t *cpus)
{
	flushes++;
}

u32 tlb_clock(void)
{
	return 1;
}

void tlb_filter(cpumask_t *cpus, u32 stamp)
{
	cpumask_zero(cpus);
}

void l4_fill_hypervisor_slots(u64 *l4, const struct domain *d)
{
}

/* --- set-up --- */

static struct domain *domain_new(unsigned int id)
{
	struct domain *d = hv_alloc_pages(2);

	d->id = (domid_t)id;
	d->memory.pages = (struct page_list)PAGE_LIST_INIT;
	d->memory.hv_pages = (struct page_list)PAGE_LIST_INIT;
	d->memory.max_pages = LIMIT;
	d->arch = hv_alloc_pages(0);
	spin_lock_init(&d->memory.lock, LOCK_PAGE_LIST);
	return d;
}

static void *shared_new(struct domain *d)
{
	void *va = hv_alloc_pages(0);
	struct page_info *pg = virt_to_page(va);

	pg->type_info = PGT_WRITABLE | PGT_VALIDATED | 1;
	pg->owner = domain_to_owner(d);
	pg->count_info = PGC_HV | PGC_ALLOCATED | 1;
	return va;
}

static int setup(void **state)
{
	static struct vcpu vcpu;

	host_cpus_init(1);
	host_ram_init(RAM_PAGES);
	memset(m2p, 0xff, sizeof(m2p));
	flushes = freed = 0;
	preempt = false;
	hvm = domain_new(1);
	pv = domain_new(2);
	dom_io = domain_new(3);
	hvm->grants = (struct grant_table *)8; /* some; core/grant is not here */
	hvm->shared_info = shared_new(hvm);
	grant_frame = shared_new(hvm);
	vcpu.domain = hvm;
	current = &vcpu;
	return p2m_create(hvm, &p2m_format_npt);
}

static int teardown(void **state)
{
	hvm->state = DOMAIN_DYING;
	while (p2m_relinquish(hvm) == -ERESTART)
		;
	assert_int_equal(hvm->memory.tot_pages, 0);
	assert_int_equal(hvm->memory.pages.nr, 0);
	assert_int_equal(virt_to_page(hvm->shared_info)->count_info,
			 (u32)(PGC_HV | PGC_ALLOCATED | 1));
	assert_int_equal(virt_to_page(grant_frame)->count_info, (u32)(PGC_HV | PGC_ALLOCATED | 1));
	assert_int_equal(host_locks_held(), 0);
	p2m_free(hvm);
	return 0;
}

static unsigned long frame_at(unsigned long gfn)
{
	enum p2m_type type;

	return mfn_x(p2m_lookup(hvm, GFN(gfn), &type));
}

static long reservation(memory_fn *fn, xen_pfn_t *list, unsigned long nr, unsigned int order)
{
	struct xen_memory_reservation r = { .nr_extents = nr, .extent_order = order, .domid = 1 };
	unsigned long done = 0;
	long ret;

	r.extent_start.p = list;
	while ((ret = fn(&r, &done)) == -ERESTART)
		;
	return ret;
}

static void populate(unsigned long gfn, unsigned int order)
{
	xen_pfn_t list[] = { gfn };

	assert_int_equal(reservation(memory_populate, list, 1, order), 1);
	/* The machine's number is nobody's business. */
	assert_int_equal(list[0], gfn);
}

static long add(unsigned int space, unsigned long idx, unsigned long gpfn, unsigned int size)
{
	struct xen_add_to_physmap a = { 1, (u16)size, space, idx, gpfn };
	unsigned long done = 0;
	long ret;

	while ((ret = memory_add(&a, &done)) == -ERESTART)
		;
	return ret;
}

/* --- tests --- */

static void test_reservation(void **state)
{
	xen_pfn_t list[200];
	unsigned int level;

	populate(5, 0);
	populate(512, 9);
	populate(1024 + 7, 9); /* not aligned: in small pieces */
	assert_int_equal(hvm->memory.tot_pages, 1 + 512 + 512);
	assert_int_equal(frame_at(512 + 9), frame_at(512) + 9);
	assert_int_equal(frame_at(512) % 512, 0);
	assert_int_equal(m2p[frame_at(1024 + 7 + 100)], 1024 + 7 + 100);
	assert_int_equal(flushes, 0);
	level = p2m_of(hvm)->table_pages;
	assert_int_equal(level, 1 + 1 + 1 + 3);

	/* Frames go in one flush a batch, and a piece of 2 MiB as a whole. */
	assert_int_equal(reservation(memory_decrease, (xen_pfn_t[]){ 512 }, 1, 9), 1);
	assert_int_equal(flushes, 1);
	assert_int_equal(freed, 512);
	for (unsigned int i = 0; i < 200; i++)
		list[i] = 1024 + 7 + i;
	preempt = true;
	assert_int_equal(reservation(memory_decrease, list, 200, 0), 200);
	assert_int_equal(flushes, 1 + 4);
	assert_int_equal(hvm->memory.tot_pages, 1 + 512 - 200);

	/* What is not there, or is not its RAM, ends the call where it stands. */
	list[0] = 5;
	list[1] = 6;
	assert_int_equal(reservation(memory_decrease, list, 2, 0), 1);
	assert_int_equal(add(XENMAPSPACE_grant_table, 0, 6, 0), 0);
	assert_int_equal(reservation(memory_decrease, (xen_pfn_t[]){ ~0UL }, 1, 0), 0);

	/* A frame without a number is no use. */
	assert_int_equal(reservation(memory_increase, list, 1, 0), 0);
	/* Over the limit: nothing is lost. */
	hvm->memory.max_pages = hvm->memory.tot_pages + 511;
	assert_int_equal(reservation(memory_populate, (xen_pfn_t[]){ 4096 }, 1, 9), 0);
	assert_int_equal(frame_at(4096), ~0UL);
	/* No table for the number: the frames go back. */
	hvm->arch->paging_pool_pages = p2m_of(hvm)->table_pages;
	assert_int_equal(reservation(memory_populate, (xen_pfn_t[]){ BIT(30) }, 1, 0), 0);
	assert_int_equal(reservation(memory_populate, (xen_pfn_t[]){ P2M_GFN_END }, 1, 0), 0);
	assert_int_equal(hvm->memory.tot_pages, hvm->memory.max_pages - 511);
}

/* RAM under a new entry is given up; the shared page appears in one place only. */
static void test_shared_info(void **state)
{
	unsigned long mfn = mfn_x(virt_to_mfn(hvm->shared_info));

	populate(5, 0);
	assert_int_equal(add(XENMAPSPACE_shared_info, 1, 5, 0), -EINVAL);
	assert_int_equal(add(XENMAPSPACE_shared_info, 0, 5, 0), 0);
	assert_int_equal(frame_at(5), mfn);
	assert_int_equal(hvm->memory.tot_pages, 0);
	assert_int_equal(freed, 1);
	assert_int_equal(add(XENMAPSPACE_shared_info, 0, 9, 0), 0);
	assert_int_equal(frame_at(5), ~0UL);
	assert_int_equal(frame_at(9), mfn);
	assert_int_equal(m2p[mfn], 9);
	assert_int_equal(add(XENMAPSPACE_shared_info, 0, 9, 0), 0);
	assert_int_equal(frame_at(9), mfn);
	/* It is not RAM that can be given up for good. */
	assert_int_equal(reservation(memory_decrease, (xen_pfn_t[]){ 9 }, 1, 0), 1);
	assert_int_equal(frame_at(9), ~0UL);
	assert_int_equal(freed, 1);
	assert_int_equal(add(XENMAPSPACE_grant_table, 1, 7, 0), -EINVAL);
	assert_int_equal(add(XENMAPSPACE_grant_table, XENMAPIDX_grant_table_status, 7, 0), -EINVAL);
	assert_int_equal(add(XENMAPSPACE_grant_table, 0, BIT(41), 0), -EINVAL);
	assert_int_equal(add(XENMAPSPACE_grant_table, 0, 7, 0), 0);
	assert_int_equal(frame_at(7), mfn_x(virt_to_mfn(grant_frame)));
	assert_int_equal(add(XENMAPSPACE_dev_mmio, 0, 7, 0), -EOPNOTSUPP);
}

static void test_move(void **state)
{
	unsigned long mfn[40];

	populate(0, 9);
	for (unsigned int i = 0; i < 40; i++)
		mfn[i] = frame_at(i);
	preempt = true;
	assert_int_equal(add(XENMAPSPACE_gmfn_range, 0, 10000, 40), 0);
	for (unsigned int i = 0; i < 40; i++) {
		assert_int_equal(frame_at(i), ~0UL);
		assert_int_equal(frame_at(10000 + i), mfn[i]);
		assert_int_equal(m2p[mfn[i]], 10000 + i);
	}
	assert_int_equal(add(XENMAPSPACE_gmfn, 0, 3, 0), -EINVAL);
	assert_int_equal(add(XENMAPSPACE_gmfn, 10000, 10001, 0), 0);
	assert_int_equal(freed, 1);
	assert_int_equal(add(XENMAPSPACE_gmfn, 10001, 10001, 0), 0);
	assert_int_equal(frame_at(10001), mfn[0]);
	/* If there is no table for the new place, it stays. */
	hvm->arch->paging_pool_pages = 1;
	assert_int_equal(add(XENMAPSPACE_gmfn, 10001, BIT(30), 0), -ENOMEM);
	assert_int_equal(frame_at(10001), mfn[0]);
	assert_int_equal(hvm->memory.tot_pages, 511);
}

static void test_foreign_and_remove(void **state)
{
	struct page_info *pg = page_alloc(pv, 0, 0);
	unsigned long mfn = mfn_x(page_to_mfn(pg)), done = 0;
	xen_ulong_t idxs[] = { mfn, 1, mfn };
	xen_pfn_t gpfns[] = { 100, 101, 102 };
	int errs[] = { 7, 7, 7 };
	struct xen_add_to_physmap_batch b = {
		.domid = 1, .space = XENMAPSPACE_gmfn_foreign, .size = 3, .u.foreign_domid = 2
	};
	struct xen_remove_from_physmap r = { .domid = 1, .gpfn = 100 };

	b.idxs.p = idxs;
	b.gpfns.p = gpfns;
	b.errs.p = errs;
	/* Each on its own. */
	assert_int_equal(memory_add_batch(&b, &done), 0);
	assert_int_equal(errs[0], 0);
	assert_int_equal(errs[1], -EINVAL);
	assert_int_equal(errs[2], 0);
	assert_int_equal(frame_at(100), mfn);
	assert_int_equal(frame_at(102), mfn);
	assert_int_equal(pg->count_info & PGC_COUNT_MASK, 3);
	assert_int_equal(page_type_count(pg), 2);
	assert_true(page_has_foreign_writer(pg));
	assert_int_equal(m2p[mfn], M2P_INVALID);
	/* Another domain's frame is not RAM to give up, nor to name. */
	assert_int_equal(reservation(memory_decrease, (xen_pfn_t[]){ 100 }, 1, 0), 0);
	assert_true(p2m_frame_get(hvm, GFN(100), &(mfn_t){ 0 }) == NULL);
	assert_int_equal(add(XENMAPSPACE_gmfn, 100, 50, 0), -EINVAL);
	assert_int_equal(memory_remove(&r, &done), 0);
	assert_int_equal(memory_remove(&r, &done), -ENOENT);
	assert_int_equal(pg->count_info & PGC_COUNT_MASK, 2);
	r.gpfn = 102;
	assert_int_equal(memory_remove(&r, &done), 0);
	assert_int_equal(page_type_count(pg), 0);
	assert_false(page_has_foreign_writer(pg));
	/* A PV domain has nothing to change. */
	r.domid = 2;
	assert_int_equal(memory_remove(&r, &done), -EOPNOTSUPP);
	b.domid = 2;
	assert_int_equal(memory_add_batch(&b, &done), -EOPNOTSUPP);
	b.domid = 1;
	b.u.foreign_domid = 1;
	assert_int_equal(memory_add_batch(&b, &done), 0);
	assert_int_equal(errs[0], -EINVAL);
}

static void test_grants(void **state)
{
	struct page_info *pg = page_alloc(pv, 0, 0);
	mfn_t mfn = page_to_mfn(pg);

	populate(3, 0);
	assert_int_equal(hvm_grant_map(0x3001, mfn, 0), GNTST_bad_virt_addr);
	assert_int_equal(hvm_grant_map(0x3000, mfn, GNTMAP_contains_pte), GNTST_bad_virt_addr);
	assert_int_equal(hvm_grant_map(0x3000, mfn, 0), GNTST_okay);
	assert_int_equal(freed, 1);
	assert_int_equal(page_type_count(pg), 1);
	assert_int_equal(hvm_grant_map(0x4000, mfn, GNTMAP_readonly), GNTST_okay);
	assert_int_equal(page_type_count(pg), 1);
	assert_int_equal(pg->count_info & PGC_COUNT_MASK, 3);
	flushes = 0;
	assert_int_equal(hvm_grant_unmap(0x3000, mfn_add(mfn, 1), 0, 0), GNTST_general_error);
	assert_int_equal(hvm_grant_unmap(0x3000, mfn, 0x5000, 0), GNTST_bad_virt_addr);
	assert_int_equal(hvm_grant_unmap(0x5000, mfn, 0, 0), GNTST_general_error);
	assert_int_equal(hvm_grant_unmap(0x3000, mfn, 0, 0), GNTST_okay);
	assert_int_equal(flushes, 1);
	assert_int_equal(page_type_count(pg), 0);
	assert_int_equal(hvm_grant_unmap(0x4000, mfn, 0, GNTMAP_readonly), GNTST_okay);
	assert_int_equal(pg->count_info & PGC_COUNT_MASK, 1);
	/* Its own RAM is no grant mapping. */
	populate(3, 0);
	assert_int_equal(hvm_grant_unmap(0x3000, MFN(frame_at(3)), 0, 0), GNTST_general_error);
	assert_true(frame_at(3) != ~0UL);
	assert_int_equal(hvm_grant_map(P2M_GFN_END << PAGE_SHIFT, mfn, 0), GNTST_general_error);
	assert_int_equal(pg->count_info & PGC_COUNT_MASK, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reservation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shared_info, setup, teardown),
		cmocka_unit_test_setup_teardown(test_move, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreign_and_remove, setup, teardown),
		cmocka_unit_test_setup_teardown(test_grants, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
