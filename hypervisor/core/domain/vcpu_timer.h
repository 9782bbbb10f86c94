/* SPDX-License-Identifier: MIT */
/* Of vcpu_timer.c, for vcpu_op.c. Times in nanoseconds; v is `current` or of its domain. */
#ifndef CORE_DOMAIN_VCPU_TIMER_H
#define CORE_DOMAIN_VCPU_TIMER_H

#include "hv/domain.h"

int __must_check vcpu_timer_set_periodic(struct vcpu *v,
					 u64 period); /* -EINVAL: below a millisecond, or absurd */
void vcpu_timer_stop_periodic(struct vcpu *v);
void vcpu_timer_set_singleshot(struct vcpu *v,
			       u64 deadline); /* system time; one that has passed fires at once */

#endif
