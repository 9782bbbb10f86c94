/* SPDX-License-Identifier: MIT */
/*
 * The part of vcpu_timer.c that vcpu_op.c uses. Times are in nanoseconds. v is `current` or another
 * vCPU of its domain.
 */
#ifndef CORE_DOMAIN_VCPU_TIMER_H
#define CORE_DOMAIN_VCPU_TIMER_H

#include "hv/domain.h"

/* -EINVAL: the period is below a millisecond or above a year. */
int __must_check vcpu_timer_set_periodic(struct vcpu *v, u64 period);
void vcpu_timer_stop_periodic(struct vcpu *v);
/* deadline: system time. One that has passed fires at once. */
void vcpu_timer_set_singleshot(struct vcpu *v, u64 deadline);

#endif
