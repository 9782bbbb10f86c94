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

#endif
