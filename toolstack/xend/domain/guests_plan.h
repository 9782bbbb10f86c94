/* SPDX-License-Identifier: MIT */
/*
 * Decides what becomes of each guest when the host starts and when it stops, from the list of
 * domains and the host's settings alone.
 */
#ifndef XEND_DOMAIN_GUESTS_PLAN_H
#define XEND_DOMAIN_GUESTS_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "config/xend_config.h"

struct domain;

enum guest_action {
	GUEST_NOTHING,
	GUEST_START,  /* boot it, from its record or from a file of /etc/xen/auto */
	GUEST_RESUME, /* from its saved memory */
	GUEST_SUSPEND,
	GUEST_SHUTDOWN,
	GUEST_ACTIONS
};

/*
 * When the host starts. What was suspended with the host goes on; on_xend_start starts or resumes a
 * managed domain.
 */
enum guest_action guests_plan_start(const struct domain *domain);

/*
 * When the host stops: on_xend_stop decides, or else the host's setting. Only domains of xend's can
 * be suspended. The setting does not suspend one that serves devices of others: `xl devd' in it
 * would go on with the number that the domain had before, and serve nobody. Domain-0 is none of the
 * guests.
 */
enum guest_action guests_plan_stop(const struct domain *domain, enum xend_guests_stop otherwise,
				   bool serves);

/* Whether an order that was given at `asked` has gone on for its limit. All are seconds. */
bool guests_plan_is_late(int64_t asked, int64_t now, uint64_t limit);

/*
 * After a kill of xend: whether a guest whose start was under way has been started. Its record says
 * that it runs, or ran, in this boot of the host. NULL: there is no such domain.
 */
bool guests_plan_was_started(const struct domain *domain);

#endif
