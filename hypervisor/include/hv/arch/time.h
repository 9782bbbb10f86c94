/* SPDX-License-Identifier: MIT */
/* Clocks: system time (hv/time.h), its interrupt, the wall clock. */
#ifndef HV_ARCH_TIME_H
#define HV_ARCH_TIME_H

#include "hv/time.h"
#include "lib/types.h"

struct domain;
struct vcpu;

s_time_t time_now(void);
/* Raises SOFTIRQ_TIMER on this CPU at `deadline`; STIME_MAX: never. */
void arch_timer_program(s_time_t deadline);
u64 time_tsc_khz(void);

/*
 * Sets the wall clock: the UNIX time at system time 0, in seconds and nanoseconds. Also updates
 * every domain's shared_info.
 */
void time_set_wallclock(u64 sec, u32 nsec);
void arch_domain_update_wallclock(struct domain *d); /* in shared_info */
void arch_vcpu_update_time(struct vcpu *v); /* writes vcpu_info->time from this CPU's calibration */

#endif
