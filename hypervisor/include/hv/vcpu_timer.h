/* SPDX-License-Identifier: MIT */
/*
 * The timers of each vCPU: periodic, single-shot, and the end of a poll. Times are in nanoseconds.
 */
#ifndef HV_VCPU_TIMER_H
#define HV_VCPU_TIMER_H

#include "hv/time.h"
#include "hv/timer.h"
#include "lib/types.h"

struct vcpu;

/* v->lock covers all of it. */
struct vcpu_timers {
	struct timer periodic, singleshot, poll;
	s_time_t period, periodic_last;
};

void vcpu_timers_init(struct vcpu *v);
void vcpu_timers_kill(struct vcpu *v);

/* From here on v is `current` or another vCPU of its domain. */

/* -EINVAL: the period is below a millisecond or above a year. */
int __must_check vcpu_timer_set_periodic(struct vcpu *v, u64 period);
void vcpu_timer_stop_periodic(struct vcpu *v);
/* deadline: system time. One that has passed fires at once. */
void vcpu_timer_set_singleshot(struct vcpu *v, u64 deadline);

#endif
