/* SPDX-License-Identifier: MIT */
/* The set-up of the clocks (time.c); hv/time.h reads them. */
#ifndef X86_CPU_CLOCK_H
#define X86_CPU_CLOCK_H

#include "hv/time.h"

/*
 * Boot CPU: measures the TSC against the HPET or the PIT, starts system time, reads the wall clock.
 */
void clock_init(void);
/*
 * Gives a starting CPU the boot CPU's system time. The boot CPU calls _source and the other CPU
 * _target, at about the same time and with interrupts off. Their TSCs need not be synchronised.
 */
void clock_sync_source(void);
void clock_sync_target(void);
/*
 * The first TSC value of this CPU at which time_now() is `when` (in ns) or later. ~0 if no TSC
 * value reaches that. Never 0, which would turn a TSC deadline off.
 */
u64 clock_tsc_at(s_time_t when);
/*
 * a * b / c, rounded down, with an intermediate result of 128 bits. ~0 if the result does not fit
 * or c is 0, where DIV would fault.
 */
static inline u64 mul_div(u64 a, u64 b, u64 c)
{
	u64 hi, lo, quotient, rest;

	__asm__("mulq %3" : "=a"(lo), "=d"(hi) : "0"(a), "rm"(b) : "cc");
	if (unlikely(hi >= c))
		return ~0UL;
	__asm__("divq %4" : "=a"(quotient), "=d"(rest) : "0"(lo), "1"(hi), "rm"(c) : "cc");
	return quotient;
}
/* Busy-waits for `ns`, in any context after clock_init. */
void clock_delay(s_time_t ns);

/*
 * How TSC ticks convert to ns, in the form that guests get (struct vcpu_time_info): ns = ((tsc <<
 * shift) * mul) >> 32.
 */
struct tsc_scale {
	u32 mul;
	s8 shift;
};
struct time_calibration {
	u64 tsc_base;	     /* TSC ... */
	s_time_t stime_base; /* ... at this system time */
	struct tsc_scale scale;
};
/* The calibration of this CPU. */
void time_get_calibration(struct time_calibration *out);
/* Wall clock: the UNIX time at system time 0, in seconds and nanoseconds. */
void time_get_wallclock(u64 *sec, u32 *nsec);

#endif
