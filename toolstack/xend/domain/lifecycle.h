/* SPDX-License-Identifier: MIT */
/* The end of a guest that powers off, reboots or crashes: on_poweroff, on_reboot, on_crash. */
#ifndef XEND_DOMAIN_LIFECYCLE_H
#define XEND_DOMAIN_LIFECYCLE_H

#include "lib/error.h"
#include "hv/hv.h"

struct domain;

/* Seconds: a domain that reboots or crashes sooner after its start is left down. */
#define LIFECYCLE_MIN_UPTIME 60

/* Watches @releaseDomain and @introduceDomain for domains that shut down or appear. */
int lifecycle_setup(struct error **e);
void lifecycle_teardown(void);

/*
 * Handles the shutdown or the end of a domain of ours in a new task, unless somebody has locked the
 * domain. info: what the hypervisor says; NULL: the domain is gone.
 */
void lifecycle_observe(struct domain *domain, const struct hv_domain_info *info);
/* Asks the hypervisor, then does the same. Ignores domains of other toolstacks. */
void lifecycle_check(struct domain *domain);

#endif
