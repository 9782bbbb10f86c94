/* SPDX-License-Identifier: MIT */
/*
 * Timers: each calls a function at a system time, in softirq context on the timer's CPU. Each CPU
 * has a heap of timers.
 */
#ifndef HV_TIMER_H
#define HV_TIMER_H

#include "hv/time.h"
#include "lib/heap.h"

struct timer {
	struct heap_node node; /* key: expiry */
	void (*fn)(void *data);
	void *data;
	u32 cpu; /* the CPU whose heap the timer belongs to */
	u32 flags;
	/* Links the overflow list, while the heap has no room. */
	struct timer *next;
};

void timer_init(struct timer *t, void (*fn)(void *), void *data, unsigned int cpu);
/* Arms or re-arms. A time that has passed fires at once. */
void timer_set(struct timer *t, s_time_t expiry);
/* Does not wait for a running fn. */
void timer_stop(struct timer *t);
/* Stops the timer for good and waits until fn is not running. */
void timer_kill(struct timer *t);
void timer_migrate(struct timer *t, unsigned int cpu);
bool timer_is_armed(const struct timer *t);
/*
 * Is the timer armed for `time` or earlier? It may be firing. The caller ensures that nobody sets
 * the timer meanwhile.
 */
bool timer_fires_by(const struct timer *t, s_time_t time);

/*
 * The arch side's timer interrupt raises SOFTIRQ_TIMER. The softirq runs all timers that are due
 * and programs the hardware for the next one (arch_timer_program).
 */
void timer_subsystem_init(void);       /* once, at boot */
void timer_cpu_init(unsigned int cpu); /* before a CPU starts */

#endif
