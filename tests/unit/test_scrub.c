/* SPDX-License-Identifier: MIT */
/*
 * Freed frames while CPUs still have old translations of them: the allocator, its
 * processor-specific side and the TLB clock together, over simulated TLBs. Whenever another CPU of
 * the script gets its turn, it stores through everything in its TLB.
 */
/* links: hypervisor/core/base/buddy.c hypervisor/core/base/page_alloc.c hypervisor/core/base/page_list.c hypervisor/core/domain/page_ref.c */
/* links: hypervisor/x86/mm/page_reuse.c hypervisor/core/base/timer.c hypervisor/core/base/softirq.c */
/* links: hypervisor/lib/bitmap.c hypervisor/lib/heap.c */
#include <string.h>
#include "core/base/page_alloc_internal.h"
#include "host/host.h"
#include "hv/sched.h"
#include "hv/softirq.h"
#include "hv/timer.h"
#include "unit.h"
#include "x86/mm/page_types.h"

enum { CPUS = 4, FRAMES = 1 << 10, FIRST = 512, RAM = FRAMES - FIRST, IDLE_CPU = 0 };

static bool tlb[CPUS][FRAMES];
static unsigned int nr_ipis; /* how many CPUs were interrupted */
static unsigned int idle_wakes;

/* Replaces x86/cpu/regs.h: the instructions act on the model. */
#define X86_CPU_REGS_H
#define UNIT_X86_CPU_REGS_H
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

#include "hv/arch/frame.h"
#include "hv/arch/map.h"
#include "hv/page_alloc.h"
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

void sched_wake_idle_cpu(void)
{
	idle_wakes++;
}

unsigned long hv_heap_free_count(void)
{
	return 0;
}

void shared_page_release(struct page_info *pg)
{
	fail();
}

/* Restarts the clock if it is time to, and runs due timers. */
static void run_tasklets(void)
{
	unsigned int self = host_cpu;

	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		host_set_cpu(cpu);
		softirq_run();
	}
	host_set_cpu(self);
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

/* Gives all other CPUs their turn. */
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
	/* If a CPU stored past the caches after this, memory and caches would differ: none may have
	 * a translation any more. */
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

/* The idle loop of IDLE_CPU for so long, when nothing but its timer interrupts it. */
static void idle_for(s_time_t ns)
{
	s_time_t end = host_now + ns;

	for (;;) {
		scrub();
		if (host_timer_deadline[IDLE_CPU] > end)
			break;
		host_now = max(host_now, host_timer_deadline[IDLE_CPU]);
		host_timer_deadline[IDLE_CPU] = STIME_MAX;
		softirq_raise(SOFTIRQ_TIMER);
		softirq_run();
	}
	host_now = end;
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

/* Allocates frames until it gets this one. */
static void alloc_again(const struct page_info *pg)
{
	struct page_info *others[RAM], *got;
	unsigned int n = 0;

	while ((got = alloc(1, 0)) != pg) {
		assert_non_null(got);
		others[n++] = got;
	}
	while (n)
		page_put_alloc_ref(others[--n]);
}

/* Frees by `by` a frame that `cpu` could write a moment ago. */
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
		timer_subsystem_init();
		for (unsigned int cpu = 0; cpu < CPUS; cpu++)
			timer_cpu_init(cpu);
		host_ram_init(FRAMES);
		dom_a = (struct domain *)(HEAP_VIRT + PAGE_SIZE);
		spin_lock_init(&dom_a->memory.lock, LOCK_PAGE_LIST);
		dom_a->memory.pages = (struct page_list)PAGE_LIST_INIT;
		dom_a->memory.max_pages = FRAMES;
		page_alloc_add_range(PAGE_SIZE * FIRST, PAGE_SIZE * FRAMES);
	}
	memset(tlb, 0, sizeof(tlb));
	memset(percpu_tlb_flushed_at, 0, sizeof(percpu_tlb_flushed_at));
	clock = CLOCK_FIRST;
	clock_stamped = 0;
	host_now += SECONDS(100) * used;
	for (unsigned int cpu = 0; cpu < CPUS; cpu++)
		softirq_raise_on(cpu, SOFTIRQ_TIMER);
	run_tasklets();
	scrub();
	assert_int_equal(page_alloc_dirty_count(), 0);
	nr_ipis = 0;
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(page_alloc_free_count(), RAM);
	assert_int_equal(dom_a->memory.tot_pages, 0);
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
	alloc_again(pg);
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
	scrub();
	assert_int_equal(page_alloc_dirty_count(), 0);
	assert_int_equal(nr_ipis, 0);
	/* Once cleared, the frame needs no flush. */
	assert_ptr_equal(alloc(1, 0), pg);
	assert_int_equal(nr_ipis, 0);
	page_put_alloc_ref(pg);
}

/* Flushes of the scrubber's own TLB are not limited. */
static void its_own_flush_is_not_rationed(void **state)
{
	for (unsigned int i = 0; i < 100; i++) {
		struct page_info *pg = alloc(1, 0);

		free_while_mapped(pg, IDLE_CPU, 1);
		for (unsigned int cpu = 1; cpu < CPUS; cpu++) {
			host_set_cpu(cpu);
			tlb_flush_local();
		}
		scrub();
		assert_int_equal(page_alloc_dirty_count(), 0);
	}
	assert_int_equal(nr_ipis, 0);
}

/* A domain frees frame after frame, each while a CPU may have it in its TLB. */
static void giving_back_in_a_loop_disturbs_others_a_hundred_times_a_second(void **state)
{
	struct page_info *pg[RAM + 1];
	unsigned int n = 0;

	while ((pg[n] = alloc(1, 0)))
		n++;
	assert_int_equal(n, RAM);
	nr_ipis = 0;
	host_now += MILLISECS(20);
	/* Each takes 100 us, all of them 50 ms. */
	for (unsigned int i = 0; i < RAM; i++) {
		free_while_mapped(pg[i], 2, 1);
		scrub();
		host_now += MICROSECS(100);
	}
	assert_in_range(nr_ipis, 3 * (CPUS - 1), 6 * (CPUS - 1));
	/* In the end all frames are clean. */
	host_now += MILLISECS(10);
	scrub();
	assert_int_equal(page_alloc_dirty_count(), 0);
	assert_in_range(nr_ipis, 3 * (CPUS - 1), 7 * (CPUS - 1));
}

static struct page_info *frame(unsigned int i)
{
	return frame_table + FIRST + i;
}

/* Others use the upper half of memory; frames of the lower half are freed. */
static void take_upper_half(void)
{
	for (unsigned int i = 0; i < RAM; i++)
		assert_non_null(alloc(1, 0));
	for (unsigned int i = 0; i < RAM / 2; i++)
		free_while_mapped(frame(i), 2, 1);
	nr_ipis = 0;
}

static void give_upper_half_back(void)
{
	for (unsigned int i = RAM / 2; i < RAM; i++)
		page_put_alloc_ref(frame(i));
}

/*
 * A guest frees one frame and allocates one, over and over. That frame cannot merge, so no smaller
 * free block exists.
 */
static void giving_back_and_taking_in_a_loop_shares_flushes(void **state)
{
	enum { TIMES = 2000 };

	for (unsigned int scrubbed = 0; scrubbed < 2; scrubbed++) {
		struct page_info *pg = frame(RAM / 2 + 10);

		take_upper_half();
		host_now += MILLISECS(20);
		if (scrubbed)
			scrub();
		nr_ipis = 0;
		for (unsigned int i = 0; i < TIMES; i++) {
			free_while_mapped(pg, 2, 1);
			assert_non_null(pg = alloc(1, 0));
			host_now += MICROSECS(2);
		}
		/* One flush serves at least half of what is free. */
		assert_in_range(nr_ipis, 0, TIMES / (RAM / 4) * (CPUS - 1));
		page_put_alloc_ref(pg);
		for (unsigned int i = 0; i < RAM; i++)
			if (!(frame(i)->count_info & PGC_STATE_FREE))
				page_put_alloc_ref(frame(i));
		host_now += MILLISECS(20);
		scrub();
	}
}

/* The last frame at the price of a flush goes only to a guest that asks for it. */
static void all_that_is_free_can_be_taken_at_once(void **state)
{
	unsigned int order = 8;

	take_upper_half();
	assert_int_equal(page_alloc_free_in(0, 0), RAM / 2);
	assert_ptr_equal(page_alloc(NULL, order, 0), frame(0));
	assert_int_equal(page_alloc_free_in(0, 0), 0);
	page_free(frame(0), order);
	give_upper_half_back();
}

static void scrubbing_goes_on_while_a_guest_gives_back(void **state)
{
	unsigned int i;

	take_upper_half();
	host_now += MILLISECS(20);
	/* No frame can merge. */
	for (i = 0; i < RAM / 8; i++) {
		host_set_cpu(IDLE_CPU);
		(void)page_alloc_scrub_some();
		free_while_mapped(frame(RAM / 2 + 2 * i), 2, 1);
		host_now += MICROSECS(2);
	}
	assert_in_range(page_alloc_dirty_count(), 0, RAM / 8);
	assert_in_range(nr_ipis, 1, CPUS - 1);
	for (i = RAM / 2; i < RAM; i++)
		if (!(frame(i)->count_info & PGC_STATE_FREE))
			page_put_alloc_ref(frame(i));
}

/* The machine is otherwise quiet. */
static void an_idle_cpu_wakes_to_go_on(void **state)
{
	struct page_info *a = alloc(1, 0), *b = alloc(1, 0);

	free_while_mapped(a, 2, 1);
	idle_for(MICROSECS(10));
	assert_int_equal(page_alloc_dirty_count(), 0);
	free_while_mapped(b, 2, 1);
	idle_for(MICROSECS(10));
	assert_int_equal(page_alloc_dirty_count(), 1);
	idle_for(MILLISECS(11));
	assert_int_equal(page_alloc_dirty_count(), 0);
	assert_int_equal(nr_ipis, 2 * (CPUS - 1));
}

/* The CPU that waited may have a vCPU to run by then, so any idle CPU continues. */
static void any_idle_cpu_is_called_to_go_on(void **state)
{
	struct page_info *a = alloc(1, 0), *b = alloc(1, 0);

	free_while_mapped(a, 2, 1);
	scrub();
	free_while_mapped(b, 2, 1);
	scrub();
	idle_wakes = 0;
	host_now += MILLISECS(11);
	host_set_cpu(IDLE_CPU);
	softirq_raise(SOFTIRQ_TIMER);
	softirq_run();
	assert_int_equal(idle_wakes, 1);
	scrub();
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
			if (!wrap_tasklet.scheduled && unit_random(&seed) % 100 == 0)
				clock = CLOCK_LAST - 2;
			if (unit_random(&seed) % 20 == 0)
				run_tasklets();
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
	run_tasklets();
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
		TEST(giving_back_and_taking_in_a_loop_shares_flushes),
		TEST(all_that_is_free_can_be_taken_at_once),
		TEST(scrubbing_goes_on_while_a_guest_gives_back),
		TEST(an_idle_cpu_wakes_to_go_on),
		TEST(any_idle_cpu_is_called_to_go_on),
		TEST(random_use_gives_out_nothing_but_zeros),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
