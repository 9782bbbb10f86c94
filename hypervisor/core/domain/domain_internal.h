/* SPDX-License-Identifier: MIT */
/* Shared by domain.c, domain_end.c, vcpu_timer.c, watchdog.c and sched_op.c. */
#ifndef CORE_DOMAIN_DOMAIN_INTERNAL_H
#define CORE_DOMAIN_DOMAIN_INTERNAL_H

#include "hv/domain.h"

/*
 * Limits for a domain whose builder gives none (negative values in struct xen_domctl_createdomain).
 */
#define GRANT_DEFAULT_FRAMES	      64
#define GRANT_DEFAULT_MAPTRACK_FRAMES 1024

void vcpu_free(struct vcpu *v);

/* v's periodic, single-shot and poll timers (vcpu_timer.c). */
void vcpu_timers_init(struct vcpu *v);
void vcpu_timers_kill(struct vcpu *v);
/* The watchdogs that a guest may arm (watchdog.c). */
void domain_watchdogs_init(struct domain *d);
void domain_watchdogs_kill(struct domain *d);
/*
 * SCHEDOP_watchdog: arms watchdog `id`, counted from 1, to fire in that many seconds; 0 seconds
 * disarm it. id 0 takes a free one and returns its number. 0, -EINVAL, -ENOSPC.
 */
long domain_watchdog_set(struct domain *d, u32 id, u32 seconds);

#endif
