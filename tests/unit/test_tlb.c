/* SPDX-License-Identifier: MIT */
/* links: hypervisor/lib/bitmap.c */
/* The TLB clock against a model. Every CPU's TLB is a set of pages, and none may hold a page that
 * is used anew. */
#include <string.h>
#include "hv/softirq.h"
#include "host/host.h"
#include "unit.h"

enum { CPUS = 5, PAGES = 40 };

static bool tlb[CPUS][PAGES];
static unsigned int nr_ipis, nr_flushes;
static struct tasklet *scheduled;

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
	nr_flushes++;
}
static unsigned long read_cr4(void)
{
	return X86_CR4_PGE;
}
static void write_cr4(unsigned long v)
{
	if (!(v & X86_CR4_PGE))
		write_cr3(0);
}
static void invlpg(unsigned long va)
{
	tlb[host_cpu][va >> PAGE_SHIFT] = false;
}

#include "x86/mm/tlb.c"

void ipi_send_mask(const cpumask_t *cpus, unsigned int vector)
{
	unsigned int self = host_cpu, cpu;

	assert_int_equal(vector, VECTOR_TLB_FLUSH);
	assert_false(cpumask_test(self, cpus));
	cpumask_for_each(cpu, cpus) {
		host_set_cpu(cpu);
		tlb_ipi_handler();
		nr_ipis++;
	}
	host_set_cpu(self);
}

void tasklet_schedule(struct tasklet *t)
{
	scheduled = t;
}

static int setup(void **state)
{
	host_cpus_init(CPUS);
	memset(tlb, 0, sizeof(tlb));
	memset(percpu_tlb_flushed_at, 0, sizeof(percpu_tlb_flushed_at));
	clock = CLOCK_FIRST;
	clock_stamped = 0;
	scheduled = NULL;
	nr_ipis = 0;
	return 0;
}

static void a_cpu_that_flushed_since_needs_no_flush(void **state)
{
	cpumask_t all = cpu_online_map;
	u32 stamp = tlb_clock();

	tlb_filter(&all, stamp);
	assert_int_equal(cpumask_weight(&all), CPUS);
	host_set_cpu(2);
	tlb_flush_local();
	host_set_cpu(4);
	tlb_load_cr3(0);
	tlb_filter(&all, stamp);
	assert_int_equal(cpumask_weight(&all), CPUS - 2);
	assert_false(cpumask_test(2, &all) || cpumask_test(4, &all));
	/* The flush came before the stamp, so it does not count. */
	all = cpu_online_map;
	tlb_filter(&all, tlb_clock());
	assert_int_equal(cpumask_weight(&all), CPUS);
	tlb_filter(&all, 0);
	assert_true(cpumask_empty(&all));
}

static void the_clock_stands_still_while_nobody_is_stamped(void **state)
{
	u32 before = tlb_clock();

	for (int i = 0; i < 100; i++)
		tlb_flush_local_all();
	assert_int_equal(tlb_clock(), before + 1);
}

static void a_mask_is_flushed_exactly(void **state)
{
	cpumask_t some;

	memset(tlb, true, sizeof(tlb));
	cpumask_zero(&some);
	bitmap_set_bit(some.bits, 0);
	bitmap_set_bit(some.bits, 3);
	bitmap_set_bit(some.bits, 77); /* not online */
	tlb_flush_mask(&some);
	for (unsigned int cpu = 0; cpu < CPUS; cpu++)
		assert_int_equal(tlb[cpu][7], cpu != 0 && cpu != 3);
	assert_int_equal(nr_ipis, 1);
	tlb_flush_page_mask(&cpu_online_map, 7 << PAGE_SHIFT);
	for (unsigned int cpu = 0; cpu < CPUS; cpu++)
		assert_false(tlb[cpu][7]);
	assert_true(tlb[1][8]);
}

static void the_later_stamp_is_the_one_of_this_round(void **state)
{
	clock = 10;
	assert_int_equal(tlb_stamp_later(0, 4), 4);
	assert_int_equal(tlb_stamp_later(4, 9), 9);
	assert_int_equal(tlb_stamp_later(4, 5000), 4); /* from the previous round of the clock */
	assert_int_equal(tlb_stamp_later(6000, 5), 5);
}

/* The clock wraps many times, and each wrap is handled late, as tasklets run late. */
static void no_cpu_ever_has_a_translation_to_a_page_used_anew(void **state)
{
	static bool mapped[PAGES];
	static u32 stamps[PAGES];
	uint64_t seed = UNIT_SEED;
	unsigned int wraps = 0;

	for (int round = 0; round < 400000; round++) {
		unsigned int page = unit_random(&seed) % PAGES, cpu = unit_random(&seed) % CPUS, c;
		cpumask_t stale = cpu_online_map;

		host_set_cpu(cpu);
		switch (unit_random(&seed) % 8) {
		case 0:
			tlb_flush_local();
			break;
		case 1:
			if (!scheduled && unit_random(&seed) % 1000 == 0)
				clock = CLOCK_LAST - 2;
			if (scheduled && unit_random(&seed) % 20 == 0) {
				scheduled->fn(scheduled->data);
				scheduled = NULL;
				wraps++;
			}
			break;
		case 2:
		case 3:
			if (mapped[page]) {
				mapped[page] = false;
				stamps[page] = tlb_clock();
				assert_in_range(stamps[page], CLOCK_FIRST, CLOCK_LAST);
			}
			break;
		case 4:
			if (!mapped[page]) {
				tlb_filter(&stale, stamps[page]);
				tlb_flush_mask(&stale);
				for (c = 0; c < CPUS; c++)
					assert_false(tlb[c][page]);
				mapped[page] = true;
			}
			break;
		default:
			if (mapped[page])
				tlb[cpu][page] = true;
		}
	}
	assert_in_range(wraps, 10, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_cpu_that_flushed_since_needs_no_flush, setup),
		cmocka_unit_test_setup(the_clock_stands_still_while_nobody_is_stamped, setup),
		cmocka_unit_test_setup(a_mask_is_flushed_exactly, setup),
		cmocka_unit_test_setup(the_later_stamp_is_the_one_of_this_round, setup),
		cmocka_unit_test_setup(no_cpu_ever_has_a_translation_to_a_page_used_anew, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
