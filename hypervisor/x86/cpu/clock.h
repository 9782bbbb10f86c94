/* SPDX-License-Identifier: MIT */
/* Setting up the clocks (time.c); reading them is hv/time.h. */
#ifndef X86_CPU_CLOCK_H
#define X86_CPU_CLOCK_H

#include "hv/time.h"

/* Boot CPU: measures the TSC against the HPET or the PIT, starts system time, reads the wall clock.
 */
void clock_init(void);
/*
 * Makes a starting CPU's system time that of the boot CPU: both call their half at about the same
 * time, interrupts off. Its TSC need not be in step.
 */
void clock_sync_source(void);
void clock_sync_target(void);
/*
 * The first TSC value of this CPU at which the clock (time_now) shows `when` or later. ~0 for what
 * no TSC reaches, and never 0, which would turn a TSC deadline off.
 */
u64 clock_tsc_at(s_time_t when);
/* a * b / c, rounded down, without overflow in between. ~0 if that does not fit, or if c is 0: DIV
 * would fault. */
static inline u64 mul_div(u64 a, u64 b, u64 c)
{
	u64 hi, lo, quotient, rest;

	__asm__("mulq %3" : "=a"(lo), "=d"(hi) : "0"(a), "rm"(b) : "cc");
	if (unlikely(hi >= c))
		return ~0UL;
	__asm__("divq %4" : "=a"(quotient), "=d"(rest) : "0"(lo), "1"(hi), "rm"(c) : "cc");
	return quotient;
}
/* Waits, running: any context after clock_init. */
void clock_delay(s_time_t ns);

#endif
