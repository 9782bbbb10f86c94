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

/* The conversion that guests are told (struct vcpu_time_info): ns = ((tsc << shift) * mul) >> 32.
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
void time_get_calibration(struct time_calibration *out); /* of this CPU */
u64 time_tsc_khz(void);

/* Wall clock: seconds and nanoseconds of the UNIX epoch at system time 0. */
void time_get_wallclock(u64 *sec, u32 *nsec);
void time_set_wallclock(u64 sec, u32 nsec); /* and tells every domain's shared_info */

#endif
