/* SPDX-License-Identifier: MIT */
/*
 * A domain's watchdogs (SCHEDOP_watchdog): timers that the guest keeps moving on. When one fires
 * the guest is taken for dead, and the domain shuts down.
 */
#include "hv/watchdog.h"

#include "hv/arch/time.h"
#include "hv/console.h"
#include "hv/domain.h"
#include "lib/errno.h"

static void watchdog_expired(void *data)
{
	struct domain *d = data;

	if (domain_is_dying(d) || READ_ONCE(d->shutdown.begun))
		return;
	log_warn("domain %u: watchdog expired\n", d->id);
	domain_shutdown(d, SHUTDOWN_watchdog);
}

void domain_watchdogs_init(struct domain *d)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(d->watchdogs.dog); i++)
		timer_init(&d->watchdogs.dog[i].timer, watchdog_expired, d, smp_processor_id());
}

void domain_watchdogs_kill(struct domain *d)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(d->watchdogs.dog); i++)
		timer_kill(&d->watchdogs.dog[i].timer);
}

/* Caller holds d->lock. */
static void watchdog_arm(struct watchdog *w, u32 seconds)
{
	w->in_use = true;
	timer_set(&w->timer, time_now() + SECONDS(seconds));
}

/* Caller holds d->lock. Arms one that is free: its number, or -ENOSPC. */
static long watchdog_add(struct domain *d, u32 seconds)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(d->watchdogs.dog); i++)
		if (!d->watchdogs.dog[i].in_use) {
			watchdog_arm(&d->watchdogs.dog[i], seconds);
			return (long)i + 1;
		}
	return -ENOSPC;
}

long domain_watchdog_set(struct domain *d, u32 id, u32 seconds)
{
	struct watchdog *w;
	long ret = 0;

	if (id > ARRAY_SIZE(d->watchdogs.dog) || (id == 0 && seconds == 0))
		return -EINVAL;
	spin_lock(&d->lock);
	w = &d->watchdogs.dog[id ? id - 1 : 0];
	if (id == 0) {
		ret = watchdog_add(d, seconds);
	} else if (!w->in_use) {
		ret = -EINVAL;
	} else if (seconds == 0) {
		w->in_use = false;
		timer_stop(&w->timer);
	} else {
		watchdog_arm(w, seconds);
	}
	spin_unlock(&d->lock);
	return ret;
}
