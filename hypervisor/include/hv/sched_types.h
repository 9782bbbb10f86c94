/* SPDX-License-Identifier: MIT */
/*
 * The scheduler's part of each vCPU and domain (core/sched; sched_share.c explains the arithmetic).
 *
 * Lock tags: [S] the run-queue lock of v->processor   [A] atomic   [B] cap_lock
 */
#ifndef HV_SCHED_TYPES_H
#define HV_SCHED_TYPES_H

#include "lib/types.h" /* before the public headers, which need its names */

#include <xen/xen.h>
#include <xen/vcpu.h>
#include "hv/cpumask.h"
#include "hv/spinlock.h"
#include "hv/time.h"
#include "hv/timer.h"
#include "lib/list.h"

struct sched_vcpu {
	struct list link;			/* [S] in its CPU's run queue */
	cpumask_t hard_affinity, soft_affinity; /* [S] */
	/*
	 * [S] The virtual time that it has consumed, on its queue's clock; compared as a
	 * difference.
	 */
	u64 vtime;
	/* [S] While it runs: the time up to which vtime is charged. */
	s_time_t charged_at;
	u64 crowd_at;	   /* [S] the domain's crowd integral at charged_at */
	s_time_t last_ran; /* [S] when it last left its CPU */
	/* [S] Its part of its queue's load while it is a member; 0: not a member. */
	u32 load;
	bool queued;   /* [S] waits in the run queue */
	bool active;   /* [S] counted as runnable in its domain */
	bool parked;   /* [S] its domain has used up its cap; the refill wakes it */
	bool yielding; /* [S] it lets the next vCPU go first; cleared when it runs again */
	bool pinned;   /* [S] hard affinity holds one CPU */
	/* Only its CPU uses this: the CPU that its devices' interrupts were last routed to. */
	unsigned int irq_cpu;
};

struct vcpu_runstate {
	struct vcpu_runstate_info info; /* [S] */
	/* Guest address of its copy, or NULL; v->lock */
	void __guest *guest;
};

struct sched_domain {
	/* [A] The number of runnable vCPUs and since when they are (core/sched/sched_share.c). */
	u64 crowd;
	u16 weight; /* 256 is normal */
	/* [B] Percent of one CPU; 0: no cap. May be read without the lock. */
	u16 cap;
	spinlock_t cap_lock; /* LOCK_SCHED_CAP */
	/* [B] CPU time in ns that the cap still allows; negative: overdrawn. */
	s64 budget;
	s_time_t budget_at;  /* [B] when budget was last refilled */
	struct timer refill; /* wakes parked vCPUs */
};

#endif
