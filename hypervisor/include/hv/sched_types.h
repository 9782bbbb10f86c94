/* SPDX-License-Identifier: MIT */
/*
 * What the scheduler keeps in each vCPU and domain (core/sched*.c; core/sched/sched_share.c
 * explains the arithmetic). Lock tags: [S] the run-queue lock of v->processor   [A] atomic   [B]
 * cap_lock
 */
#ifndef HV_SCHED_TYPES_H
#define HV_SCHED_TYPES_H

#include "hv/cpumask.h"
#include "hv/spinlock.h"
#include "hv/time.h"
#include "hv/timer.h"
#include "lib/list.h"

struct sched_vcpu {
	struct list link;			/* [S] in its CPU's run queue */
	cpumask_t hard_affinity, soft_affinity; /* [S] */
	u64 vtime; /* [S] virtual time that it has consumed, on its queue's clock; compared as a
		      difference */
	s_time_t charged_at; /* [S] while it runs: up to when vtime is right */
	u64 crowd_at;	     /* [S] the domain's crowd integral at charged_at */
	s_time_t last_ran;   /* [S] when it left its CPU */
	u32 load;      /* [S] what it adds to its queue's load while it is a member; 0: it is not */
	bool queued;   /* [S] waits in the run queue */
	bool active;   /* [S] counted as runnable in its domain */
	bool parked;   /* [S] its domain used up its cap; the refill wakes it */
	bool yielding; /* [S] lets the next one go first; until it runs again */
	bool pinned;   /* [S] hard affinity holds one CPU */
	unsigned int irq_cpu; /* by its CPU: where its devices' interrupts were sent last */
};

struct sched_domain {
	u64 crowd;	     /* [A] runnable vCPUs and since when, core/sched/sched_share.c */
	u16 weight;	     /* 256 is normal */
	u16 cap;	     /* [B] percent of one CPU; 0: none. Others may glance at it */
	spinlock_t cap_lock; /* LOCK_SCHED_CAP */
	s64 budget;	     /* [B] ns of CPU time that the cap still allows; negative: overdrawn */
	s_time_t budget_at;  /* [B] up to when budget was refilled */
	struct timer refill; /* wakes the parked */
};

#endif
