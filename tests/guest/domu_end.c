/* SPDX-License-Identifier: MIT */
/*
 * A guest that ends as its command line says ("reason=N", of enum sched_shutdown_reason) after some
 * seconds ("after=N"): by its own call, or by a watchdog that it arms and then does not feed.
 */
#include "guest.h"

#define SECOND 1000000000UL

static void wait_until(uint64_t end)
{
	while (system_time() < end) {
		struct sched_poll poll = { .timeout = end };

		hc2(__HYPERVISOR_sched_op, SCHEDOP_poll, &poll);
	}
}

void test_main(void)
{
	struct sched_shutdown end = { .reason = (unsigned int)guest_option("reason=", 0) };
	struct sched_watchdog watchdog = { .timeout = 1 };

	/* For who dumps it. */
	shared_info->arch.max_pfn = start_info->nr_pages;
	shared_info->arch.p2m_cr3 = virt_to_mfn((void *)start_info->pt_base) << 12;
	shared_info->arch.p2m_vaddr = start_info->mfn_list;
	wait_until(system_time() + guest_option("after=", 0) * SECOND);
	if (end.reason != SHUTDOWN_watchdog)
		hc2(__HYPERVISOR_sched_op, SCHEDOP_shutdown, &end);
	EXPECT(hc2(__HYPERVISOR_sched_op, SCHEDOP_watchdog, &watchdog) > 0);
	wait_until(system_time() + 60 * SECOND);
	guest_error("it lives on");
}
