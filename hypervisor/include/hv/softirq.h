/* SPDX-License-Identifier: MIT */
/* Work deferred to the way back to a guest (or to the idle loop), interrupts on, no lock held. */
#ifndef HV_SOFTIRQ_H
#define HV_SOFTIRQ_H

#include "hv/percpu.h"

enum softirq {
	SOFTIRQ_TIMER,
	SOFTIRQ_SCHEDULE,
	SOFTIRQ_TASKLET, /* deferred calls, see hv/tasklet.h */
	SOFTIRQ_CONSOLE, /* debug keys */
	SOFTIRQ_COUNT
};

DECLARE_PER_CPU(u32, softirq_pending); /* bit per softirq; set atomically, also by other CPUs */

void softirq_register(enum softirq nr, void (*handler)(void));
void softirq_raise(enum softirq nr); /* on this CPU */
void softirq_raise_on(unsigned int cpu,
		      enum softirq nr); /* on any CPU, with an IPI if it is another */
void softirq_run(void);			/* runs all pending ones; called with interrupts on */
static inline bool softirq_is_pending(void)
{
	return READ_ONCE(this_cpu(softirq_pending)) != 0;
}

/*
 * A call deferred to softirq context; scheduling one that is already scheduled does nothing. Any
 * context may schedule.
 */
struct tasklet {
	struct tasklet *next;
	u32 scheduled;
	void (*fn)(void *data);
	void *data;
};
void tasklet_schedule(struct tasklet *t);

#endif
