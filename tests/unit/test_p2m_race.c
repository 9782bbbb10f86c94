/* SPDX-License-Identifier: MIT */
/*
 * One CPU takes an entry of the p2m away and its frame goes to another domain, while a second CPU
 * looks the frame up and uses it, and a third runs the guest with a TLB. In every order: nobody
 * reaches a frame that is not the guest's.
 */
#include "interleave.h"
/* links: hypervisor/x86/hvm/p2m_format.c hypervisor/core/base/page_list.c hypervisor/lib/bitmap.c */

#include "core/base/softirq.c"
#include "core/domain/page_ref.c"
#include "x86/hvm/p2m.c"
#include "x86/hvm/p2m_log.c"

#include "unit.h"

enum { RAM_PAGES = 512, FRAME = 16, FRAMES = 4, GFN_USED = 5 };

struct domain *dom0, *dom_io, *dom_xen, *idle_domain;
static struct domain *own, *other;
static unsigned long m2p[RAM_PAGES];
static unsigned int lookups, found, runs;

/* Whose data is in the frame. Changes when the frame is freed. */
static const struct domain *content[RAM_PAGES];
/* How often it was freed. A frame that was gets no number again. */
static unsigned int lives[RAM_PAGES];
static bool recycle; /* a freed frame becomes the same domain's */

bool domain_get(struct domain *d)
{
	return true;
}

void domain_put(struct domain *d)
{
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

void shared_page_release(struct page_info *pg)
{
	interleave_fail("a shared page is freed");
}

void arch_page_reused(struct page_info *pg, unsigned int order)
{
}

void arch_page_freed(struct page_info *pg, unsigned int order)
{
}

bool arch_page_has_type(const struct page_info *pg)
{
	return false;
}

/* A freed frame is another domain's at once, which writes to it. */
void page_alloc_release(struct page_info *pg, const struct domain *d)
{
	content[mfn_x(page_to_mfn(pg))] = NULL;
	lives[mfn_x(page_to_mfn(pg))]++;
	interleave_step();
	if (page_assign_prepared(recycle ? own : other, pg, 0, 0))
		interleave_fail("no room");
	content[mfn_x(page_to_mfn(pg))] = page_owner(pg);
}

/* Types: only counted here. */
u32 log_dirty_domains;

void log_dirty_mark_page(const struct page_info *pg)
{
}

int page_type_get(struct page_info *pg, u64 type)
{
	atomic_inc(&pg->type_info);
	return 0;
}

int page_type_put(struct page_info *pg)
{
	if (!(pg->type_info & PGT_COUNT_MASK))
		interleave_fail("a type reference too many is dropped");
	atomic_dec(&pg->type_info);
	return 0;
}

/* --- a CPU that runs the guest --- */

static bool in_guest[INTERLEAVE_CPUS];

/* Waits until each CPU has served its interrupt: it is out of the guest. */
void tlb_flush_mask(const cpumask_t *cpus)
{
	for (unsigned int cpu = 0; cpu < INTERLEAVE_CPUS; cpu++)
		while (cpumask_test(cpu, cpus) && READ_ONCE(in_guest[cpu]))
			cpu_relax();
}

/* Enters the guest a few times, as x86/hvm does; the guest reads memory through its TLB. */
static void run_guest(void)
{
	u32 seen = 0;
	mfn_t tlb = INVALID_MFN;
	enum p2m_type type;

	cpumask_set(host_cpu, &own->arch->dirty_cpus);
	for (unsigned int entry = 0; entry < 3; entry++) {
		u32 generation;

		/* Interrupts are off from here to the guest: who flushes waits for its exit. */
		in_guest[host_cpu] = true;
		generation = READ_ONCE(p2m_of(own)->generation);
		if (generation != seen)
			tlb = INVALID_MFN;
		seen = generation;
		if (mfn_eq(tlb, INVALID_MFN))
			tlb = p2m_lookup(own, GFN(GFN_USED), &type);
		interleave_step();
		if (!mfn_eq(tlb, INVALID_MFN)) {
			runs++;
			if (content[mfn_x(tlb)] != own)
				interleave_fail("the guest reaches another domain's frame");
		}
		in_guest[host_cpu] = false;
		interleave_step();
	}
}

/* --- the scenes --- */

static struct domain *domain_new(void)
{
	struct domain *d = hv_alloc_pages(2);

	d->memory.pages = (struct page_list)PAGE_LIST_INIT;
	d->memory.max_pages = RAM_PAGES;
	d->arch = hv_alloc_pages(0);
	spin_lock_init(&d->memory.lock, LOCK_PAGE_LIST);
	return d;
}

static void enter(unsigned long gfn, unsigned long mfn)
{
	if (p2m_refs_get(own, MFN(mfn), P2M_RAM_RW) ||
	    p2m_set(own, GFN(gfn), MFN(mfn), 0, P2M_RAM_RW))
		interleave_fail("p2m_set");
}

static void setup(void)
{
	host_cpus_init(INTERLEAVE_CPUS);
	host_ram_init(RAM_PAGES);
	memset(m2p, 0xff, sizeof(m2p));
	memset(lives, 0, sizeof(lives));
	memset(in_guest, 0, sizeof(in_guest));
	own = domain_new();
	other = domain_new();
	if (p2m_create(own, &p2m_format_npt))
		interleave_fail("p2m_create");
	for (unsigned long i = FRAME; i < FRAME + FRAMES; i++) {
		if (page_assign_prepared(own, mfn_to_page(MFN(i)), 0, 0))
			interleave_fail("page_assign");
		content[i] = own;
	}
	enter(GFN_USED, FRAME);
}

static void teardown(void)
{
	p2m_free(own);
}

static void look_up(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct p2m_peek peek;
		struct page_info *pg;
		mfn_t mfn;

		lookups++;
		pg = p2m_frame_get(own, GFN(GFN_USED), &mfn);
		if (pg) {
			found++;
			if (content[mfn_x(mfn)] != own || lives[mfn_x(mfn)])
				interleave_fail("a lookup finds another frame");
			interleave_step();
			if (content[mfn_x(mfn)] != own)
				interleave_fail("a frame with a reference is freed");
			page_put(pg);
		}
		/* The same without a reference. */
		if (p2m_peek(own, GFN(GFN_USED), &peek)) {
			const struct domain *read = content[mfn_x(peek.mfn)];

			interleave_step();
			if (p2m_peek_holds(&peek) && read != own)
				interleave_fail("what was read is another domain's");
		}
	}
}

static void take_away(void)
{
	struct p2m_batch b = { .nr = 0 };

	if (!p2m_take(own, GFN(GFN_USED), INVALID_MFN, 0, P2M_GIVE_UP, &b))
		p2m_batch_finish(own, &b);
}

static void body_take(unsigned int cpu)
{
	if (cpu == 0)
		take_away();
	else if (cpu == 1)
		look_up();
	else
		run_guest();
}

/* A new frame takes the place of the old one. */
static void body_replace(unsigned int cpu)
{
	if (cpu == 0)
		enter(GFN_USED, FRAME + 1);
	else if (cpu == 1)
		look_up();
	else
		run_guest();
}

/* Two CPUs change the same entry. */
static void body_both(unsigned int cpu)
{
	if (cpu == 0)
		enter(GFN_USED, FRAME + 1);
	else if (cpu == 1)
		take_away();
	else
		look_up();
}

static void check(void)
{
	unsigned int mapped[FRAMES] = { 0 };
	enum p2m_type type;
	mfn_t mfn = p2m_lookup(own, GFN(GFN_USED), &type);

	if (type != P2M_NONE) {
		mapped[mfn_x(mfn) - FRAME]++;
		if (m2p[mfn_x(mfn)] != GFN_USED || page_owner(mfn_to_page(mfn)) != own)
			interleave_fail("the entry that is left is wrong");
	}
	for (unsigned int i = 0; i < FRAMES; i++) {
		const struct page_info *pg = mfn_to_page(MFN(FRAME + i));

		if ((pg->count_info & PGC_COUNT_MASK) != 1 + mapped[i] ||
		    (pg->type_info & PGT_COUNT_MASK) != mapped[i])
			interleave_fail("references are wrong");
	}
}

static void explore(const char *name, void (*body)(unsigned int cpu), unsigned int changes)
{
	struct interleave_scene scene = { name, 3, changes, setup, body, check, teardown };

	lookups = found = runs = 0;
	interleave_explore(&scene);
	assert_true(interleave_runs > 1000);
	assert_true(found && found < lookups);
}

static void test_take(void **state)
{
	explore("take", body_take, 2);
	assert_true(runs);
}

static void test_recycle(void **state)
{
	recycle = true;
	explore("recycle", body_take, 2);
	recycle = false;
}

static void test_replace(void **state)
{
	struct interleave_scene scene = { "replace", 3, 2, setup, body_replace, check, teardown };

	interleave_explore(&scene);
}

static void test_both(void **state)
{
	explore("both", body_both, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_recycle),
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
