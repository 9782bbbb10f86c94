/* SPDX-License-Identifier: MIT */
/*
 * A domain's memory grows and is exchanged while another of its vCPUs gives back whatever the
 * domain has, and another domain takes it: at each release of a lock by the first CPU. Only a
 * frame's owner decides what the machine-to-phys table says of the frame.
 */
/* links: hypervisor/core/base/buddy.c hypervisor/core/base/page_alloc.c hypervisor/core/base/page_list.c hypervisor/core/domain/page_ref.c */
/* links: hypervisor/core/memory/memory_reservation.c hypervisor/core/memory/memory_exchange.c hypervisor/lib/bitmap.c */
/* links: hypervisor/core/base/timer.c hypervisor/core/base/softirq.c hypervisor/lib/heap.c */
#include "core/memory/memory_op.h"

#include <string.h>
#include "core/base/page_alloc_internal.h"
#include "host/host.h"
#include "hv/arch/frame.h"
#include "hv/frame.h"
#include "hv/page_alloc.h"
#include "lib/errno.h"
#include "unit.h"

enum {
	FRAMES = 1 << 10,
	FIRST = 512,
	RAM = FRAMES - FIRST,
	NR = 4,
	FRESH_PFN = 0x1000,
	OTHERS_PFN = 0x7777
};

struct domain *dom_xen;
static struct domain *dom_a, *dom_b;
static unsigned long m2p[FRAMES];

bool domain_get(struct domain *d)
{
	return true;
}

void domain_put(struct domain *d)
{
}

struct domain *hypercall_target(unsigned int id, int *err)
{
	return dom_a;
}

bool hypercall_preempt_check(void)
{
	return false;
}

void m2p_set(mfn_t mfn, unsigned long pfn)
{
	m2p[mfn_x(mfn)] = pfn;
}

unsigned long m2p_get(mfn_t mfn)
{
	return m2p[mfn_x(mfn)];
}

struct page_info *guest_frame_get(struct domain *d, gfn_t gfn, mfn_t *mfn)
{
	*mfn = MFN(gfn_x(gfn));
	return page_get_from_mfn(*mfn, d);
}

bool guest_frames_are_machine(const struct domain *d)
{
	return true;
}

/* For domains with frame numbers of their own: test_physmap. */
int arch_gfn_map(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order, enum gfn_use use)
{
	fail();
	return -EINVAL;
}

unsigned int arch_gfn_give_up(struct domain *d, const gfn_t *gfns, unsigned int nr,
			      unsigned int order)
{
	fail();
	return 0;
}

void arch_page_freed(struct page_info *pg, unsigned int order)
{
	for (unsigned long i = 0; i < 1UL << order; i++)
		m2p_set(page_to_mfn(pg + i), M2P_INVALID);
}

void arch_page_reused(struct page_info *pg, unsigned int order)
{
}

bool arch_page_reuse_interrupts(const struct page_info *pg, unsigned int order)
{
	return false;
}

bool arch_page_has_type(const struct page_info *pg)
{
	return false;
}

unsigned long hv_heap_free_count(void)
{
	return 0;
}

void shared_page_release(struct page_info *pg)
{
	fail();
}

static struct domain *domain_at(unsigned int page)
{
	struct domain *d = (struct domain *)(HEAP_VIRT + page * PAGE_SIZE);

	memset(d, 0, sizeof(*d));
	spin_lock_init(&d->memory.lock, LOCK_PAGE_LIST);
	d->memory.pages = (struct page_list)PAGE_LIST_INIT;
	d->memory.max_pages = RAM;
	return d;
}

static int setup(void **state)
{
	static bool done;

	host_cpus_init(2);
	if (done)
		return 0;
	done = true;
	host_ram_init(FRAMES);
	dom_a = domain_at(1);
	dom_b = domain_at(9);
	page_alloc_add_range(PAGE_SIZE * FIRST, PAGE_SIZE * FRAMES);
	memset(m2p, 0xff, sizeof(m2p));
	return 0;
}

static void release_all(struct domain *d)
{
	struct page_info *pg;

	while ((pg = page_list_first(&d->memory.pages)))
		page_put_alloc_ref(pg);
}

/* --- the other CPU --- */

static unsigned int now, steps_in_at;
static unsigned long taken; /* frames that domain B got */

static void cpu1_steps_in(const spinlock_t *l)
{
	struct page_info *pg;

	if (now++ != steps_in_at)
		return;
	host_unlocked = NULL;
	host_set_cpu(1);
	release_all(dom_a);
	while ((pg = page_alloc(dom_b, 0, 0))) {
		m2p_set(page_to_mfn(pg), OTHERS_PFN);
		taken++;
	}
	host_set_cpu(0);
}

/* True if CPU 1 came in. */
static bool with_cpu1(unsigned int at, long (*call)(void))
{
	now = taken = 0;
	steps_in_at = at;
	host_unlocked = cpu1_steps_in;
	(void)call();
	host_unlocked = NULL;
	for (const struct page_info *pg = page_list_first(&dom_b->memory.pages); pg;
	     pg = page_list_next(pg))
		assert_int_equal(m2p_get(page_to_mfn(pg)), OTHERS_PFN);
	release_all(dom_a);
	release_all(dom_b);
	assert_int_equal(dom_a->memory.tot_pages + dom_b->memory.tot_pages, 0);
	assert_int_equal(page_alloc_free_count(), RAM);
	return now > at;
}

/* --- what the first CPU does --- */

static long populate(void)
{
	xen_pfn_t pfns[NR];
	struct xen_memory_reservation r = { .nr_extents = NR,
					    .extent_order = 1,
					    .domid = DOMID_SELF };
	unsigned long done = 0;

	for (unsigned int i = 0; i < NR; i++)
		pfns[i] = FRESH_PFN + 2 * i;
	set_xen_guest_handle(r.extent_start, pfns);
	return memory_populate(&r, &done);
}

static xen_pfn_t in[NR], out[1];

static long exchange(void)
{
	struct xen_memory_exchange x = {
		.in = { .nr_extents = NR, .domid = DOMID_SELF },
		.out = { .nr_extents = 1, .extent_order = 2, .domid = DOMID_SELF }
	};
	unsigned long done = 0;

	out[0] = FRESH_PFN;
	set_xen_guest_handle(x.in.extent_start, in);
	set_xen_guest_handle(x.out.extent_start, out);
	return memory_exchange(&x, &done);
}

static void give_frames(void)
{
	for (unsigned int i = 0; i < NR; i++) {
		struct page_info *pg = page_alloc(dom_a, 0, 0);

		in[i] = mfn_x(page_to_mfn(pg));
		m2p_set(MFN(in[i]), i);
	}
}

static long give_and_exchange(void)
{
	void (*hook)(const spinlock_t *) = host_unlocked;

	host_unlocked = NULL;
	give_frames();
	host_unlocked = hook;
	return exchange();
}

/* --- tests --- */

static void a_populated_frame_that_is_gone_again_is_not_named(void **state)
{
	unsigned int at = 0;

	while (with_cpu1(at, populate))
		at++;
	assert_in_range(at, 3 * NR, 100);
}

static void an_exchanged_frame_that_is_gone_again_is_not_named(void **state)
{
	unsigned int at = 0;

	while (with_cpu1(at, give_and_exchange))
		at++;
	assert_in_range(at, NR, 100);
}

static void alone_each_names_its_frames(void **state)
{
	const struct page_info *pg;
	unsigned int n = 0;

	assert_int_equal(populate(), NR);
	for (pg = page_list_first(&dom_a->memory.pages); pg; pg = page_list_next(pg))
		assert_int_equal(m2p_get(page_to_mfn(pg)), FRESH_PFN + n++);
	assert_int_equal(n, 2 * NR);
	release_all(dom_a);
	assert_int_equal(give_and_exchange(), 0);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(m2p_get(MFN(out[0] + i)), FRESH_PFN + i);
	release_all(dom_a);
}

static void an_exchange_that_fails_has_changed_nothing(void **state)
{
	give_frames();
	in[NR - 1] = FIRST - 1; /* nobody's */
	assert_int_equal(exchange(), -EINVAL);
	for (unsigned int i = 0; i < NR - 1; i++) {
		assert_ptr_equal(page_owner(mfn_to_page(MFN(in[i]))), dom_a);
		assert_int_equal(m2p_get(MFN(in[i])), i);
	}
	assert_int_equal(dom_a->memory.tot_pages, NR);
	release_all(dom_a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(alone_each_names_its_frames, setup),
		cmocka_unit_test_setup(a_populated_frame_that_is_gone_again_is_not_named, setup),
		cmocka_unit_test_setup(an_exchanged_frame_that_is_gone_again_is_not_named, setup),
		cmocka_unit_test_setup(an_exchange_that_fails_has_changed_nothing, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
