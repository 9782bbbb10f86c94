/* SPDX-License-Identifier: MIT */
/* The simulated machine itself, on which other tests rely. */
/* links: hypervisor/lib/bitmap.c */
#include "host/host.h"
#include "hv/arch/cpu.h"
#include "hv/arch/guest_access.h"
#include "hv/arch/map.h"
#include "hv/console.h"
#include "hv/frame.h"
#include "hv/hv_heap.h"
#include "lib/errno.h"
#include "unit.h"
#include "x86/irq/ipi.h"
#include "x86/mm/map_frame.h"

static DEFINE_PER_CPU(u32, counter);

static void count_cpu(void *data)
{
	this_cpu(counter)++;
}

static void each_cpu_has_its_own_variables(void **state)
{
	host_cpus_init(8);
	ipi_call_on(&cpu_online_map, count_cpu, NULL);
	for (unsigned int cpu = 0; cpu < 8; cpu++)
		assert_int_equal(per_cpu(counter, cpu), 1);
	assert_int_equal(per_cpu(counter, 8), 0);
	assert_int_equal(smp_processor_id(), 0);
}

static void locks_keep_track(void **state)
{
	DEFINE_SPINLOCK(outer, LOCK_DOMAIN);
	DEFINE_SPINLOCK(inner, LOCK_HEAP);
	unsigned long flags;

	host_cpus_init(1);
	spin_lock(&outer);
	flags = spin_lock_irqsave(&inner);
	assert_int_equal(host_locks_held(), 2);
	assert_false(arch_irqs_enabled() || spin_trylock(&outer));
	spin_unlock_irqrestore(&inner, flags);
	spin_unlock(&outer);
	assert_int_equal(host_locks_held(), 0);
	assert_true(arch_irqs_enabled());
}

static void frames_are_memory(void **state)
{
	void *hv;
	u64 *p;

	host_ram_init(1024);
	hv = hv_alloc_pages(2);
	assert_int_equal(mfn_x(virt_to_mfn(hv)), 1020);
	assert_int_equal(mfn_x(page_to_mfn(virt_to_page(hv))), 1020);
	p = map_frame(MFN(3));
	*p = 5;
	frame_copy(MFN(4), MFN(3));
	assert_int_equal(*(u64 *)mfn_to_hv_virt(MFN(4)), 5);
	unmap_frame(p);
	assert_int_equal(host_frames_mapped(), 0);
	hv_free_pages(hv, 2);
	host_alloc_fail_after = 0;
	assert_null(hv_alloc(8));
	hv_free(hv_alloc(8));
	assert_int_equal(host_allocs_live, 0);
	host_ram_init(16);
	assert_null(hv_alloc_pages(5));
}

static bool always_faults(const void *addr, size_t size)
{
	return true;
}

static void guest_copies_can_fault(void **state)
{
	u32 a = 1, b = 0;

	assert_int_equal(copy_from_guest(&b, &a, 4), 0);
	assert_int_equal(b, 1);
	host_guest_fault = always_faults;
	assert_int_equal(copy_to_guest(&b, &a, 4), -EFAULT);
	host_guest_fault = NULL;
}

static void a_panic_can_be_expected(void **state)
{
	expect_assert_failure(BUG());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_cpu_has_its_own_variables),
		cmocka_unit_test(locks_keep_track),
		cmocka_unit_test(frames_are_memory),
		cmocka_unit_test(guest_copies_can_fault),
		cmocka_unit_test(a_panic_can_be_expected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
