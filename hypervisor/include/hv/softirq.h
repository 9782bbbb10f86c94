/* SPDX-License-Identifier: MIT */
/*
 * Work that is deferred to the way back to a guest, or to the idle loop: interrupts are on, and no
 * lock is held.
 */
#ifndef HV_SOFTIRQ_H
#define HV_SOFTIRQ_H

#include "hv/percpu.h"

enum softirq {
	SOFTIRQ_TIMER,
	SOFTIRQ_SCHEDULE,
	SOFTIRQ_TASKLET, /* deferred calls: struct tasklet below */
	SOFTIRQ_CONSOLE, /* debug keys */
	SOFTIRQ_COUNT
};

/* One bit for each softirq. Set atomically, also by other CPUs. */
DECLARE_PER_CPU(u32, softirq_pending);

void softirq_register(enum softirq nr, void (*handler)(void));
/* On this CPU. */
void softirq_raise(enum softirq nr);
/* On any CPU; sends an IPI if it is not this one. */
void softirq_raise_on(unsigned int cpu, enum softirq nr);
/* Runs all pending softirqs. Interrupts are on. */
void softirq_run(void);
static inline bool softirq_is_pending(void)
{
	return READ_ONCE(this_cpu(softirq_pending)) != 0;
}

/*
 * A call deferred to softirq context on the CPU that schedules it. Scheduling a tasklet that is
 * already scheduled does nothing. Any context may schedule.
 */
struct tasklet {
	struct tasklet *next;
	u32 scheduled;
	void (*fn)(void *data);
	void *data;
};
void tasklet_schedule(struct tasklet *t);

#endif
