/* SPDX-License-Identifier: MIT */
/* Timers: a function to call, in softirq context on the timer's CPU, at a system time. A heap for
 * each CPU. */
#ifndef HV_TIMER_H
#define HV_TIMER_H

#include "hv/time.h"
#include "lib/heap.h"

struct timer {
	struct heap_node node; /* key: expiry */
	void (*fn)(void *data);
	void *data;
	u32 cpu; /* whose heap it is in */
	u32 flags;
	struct timer *next; /* while its heap has no room: in the overflow list */
};

void timer_init(struct timer *t, void (*fn)(void *), void *data, unsigned int cpu);
void timer_set(struct timer *t,
	       s_time_t expiry);  /* (re)arms; a time that has passed fires at once */
void timer_stop(struct timer *t); /* does not wait for a running fn */
void timer_kill(struct timer *t); /* stops for good and waits until fn is not running */
void timer_migrate(struct timer *t, unsigned int cpu);
bool timer_is_armed(const struct timer *t);
/* Armed, for `time` at the latest. The caller sees to it that nobody sets the timer meanwhile; it
 * may be firing. */
bool timer_fires_by(const struct timer *t, s_time_t time);

/*
 * The arch's timer interrupt raises SOFTIRQ_TIMER; the softirq runs what is due and programs the
 * next (arch_timer_program).
 */
void timer_subsystem_init(void);       /* once, at boot */
void timer_cpu_init(unsigned int cpu); /* before a CPU starts */

#endif
