/* SPDX-License-Identifier: MIT */
/* Watchdogs, which a guest arms and keeps moving on (core/domain/watchdog.c). */
#ifndef HV_WATCHDOG_H
#define HV_WATCHDOG_H

#include "hv/timer.h"
#include "lib/types.h"

struct domain;

struct watchdog {
	struct timer timer;
	bool in_use; /* d->lock */
};
struct domain_watchdogs {
	struct watchdog dog[2];
};

void domain_watchdogs_init(struct domain *d);
void domain_watchdogs_kill(struct domain *d);
/*
 * SCHEDOP_watchdog: arms watchdog `id`, counted from 1, to fire in that many seconds; 0 seconds
 * disarm it. id 0 takes a free one and returns its number. 0, -EINVAL, -ENOSPC.
 */
long domain_watchdog_set(struct domain *d, u32 id, u32 seconds);

#endif
