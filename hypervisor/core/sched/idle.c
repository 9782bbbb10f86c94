/* SPDX-License-Identifier: MIT */
/* What a CPU does without a vCPU to run: softirqs, then it scrubs free pages, then it waits. */
#include "hv/sched.h"

#include "hv/arch/cpu.h"
#include "hv/atomic.h"
#include "hv/page_alloc.h"
#include "hv/softirq.h"

/*
 * Scrubs some free pages. Only one CPU does so at a time: several would wait for each other at the
 * allocator's lock, and hold up CPUs that allocate. False: nothing to do, or another CPU is
 * scrubbing.
 */
static bool idle_scrub(void)
{
	static u32 busy;
	bool more;

	if (atomic_xchg(&busy, 1))
		return false;
	more = page_alloc_scrub_some();
	atomic_set(&busy, 0);
	return more;
}

void __noreturn idle_loop(void)
{
	for (;;) {
		softirq_run();
		if (!idle_scrub())
			arch_cpu_idle();
	}
}
