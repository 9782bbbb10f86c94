/* SPDX-License-Identifier: MIT */
/*
 * What becomes of a freed frame while CPUs have old translations of it: the allocator, its processor side and the TLB
 * clock together, over simulated TLBs. Whenever a CPU of the script gets its turn, it stores through all that its TLB
 * holds.
 */
/* links: hypervisor/core/buddy.c hypervisor/core/page_alloc.c hypervisor/core/page_list.c hypervisor/core/page_ref.c */
/* links: hypervisor/x86/mm/page_reuse.c hypervisor/lib/bitmap.c */
#include <string.h>
#include "core/page_alloc.h"
#include "hv/arch.h"
#include "hv/softirq.h"
#include "host/host.h"
#include "unit.h"
#include "x86/mm/page_types.h"

enum { CPUS = 4, FRAMES = 1 << 10, FIRST = 512, RAM = FRAMES - FIRST, IDLE_CPU = 0 };

static bool tlb[CPUS][FRAMES];
static unsigned int nr_ipis; /* CPUs that were interrupted */
static struct tasklet *scheduled;

/* Instead of x86/cpu/regs.h: the instructions act on the model. */
#define X86_CPU_REGS_H
#define X86_CR4_PGE 0x80UL
static unsigned long read_cr3(void)
{
	return 0;
}
static void write_cr3(unsigned long v)
{
	memset(tlb[host_cpu], 0, sizeof(tlb[host_cpu]));
}
static unsigned long read_cr4(void)
{
	return 0;
}
static void write_cr4(unsigned long v)
{
}
static void invlpg(unsigned long va)
{
}

#include "x86/mm/tlb.c"

struct domain *dom_xen;
static struct domain *dom_a;

bool domain_get(struct domain *d)
{
	return true;
}

void domain_put(struct domain *d)
{
}

void m2p_set(mfn_t mfn, unsigned long pfn)
{
}

unsigned long hv_heap_free_count(void)
{
	return 0;
}

void shared_page_release(struct page_info *pg)
{
	fail();
}

void tasklet_schedule(struct tasklet *t)
{
	scheduled = t;
}

/* Starts the clock anew, if it is time to. */
static void run_tasklet(void)
{
	struct tasklet *t = scheduled;

	scheduled = NULL;
	if (t)
		t->fn(t->data);
}

void ipi_send_mask(const cpumask_t *cpus, unsigned int vector)
{
	unsigned int self = host_cpu, cpu;

	cpumask_for_each(cpu, cpus) {
		host_set_cpu(cpu);
		tlb_ipi_handler();
		nr_ipis++;
	}
	host_set_cpu(self);
}

static unsigned long *frame_data(unsigned long mfn)
{
	return mfn_to_hv_virt(MFN(mfn));
}

/* All others' turn. */
static void others_store(void)
{
	for (unsigned int cpu = 0; cpu < CPUS; cpu++)
		for (unsigned int mfn = FIRST; mfn < FRAMES && cpu != host_cpu; mfn++)
			if (tlb[cpu][mfn])
				frame_data(mfn)[cpu] = 0xbad;
}

void frame_clear(mfn_t mfn)
{
	others_store();
	memset(mfn_to_hv_virt(mfn), 0, PAGE_SIZE);
	others_store();
}

void frame_flush_cache(mfn_t mfn)
{
	/* Who writes past the caches after this leaves them with something else than memory. */
	for (unsigned int cpu = 0; cpu < CPUS; cpu++)
		assert_false(tlb[cpu][mfn_x(mfn)]);
}

static unsigned int scrub(void)
{
	unsigned int steps = 0;

	host_set_cpu(IDLE_CPU);
	while (page_alloc_scrub_some())
		steps++;
	return steps;
}

static struct page_info *alloc(unsigned int cpu, unsigned int memf)
{
	struct page_info *pg;
	unsigned long *data;

	host_set_cpu(cpu);
	pg = page_alloc(dom_a, 0, memf);
	if (!pg)
		return NULL;
	others_store();
	for (unsigned int c = 0; c < CPUS; c++)
		assert_false(tlb[c][pg - frame_table]);
	data = frame_data((unsigned long)(pg - frame_table));
	for (unsigned int i = 0; i < PAGE_SIZE / sizeof(*data) && !(memf & MEMF_NO_SCRUB); i++)
		assert_int_equal(data[i], 0);
	return pg;
}

/* A frame that `cpu` could write a moment ago is given back by `by`. */
static void free_while_mapped(struct page_info *pg, unsigned int cpu, unsigned int by)
{
	tlb[cpu][pg - frame_table] = true;
	frame_data((unsigned long)(pg - frame_table))[0] = 1;
	host_set_cpu(by);
	page_put_alloc_ref(pg);
}

static int setup(void **state)
{
	static unsigned int used;

	host_cpus_init(CPUS);
	if (!used++) {
		host_ram_init(FRAMES);
		dom_a = (struct domain *)(HEAP_VIRT + PAGE_SIZE);
		spin_lock_init(&dom_a->page_lock, LOCK_PAGE_LIST);
		dom_a->pages = (struct page_list)PAGE_LIST_INIT;
		dom_a->max_pages = FRAMES;
		page_alloc_add_range(PAGE_SIZE * FIRST, PAGE_SIZE * FRAMES);
	}
	memset(tlb, 0, sizeof(tlb));
	memset(percpu_tlb_flushed_at, 0, sizeof(percpu_tlb_flushed_at));
	clock = CLOCK_FIRST;
	clock_stamped = 0;
	scheduled = NULL;
	host_now += SECONDS(100) * used;
	scrub();
	assert_int_equal(page_alloc_dirty_count(), 0);
	nr_ipis = 0;
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(page_alloc_free_count(), RAM);
	assert_int_equal(dom_a->tot_pages, 0);
	return 0;
}

/* --- tests --- */

static void a_store_through_a_stale_entry_does_not_survive_scrubbing(void **state)
{
	struct page_info *pg = alloc(1, 0);

	free_while_mapped(pg, 2, 1);
	assert_int_equal(scrub(), 1);
	assert_int_equal(page_alloc_dirty_count(), 0);
	others_store();
	assert_ptr_equal(alloc(1, 0), pg);
	page_put_alloc_ref(pg);
}

static void one_that_was_written_past_the_caches_is_flushed_last(void **state)
{
	struct page_info *pg = alloc(1, 0);

	pg->type_info |= PGT_UNCACHED;
	free_while_mapped(pg, 2, 1);
	scrub();
	assert_ptr_equal(alloc(1, 0), pg);
	pg->type_info |= PGT_UNCACHED;
	free_while_mapped(pg, 2, 1);
	assert_ptr_equal(alloc(1, 0), pg);
	page_put_alloc_ref(pg);
}

static void cpus_that_flushed_meanwhile_are_left_alone(void **state)
{
	struct page_info *pg = alloc(1, 0);

	free_while_mapped(pg, 2, 1);
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		host_set_cpu(cpu);
		tlb_flush_local();
	}
	assert_int_equal(scrub(), 1);
	assert_int_equal(nr_ipis, 0);
	/* Once cleared, it asks nobody for anything. */
	assert_ptr_equal(alloc(1, 0), pg);
	assert_int_equal(nr_ipis, 0);
	page_put_alloc_ref(pg);
}

/* The scrubber's own TLB is its own business. */
static void its_own_flush_is_not_rationed(void **state)
{
	for (unsigned int i = 0; i < 100; i++) {
		struct page_info *pg = alloc(1, 0);

		free_while_mapped(pg, IDLE_CPU, 1);
		for (unsigned int cpu = 1; cpu < CPUS; cpu++) {
			host_set_cpu(cpu);
			tlb_flush_local();
		}
		assert_int_equal(scrub(), 1);
	}
	assert_int_equal(nr_ipis, 0);
}

/* A domain that gives back frame after frame, each while a CPU may have it in its TLB. */
static void giving_back_in_a_loop_disturbs_others_a_hundred_times_a_second(void **state)
{
	struct page_info *pg[RAM + 1];
	unsigned int n = 0;

	while ((pg[n] = alloc(1, 0)))
		n++;
	assert_int_equal(n, RAM);
	nr_ipis = 0;
	host_now += MILLISECS(20);
	/* 100 us each: 50 ms. */
	for (unsigned int i = 0; i < RAM; i++) {
		free_while_mapped(pg[i], 2, 1);
		scrub();
		host_now += MICROSECS(100);
	}
	assert_in_range(nr_ipis, 3 * (CPUS - 1), 6 * (CPUS - 1));
	/* All is done in the end. */
	host_now += MILLISECS(10);
	scrub();
	assert_int_equal(page_alloc_dirty_count(), 0);
	assert_in_range(nr_ipis, 3 * (CPUS - 1), 7 * (CPUS - 1));
}

static void random_use_gives_out_nothing_but_zeros(void **state)
{
	static struct page_info *pg[RAM];
	uint64_t seed = UNIT_SEED;

	for (unsigned int round = 0; round < 60000; round++) {
		unsigned int i = unit_random(&seed) % RAM, cpu = unit_random(&seed) % CPUS;

		host_now += (s_time_t)(unit_random(&seed) % MICROSECS(500));
		switch (unit_random(&seed) % 8) {
		case 0:
			host_set_cpu(IDLE_CPU);
			(void)page_alloc_scrub_some();
			break;
		case 1:
			host_set_cpu(cpu);
			tlb_flush_local();
			break;
		case 2:
			if (!scheduled && unit_random(&seed) % 100 == 0)
				clock = CLOCK_LAST - 2;
			if (unit_random(&seed) % 20 == 0)
				run_tasklet();
			break;
		default:
			if (!pg[i]) {
				pg[i] = alloc(cpu, unit_random(&seed) % 4 ? 0 : MEMF_NO_SCRUB);
			} else {
				free_while_mapped(pg[i], unit_random(&seed) % CPUS, cpu);
				pg[i] = NULL;
			}
		}
		others_store();
	}
	for (unsigned int i = 0; i < RAM; i++)
		if (pg[i])
			page_put_alloc_ref(pg[i]);
	run_tasklet();
	host_now += MILLISECS(10);
	scrub();
	assert_int_equal(page_alloc_dirty_count(), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_store_through_a_stale_entry_does_not_survive_scrubbing),
		TEST(one_that_was_written_past_the_caches_is_flushed_last),
		TEST(cpus_that_flushed_meanwhile_are_left_alone),
		TEST(its_own_flush_is_not_rationed),
		TEST(giving_back_in_a_loop_disturbs_others_a_hundred_times_a_second),
		TEST(random_use_gives_out_nothing_but_zeros),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
