/* SPDX-License-Identifier: MIT */
/*
 * Grant tables over simulated domains and frames: rights, references, teardown, and random
 * operations against a model.
 */
/* links: hypervisor/core/grant/grant.c hypervisor/core/grant/grant_map.c hypervisor/core/grant/grant_copy.c hypervisor/core/grant/grant_ops.c hypervisor/lib/bitmap.c */
#include "core/grant/grant.h"
#include "control_sim.h"
#include "hv/arch/frame.h"
#include "hv/arch/guest.h"
#include "hv/arch/map.h"
#include "hv/hv_heap.h"
#include "hv/hypercall_handlers.h"

#define OP1(cmd, op) do_grant_table_op(GNTTABOP_##cmd, (unsigned long)(op), 1, 0, 0, 0)
#define FRAMES_EACH  16 /* frames of each domain, from FIRST_FRAME on */
#define FIRST_FRAME  8
#define RAM_PAGES    512
#define MAX_SHARED   2
#define MAX_MAPTRACK 1
#define PTES	     1024

static unsigned int writable[RAM_PAGES]; /* type references */
static bool unwritable[RAM_PAGES];	 /* as if the frame were a page table */
static u64 pte[SIM_DOMAINS][PTES];	 /* where grants are mapped: frame + 1 */
/* A domain's own number of a frame is the machine's plus this. */
static unsigned long gfn_shift[SIM_DOMAINS];
static unsigned int flushes;
static unsigned long args[6];
struct domain *dom_xen;

void hypercall_set_arg(unsigned int index, unsigned long value)
{
	args[index] = value;
}

int arch_grant_map(u64 addr, mfn_t frame, unsigned int flags)
{
	u64 *p = &pte[current->domain->id][addr % PTES];

	assert_true((mfn_to_page(frame)->count_info & PGC_COUNT_MASK) > 1);
	if (addr >= PTES || *p)
		return GNTST_bad_virt_addr;
	*p = mfn_x(frame) + 1;
	return GNTST_okay;
}

int arch_grant_unmap(u64 addr, mfn_t frame, u64 new_addr, unsigned int flags)
{
	u64 *p = &pte[current->domain->id][addr % PTES];

	if (addr >= PTES || *p != mfn_x(frame) + 1)
		return GNTST_general_error;
	*p = 0;
	return GNTST_okay;
}

int arch_page_get_writable(struct page_info *pg)
{
	if (unwritable[mfn_x(page_to_mfn(pg))])
		return -EINVAL;
	writable[mfn_x(page_to_mfn(pg))]++;
	return 0;
}

void arch_page_put_writable(struct page_info *pg)
{
	assert_true(writable[mfn_x(page_to_mfn(pg))]-- > 0);
}

void arch_tlb_flush_domain(const struct domain *d)
{
	flushes++;
}

bool page_get(struct page_info *pg, const struct domain *d)
{
	if (!(pg->count_info & PGC_ALLOCATED) || page_owner(pg) != d)
		return false;
	pg->count_info++;
	return true;
}

struct page_info *guest_frame_get(struct domain *d, gfn_t gfn, mfn_t *mfn)
{
	*mfn = MFN(gfn_x(gfn) - gfn_shift[d->id]);
	return mfn_valid(*mfn) && page_get(mfn_to_page(*mfn), d) ? mfn_to_page(*mfn) : NULL;
}

bool guest_frames_are_machine(const struct domain *d)
{
	return !gfn_shift[d->id];
}

unsigned long m2p_get(mfn_t mfn)
{
	return M2P_INVALID;
}

void page_put(struct page_info *pg)
{
	assert_true((pg->count_info & PGC_COUNT_MASK) > 0);
	pg->count_info--;
}

void *shared_page_alloc(struct domain *d, bool guest_writable)
{
	return hv_alloc_pages(0);
}

void shared_page_free(void *va)
{
	hv_free_pages(va, 0);
}

static unsigned long frame_of(unsigned int dom, unsigned int i)
{
	return FIRST_FRAME + dom * FRAMES_EACH + i;
}

static int setup(void **state)
{
	sim_domains_create(RAM_PAGES);
	memset(writable, 0, sizeof(writable));
	memset(unwritable, 0, sizeof(unwritable));
	memset(pte, 0, sizeof(pte));
	memset(gfn_shift, 0, sizeof(gfn_shift));
	flushes = 0;
	for (unsigned int i = 0; i < SIM_DOMAINS; i++) {
		assert_int_equal(grant_domain_create(sim_domain[i], MAX_SHARED, MAX_MAPTRACK), 0);
		assert_int_equal(grant_grow(sim_domain[i], 1), 0);
		for (unsigned int f = 0; f < FRAMES_EACH; f++) {
			struct page_info *pg = mfn_to_page(MFN(frame_of(i, f)));

			pg->owner = domain_to_owner(sim_domain[i]);
			pg->count_info = (u32)(PGC_ALLOCATED | 1);
		}
	}
	return 0;
}

static void check_idle(void)
{
	for (unsigned int i = 0; i < SIM_DOMAINS; i++) {
		assert_int_equal(sim_domain[i]->refcount, 1);
		for (unsigned int f = 0; f < FRAMES_EACH; f++) {
			assert_int_equal(mfn_to_page(MFN(frame_of(i, f)))->count_info,
					 PGC_ALLOCATED | 1);
			assert_int_equal(writable[frame_of(i, f)], 0);
		}
		for (u32 ref = 0; ref < GRANTS_PER_FRAME; ref++)
			assert_int_equal(sim_domain[i]->grants->shared[0][ref].flags &
						 (GTF_reading | GTF_writing),
					 0);
	}
}

/* A mapper's end drops all of its mappings; nothing may be left then. */
static int teardown(void **state)
{
	for (unsigned int i = 0; i < SIM_DOMAINS; i++) {
		sim_preempt = true;
		while (grant_domain_release_mappings(sim_domain[i]) == -ERESTART)
			;
	}
	check_idle();
	assert_int_equal(host_frames_mapped(), 0);
	for (unsigned int i = 0; i < SIM_DOMAINS; i++) {
		grant_domain_free(sim_domain[i]);
		sim_domain_free(sim_domain[i]);
	}
	assert_int_equal(host_allocs_live, 0);
	return 0;
}

static grant_entry_v1_t *entry(unsigned int dom, u32 ref)
{
	return &sim_domain[dom]->grants->shared[0][ref];
}

static void grant(unsigned int dom, u32 ref, unsigned int to, unsigned long frame, u16 flags)
{
	*entry(dom, ref) =
		(grant_entry_v1_t){ (u16)(GTF_permit_access | flags), (domid_t)to, (u32)frame };
}

static int map(unsigned int as, unsigned int from, u32 ref, u32 flags, u64 addr,
	       grant_handle_t *handle)
{
	struct gnttab_map_grant_ref op = {
		.host_addr = addr, .flags = flags, .ref = ref, .dom = (domid_t)from
	};

	sim_run_as(as, 0);
	assert_int_equal(OP1(map_grant_ref, &op), 0);
	if (op.status == GNTST_okay)
		*handle = op.handle;
	return op.status;
}

static int unmap(unsigned int as, grant_handle_t handle, u64 addr)
{
	struct gnttab_unmap_grant_ref op = { .host_addr = addr, .handle = handle };

	sim_run_as(as, 0);
	assert_int_equal(OP1(unmap_grant_ref, &op), 0);
	return op.status;
}

static void map_and_unmap_hold_and_drop_references(void **state)
{
	unsigned long f = frame_of(1, 3);
	grant_handle_t handle;

	grant(1, 9, 2, f, 0);
	assert_int_equal(map(2, 1, 9, GNTMAP_host_map, 5, &handle), GNTST_okay);
	assert_int_equal(entry(1, 9)->flags, GTF_permit_access | GTF_reading | GTF_writing);
	assert_int_equal(mfn_to_page(MFN(f))->count_info & PGC_COUNT_MASK, 2);
	assert_int_equal(writable[f], 1);
	assert_int_equal(sim_domain[1]->refcount, 2);
	assert_int_equal(unmap(2, handle, 6), GNTST_general_error); /* not there */
	assert_int_equal(unmap(2, handle + 1, 5), GNTST_bad_handle);
	assert_int_equal(unmap(3, handle, 5), GNTST_bad_handle); /* not domain 3's handle */
	assert_int_equal(unmap(2, handle, 5), GNTST_okay);
	assert_int_equal(flushes, 1);
	check_idle();
	assert_int_equal(unmap(2, handle, 5), GNTST_bad_handle);
}

static void a_domain_grants_by_its_own_frame_numbers(void **state)
{
	unsigned long f = frame_of(1, 3), own = frame_of(2, 4);
	struct gnttab_copy copy = { .source = { .u.ref = 9, .domid = 1 },
				    .dest = { .domid = DOMID_SELF },
				    .len = 1,
				    .flags = GNTCOPY_source_gref };
	grant_handle_t handle;

	gfn_shift[1] = 0x1000;
	gfn_shift[2] = 0x2000;
	grant(1, 9, 2, f, 0);
	assert_int_equal(map(2, 1, 9, GNTMAP_host_map, 5, &handle), GNTST_bad_page);
	grant(1, 9, 2, f + 0x1000, 0);
	assert_int_equal(map(2, 1, 9, GNTMAP_host_map, 5, &handle), GNTST_okay);
	assert_int_equal(pte[2][5], f + 1);
	assert_int_equal(unmap(2, handle, 5), GNTST_okay);

	copy.dest.u.gmfn = own;
	assert_int_equal(OP1(copy, &copy), 0);
	assert_int_equal(copy.status, GNTST_bad_page);
	copy.dest.u.gmfn = own + 0x2000;
	assert_int_equal(OP1(copy, &copy), 0);
	assert_int_equal(copy.status, GNTST_okay);
}

static void only_what_is_granted_can_be_mapped(void **state)
{
	grant_handle_t h;

	grant(1, 8, 2, frame_of(1, 0), GTF_readonly);
	assert_int_equal(map(3, 1, 8, GNTMAP_host_map | GNTMAP_readonly, 1, &h),
			 GNTST_general_error);
	assert_int_equal(map(2, 1, 8, GNTMAP_host_map, 1, &h), GNTST_general_error);
	assert_int_equal(map(2, 1, 8, 0, 1, &h), GNTST_bad_gntref);
	assert_int_equal(map(2, 1, 7, GNTMAP_host_map, 1, &h), GNTST_general_error);
	assert_int_equal(map(2, 1, GRANTS_PER_FRAME, GNTMAP_host_map, 1, &h), GNTST_bad_gntref);
	assert_int_equal(map(2, 1, ~0U, GNTMAP_host_map, 1, &h), GNTST_bad_gntref);
	assert_int_equal(map(2, 77, 8, GNTMAP_host_map, 1, &h), GNTST_bad_domain);
	assert_int_equal(map(2, DOMID_SELF, 8, GNTMAP_host_map, 1, &h), GNTST_bad_domain);
	grant(1, 8, 2, frame_of(3, 0), 0); /* not the granter's own */
	assert_int_equal(map(2, 1, 8, GNTMAP_host_map, 1, &h), GNTST_bad_page);
	grant(1, 8, 2, 0xffffffff, 0);
	assert_int_equal(map(2, 1, 8, GNTMAP_host_map, 1, &h), GNTST_bad_page);
	grant(1, 8, 2, frame_of(1, 2), 0); /* a page that the hypervisor shares with it */
	mfn_to_page(MFN(frame_of(1, 2)))->count_info |= (u32)PGC_HV;
	assert_int_equal(map(2, 1, 8, GNTMAP_host_map | GNTMAP_readonly, 1, &h), GNTST_bad_page);
	mfn_to_page(MFN(frame_of(1, 2)))->count_info &= ~(u32)PGC_HV;
	grant(1, 8, 2, frame_of(1, 1), GTF_sub_page);
	assert_int_equal(map(2, 1, 8, GNTMAP_host_map, 1, &h), GNTST_general_error);
	grant(1, 8, 2, frame_of(1, 1), GTF_transitive);
	assert_int_equal(map(2, 1, 8, GNTMAP_host_map, 1, &h), GNTST_general_error);
	grant(1, 8, 2, frame_of(1, 1), 0);
	unwritable[frame_of(1, 1)] = true;
	assert_int_equal(map(2, 1, 8, GNTMAP_host_map, 1, &h), GNTST_general_error);
	assert_int_equal(map(2, 1, 8, GNTMAP_host_map, PTES, &h), GNTST_general_error);
	check_idle();
	sim_domain[1]->state = DOMAIN_DYING;
	assert_int_equal(map(2, 1, 8, GNTMAP_host_map | GNTMAP_readonly, 1, &h),
			 GNTST_general_error);
}

static void what_the_granter_writes_later_changes_nothing(void **state)
{
	grant_handle_t a, b;

	grant(1, 8, 2, frame_of(1, 0), 0);
	assert_int_equal(map(2, 1, 8, GNTMAP_host_map | GNTMAP_readonly, 1, &a), GNTST_okay);
	grant(1, 8, 3, frame_of(1, 5), 0);
	assert_int_equal(map(3, 1, 8, GNTMAP_host_map | GNTMAP_readonly, 1, &b),
			 GNTST_general_error);
	assert_int_equal(map(2, 1, 8, GNTMAP_host_map | GNTMAP_readonly, 2, &b), GNTST_okay);
	assert_int_equal(pte[2][2], frame_of(1, 0) + 1);
	assert_int_equal(unmap(2, a, 1), GNTST_okay);
	assert_int_equal(unmap(2, b, 2), GNTST_okay);
	check_idle();
}

static void device_and_host_mapping_share_a_handle(void **state)
{
	struct gnttab_map_grant_ref m = {
		.host_addr = 4, .flags = GNTMAP_host_map | GNTMAP_device_map, .ref = 8, .dom = 1
	};
	struct gnttab_unmap_grant_ref u = { 0 };

	grant(1, 8, 2, frame_of(1, 0), 0);
	sim_run_as(2, 0);
	assert_int_equal(OP1(map_grant_ref, &m), 0);
	assert_int_equal(m.status, GNTST_okay);
	assert_int_equal(m.dev_bus_addr, frame_of(1, 0) << PAGE_SHIFT);
	u.handle = m.handle;
	u.dev_bus_addr = m.dev_bus_addr + PAGE_SIZE;
	OP1(unmap_grant_ref, &u);
	assert_int_equal(u.status, GNTST_bad_dev_addr);
	u.dev_bus_addr = m.dev_bus_addr;
	OP1(unmap_grant_ref, &u);
	assert_int_equal(u.status, GNTST_okay);
	assert_int_equal(sim_domain[1]->refcount, 2); /* the host mapping is left */
	u.host_addr = 4;
	OP1(unmap_grant_ref, &u);
	assert_int_equal(u.status, GNTST_okay);
	check_idle();
}

static void an_unmapped_host_mapping_is_flushed_though_the_device_keeps_its_own(void **state)
{
	struct gnttab_map_grant_ref m = {
		.host_addr = 4, .flags = GNTMAP_host_map | GNTMAP_device_map, .ref = 8, .dom = 1
	};
	struct gnttab_unmap_grant_ref u = { .host_addr = 4 };

	grant(1, 8, 2, frame_of(1, 0), 0);
	sim_run_as(2, 0);
	OP1(map_grant_ref, &m);
	u.handle = m.handle;
	OP1(unmap_grant_ref, &u);
	assert_int_equal(u.status, GNTST_okay);
	assert_int_equal(flushes, 1);
	assert_int_equal(entry(1, 8)->flags, GTF_permit_access | GTF_reading | GTF_writing);
	assert_int_equal(sim_domain[1]->refcount, 2);
	u.host_addr = 0;
	u.dev_bus_addr = m.dev_bus_addr;
	OP1(unmap_grant_ref, &u);
	assert_int_equal(u.status, GNTST_okay);
	assert_int_equal(flushes, 2);
	check_idle();
}

static const void *fault_from;

static bool fault_there(const void *addr, size_t size)
{
	return (const char *)addr + size > (const char *)fault_from;
}

static void a_batch_of_unmaps_costs_one_flush_even_when_it_faults(void **state)
{
	struct gnttab_unmap_grant_ref u[20];
	grant_handle_t h;

	memset(u, 0, sizeof(u));
	grant(1, 8, 2, frame_of(1, 0), 0);
	for (unsigned int i = 0; i < 20; i++) {
		assert_int_equal(map(2, 1, 8, GNTMAP_host_map, i + 1, &h), GNTST_okay);
		u[i].handle = h;
		u[i].host_addr = i + 1;
	}
	fault_from = &u[10];
	host_guest_fault = fault_there;
	assert_int_equal(do_grant_table_op(GNTTABOP_unmap_grant_ref, (unsigned long)u, 20, 0, 0, 0),
			 -EFAULT);
	host_guest_fault = NULL;
	assert_int_equal(flushes, 1);
	assert_int_equal(sim_domain[1]->refcount, 11);
	assert_int_equal(do_grant_table_op(GNTTABOP_unmap_grant_ref, (unsigned long)u, 20, 0, 0, 0),
			 0);
	assert_int_equal(flushes, 2);
	for (unsigned int i = 0; i < 20; i++)
		assert_int_equal(u[i].status, i < 10 ? GNTST_bad_handle : GNTST_okay);
	check_idle();
}

static void what_is_not_offered_says_so_and_leaves_the_frame(void **state)
{
	struct gnttab_transfer transfer = { .mfn = frame_of(2, 0), .domid = 1, .ref = 8 };
	struct gnttab_get_status_frames frames = { .dom = DOMID_SELF, .nr_frames = 1 };
	struct gnttab_dump_table dump = { .dom = DOMID_SELF };

	sim_run_as(2, 0);
	assert_int_equal(OP1(transfer, &transfer), 0);
	assert_int_equal(transfer.status, GNTST_bad_page);
	assert_int_equal(OP1(get_status_frames, &frames), 0);
	assert_true(frames.status < 0);
	assert_int_equal(OP1(dump_table, &dump), 0);
	assert_true(dump.status < 0);
	check_idle();
}

static void no_memory_leaves_everything_as_it_was(void **state)
{
	struct gnttab_setup_table op = { .dom = DOMID_SELF, .nr_frames = MAX_SHARED };
	xen_pfn_t frames[MAX_SHARED];
	grant_handle_t h;

	grant(1, 8, 2, frame_of(1, 0), 0);
	host_alloc_fail_after = 0; /* the first page of handles */
	assert_int_equal(map(2, 1, 8, GNTMAP_host_map, 1, &h), GNTST_no_space);
	check_idle();
	op.frame_list.p = frames;
	for (long n = 0; n < 2; n++) {
		host_alloc_fail_after = n;
		assert_int_equal(OP1(setup_table, &op), 0);
		assert_int_equal(op.status, GNTST_general_error);
		assert_int_equal(sim_domain[2]->grants->nr_frames, 1);
	}
	/* The table grows in steps and continues where it was. */
	sim_preempt = true;
	assert_int_equal(OP1(setup_table, &op), -ERESTART);
	assert_int_equal(sim_domain[2]->grants->nr_frames, 2);
	assert_int_equal(OP1(setup_table, &op), 0);
	assert_int_equal(op.status, GNTST_okay);
	sim_preempt = false;
	assert_int_equal(map(2, 1, 8, GNTMAP_host_map, 1, &h), GNTST_okay);
}

static void handles_are_bounded(void **state)
{
	grant_handle_t h;

	grant(1, 8, 2, frame_of(1, 0), 0);
	for (unsigned int i = 0; i < MAX_MAPTRACK * MAPTRACK_PER_FRAME; i++)
		assert_int_equal(map(2, 1, 8, GNTMAP_host_map, i, &h), GNTST_okay);
	assert_int_equal(map(2, 1, 8, GNTMAP_host_map, 1000, &h), GNTST_no_space);
	assert_int_equal(mfn_to_page(MFN(frame_of(1, 0)))->count_info & PGC_COUNT_MASK, 2);
	/* teardown releases them in steps */
}

static void copies_move_bytes_between_grants_and_own_frames(void **state)
{
	struct gnttab_copy op = { .len = 100, .flags = GNTCOPY_source_gref };
	char *src = mfn_to_hv_virt(MFN(frame_of(1, 0))), *dst = mfn_to_hv_virt(MFN(frame_of(2, 0)));

	grant(1, 8, 2, frame_of(1, 0), GTF_readonly);
	memset(src, 'x', PAGE_SIZE);
	op.source.u.ref = 8;
	op.source.domid = 1;
	op.dest.u.gmfn = frame_of(2, 0);
	op.dest.domid = DOMID_SELF;
	op.dest.offset = 50;
	sim_run_as(2, 0);
	assert_int_equal(OP1(copy, &op), 0);
	assert_int_equal(op.status, GNTST_okay);
	assert_true(dst[49] == 0 && dst[50] == 'x' && dst[149] == 'x' && dst[150] == 0);
	op.dest.offset = PAGE_SIZE - 99;
	OP1(copy, &op);
	assert_int_equal(op.status, GNTST_bad_copy_arg);
	op.dest.offset = 0;
	op.dest.domid = 1; /* a frame number in another domain */
	OP1(copy, &op);
	assert_int_equal(op.status, GNTST_permission_denied);
	op.dest.domid = DOMID_SELF;
	op.dest.u.gmfn = frame_of(3, 0);
	OP1(copy, &op);
	assert_int_equal(op.status, GNTST_bad_page);
	op.dest.u.ref = 8; /* into a read-only grant */
	op.dest.domid = 1;
	op.flags |= GNTCOPY_dest_gref;
	OP1(copy, &op);
	assert_int_equal(op.status, GNTST_general_error);
	check_idle();
}

static void a_batch_of_copies_is_preempted_and_goes_on(void **state)
{
	struct gnttab_copy ops[5];
	unsigned long p = (unsigned long)ops, n = 5;
	unsigned int runs = 0;
	long ret;

	memset(ops, 0, sizeof(ops));
	grant(1, 8, 2, frame_of(1, 0), 0);
	for (unsigned int i = 0; i < 5; i++) {
		ops[i].source.u.ref = 8;
		ops[i].source.domid = 1;
		ops[i].dest.u.gmfn = frame_of(2, i % 2);
		ops[i].dest.domid = DOMID_SELF;
		ops[i].len = 4096;
		ops[i].flags = GNTCOPY_source_gref;
		ops[i].status = 1;
	}
	sim_run_as(2, 0);
	sim_preempt = true;
	while ((ret = do_grant_table_op(GNTTABOP_copy, p, n, 0, 0, 0)) == -ERESTART) {
		p = args[1];
		n = args[2];
		runs++;
	}
	assert_int_equal(ret, 0);
	assert_int_equal(runs, 4);
	sim_preempt = false;
	assert_int_equal(do_grant_table_op(GNTTABOP_copy, (unsigned long)ops, 5, 0, 0, 0), 0);
	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(ops[i].status, GNTST_okay);
	check_idle();
}

static void tables_are_set_up_within_their_limit(void **state)
{
	xen_pfn_t frames[MAX_SHARED + 1];
	struct gnttab_setup_table setup_op = { .dom = DOMID_SELF, .nr_frames = MAX_SHARED };
	struct gnttab_query_size query = { .dom = DOMID_SELF };
	struct gnttab_set_version version = { 2 };

	setup_op.frame_list.p = frames;
	sim_run_as(2, 0);
	assert_int_equal(OP1(setup_table, &setup_op), 0);
	assert_int_equal(setup_op.status, GNTST_okay);
	assert_int_equal(frames[1], mfn_x(virt_to_mfn(sim_domain[2]->grants->shared[1])));
	setup_op.nr_frames++;
	assert_int_equal(OP1(setup_table, &setup_op), 0);
	assert_int_equal(setup_op.status, GNTST_general_error);
	setup_op.dom = 1;
	OP1(setup_table, &setup_op);
	assert_int_equal(setup_op.status, GNTST_permission_denied);
	assert_int_equal(OP1(query_size, &query), 0);
	assert_int_equal(query.nr_frames, MAX_SHARED);
	assert_int_equal(query.max_nr_frames, MAX_SHARED);
	assert_int_equal(OP1(set_version, &version), -EOPNOTSUPP);
	assert_int_equal(version.version, 1);
	assert_int_equal(OP1(set_version, &version), 0);
	assert_int_equal(do_grant_table_op(GNTTABOP_setup_table, (unsigned long)&setup_op, 2, 0, 0,
					   0),
			 -EINVAL);
	assert_int_equal(do_grant_table_op(GNTTABOP_cache_flush, 0, 1, 0, 0, 0), -EOPNOTSUPP);
	assert_int_equal(do_grant_table_op(99, 0, 1, 0, 0, 0), -ENOSYS);
	assert_int_equal(do_grant_table_op(GNTTABOP_copy, 0, 0x80000000UL, 0, 0, 0), -EINVAL);
}

static void swapping_needs_idle_entries(void **state)
{
	struct gnttab_swap_grant_ref swap = { .ref_a = 8, .ref_b = 9 };
	grant_handle_t h;

	grant(1, 8, 2, frame_of(1, 0), 0);
	grant(1, 9, 3, frame_of(1, 1), 0);
	sim_run_as(1, 0);
	OP1(swap_grant_ref, &swap);
	assert_int_equal(swap.status, GNTST_okay);
	assert_int_equal(entry(1, 8)->domid, 3);
	map(3, 1, 8, GNTMAP_host_map, 1, &h);
	sim_run_as(1, 0);
	OP1(swap_grant_ref, &swap);
	assert_int_equal(swap.status, GNTST_eagain);
}

/* --- random operations against a model of all mappings, and thus of all references --- */

struct model_map {
	bool mapped, ro;
	unsigned int from, ref;
	unsigned long frame;
	grant_handle_t handle;
};
#define SLOTS 32
static struct model_map model[SIM_DOMAINS][SLOTS];

static void model_check(void)
{
	unsigned int pins[SIM_DOMAINS][16] = { 0 }, wpins[SIM_DOMAINS][16] = { 0 },
		     maps[SIM_DOMAINS] = { 0 };
	unsigned int entries[RAM_PAGES] = { 0 }, wentries[RAM_PAGES] = { 0 };

	for (unsigned int d = 0; d < SIM_DOMAINS; d++)
		for (unsigned int s = 0; s < SLOTS; s++)
			if (model[d][s].mapped) {
				struct model_map *m = &model[d][s];

				pins[m->from][m->ref]++;
				wpins[m->from][m->ref] += !m->ro;
				maps[m->from]++;
				if (pins[m->from][m->ref] == 1)
					entries[m->frame]++;
				if (!m->ro && wpins[m->from][m->ref] == 1)
					wentries[m->frame]++;
				assert_int_equal(pte[d][s + 1], m->frame + 1);
			}
	for (unsigned int d = 0; d < SIM_DOMAINS; d++) {
		assert_int_equal(sim_domain[d]->refcount, 1 + maps[d]);
		for (unsigned int r = 0; r < 16; r++) {
			struct active_grant *act = &sim_domain[d]->grants->active[0][r];

			assert_int_equal(act->readers + act->writers, pins[d][r]);
			assert_int_equal(act->writers, wpins[d][r]);
		}
		for (unsigned int f = 0; f < FRAMES_EACH; f++) {
			unsigned long frame = frame_of(d, f);

			assert_int_equal(mfn_to_page(MFN(frame))->count_info & PGC_COUNT_MASK,
					 1 + entries[frame]);
			assert_int_equal(writable[frame], wentries[frame]);
		}
	}
}

static void random_map(u64 *seed)
{
	unsigned int d = unit_random(seed) % SIM_DOMAINS, from = unit_random(seed) % SIM_DOMAINS;
	unsigned int slot = unit_random(seed) % SLOTS, ref = unit_random(seed) % 16;
	struct model_map *m = &model[d][slot];
	bool ro = unit_random(seed) % 2;
	int status;

	if (m->mapped) {
		status = unmap(d, m->handle, slot + 1); /* address 0 means: none */
		assert_int_equal(status, GNTST_okay);
		m->mapped = false;
		return;
	}
	status = map(d, from, ref, GNTMAP_host_map | (ro ? GNTMAP_readonly : 0), slot + 1,
		     &m->handle);
	if (status == GNTST_okay)
		*m = (struct model_map){
			true, ro, from, ref, (unsigned long)pte[d][slot + 1] - 1, m->handle
		};
}

static void random_operations_agree_with_the_model(void **state)
{
	u64 seed = UNIT_SEED;

	memset(model, 0, sizeof(model));
	for (unsigned int i = 0; i < 30000; i++) {
		unsigned int d = unit_random(&seed) % SIM_DOMAINS,
			     to = unit_random(&seed) % SIM_DOMAINS;
		unsigned int ref = unit_random(&seed) % 16;

		if (unit_random(&seed) % 3) {
			random_map(&seed);
		} else {
			/* The granter may or may not obey the rules: it may write anything but
			 * our flags. */
			u16 ours = entry(d, ref)->flags & (GTF_reading | GTF_writing);

			grant(d, ref, to,
			      frame_of(unit_random(&seed) % 8 ? d : to,
				       unit_random(&seed) % FRAMES_EACH),
			      unit_random(&seed) % 2 ? GTF_readonly : 0);
			entry(d, ref)->flags |= ours;
			unwritable[frame_of(d, 0)] = writable[frame_of(d, 0)] == 0;
		}
		if (i % 16 == 0)
			model_check();
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_domain_grants_by_its_own_frame_numbers),
		TEST(map_and_unmap_hold_and_drop_references),
		TEST(only_what_is_granted_can_be_mapped),
		TEST(what_the_granter_writes_later_changes_nothing),
		TEST(device_and_host_mapping_share_a_handle),
		TEST(an_unmapped_host_mapping_is_flushed_though_the_device_keeps_its_own),
		TEST(a_batch_of_unmaps_costs_one_flush_even_when_it_faults),
		TEST(what_is_not_offered_says_so_and_leaves_the_frame),
		TEST(no_memory_leaves_everything_as_it_was),
		TEST(handles_are_bounded),
		TEST(copies_move_bytes_between_grants_and_own_frames),
		TEST(a_batch_of_copies_is_preempted_and_goes_on),
		TEST(tables_are_set_up_within_their_limit),
		TEST(swapping_needs_idle_entries),
		TEST(random_operations_agree_with_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
