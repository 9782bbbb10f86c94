/* SPDX-License-Identifier: MIT */
/* A guest that sleeps for ever: what is measured is the memory that the hypervisor takes for it. */
#include "bench.h"

/* Without this, an event that nobody takes would be delivered again and again. */
static void on_event(struct guest_regs *regs)
{
	(void)regs;
	shared_info->vcpu_info[0].evtchn_upcall_pending = 0;
}

void test_main(void)
{
	guest_event = on_event;
	bench_say("BENCH-END\n");
	for (;;)
		hc2(__HYPERVISOR_sched_op, SCHEDOP_block, 0);
}
