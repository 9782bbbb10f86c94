/* SPDX-License-Identifier: MIT */
/* System time: nanoseconds since boot, the same on every CPU, never backwards. */
#ifndef HV_TIME_H
#define HV_TIME_H

#include "lib/types.h"

typedef s64 s_time_t; /* nanoseconds since boot */

#define SECONDS(n)   (1000000000LL * (s_time_t)(n))
#define MILLISECS(n) (1000000LL * (s_time_t)(n))
#define MICROSECS(n) (1000LL * (s_time_t)(n))
#define STIME_MAX    ((s_time_t)(~0ULL >> 1))

s_time_t time_now(void);

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
u64 time_tsc_khz(void);

/* Wall clock: the UNIX time at system time 0, in seconds and nanoseconds. */
void time_get_wallclock(u64 *sec, u32 *nsec);
/* Also updates every domain's shared_info. */
void time_set_wallclock(u64 sec, u32 nsec);

#endif
