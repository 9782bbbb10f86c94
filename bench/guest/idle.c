/* SPDX-License-Identifier: MIT */
/* A guest that sleeps for ever: what is measured is the memory that the hypervisor takes for it. */
#include "bench.h"

void test_main(void)
{
	bench_say("BENCH-END\n");
	for (;;) {
		hc2(__HYPERVISOR_sched_op, SCHEDOP_block, 0);
		events_disable();
		shared_info->vcpu_info[0].evtchn_upcall_pending = 0;
	}
}
