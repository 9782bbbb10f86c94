/* SPDX-License-Identifier: MIT */
/* What happens when a guest powers off, reboots or crashes: on_poweroff, on_reboot, on_crash. */
#ifndef XEND_DOMAIN_LIFECYCLE_H
#define XEND_DOMAIN_LIFECYCLE_H

#include "lib/error.h"
#include "hv/hv.h"

struct domain;

/* Seconds: a domain that restarts again sooner after its start is left down. */
#define LIFECYCLE_MIN_UPTIME 60

/* Watches for domains that shut down or appear. */
int lifecycle_setup(struct error **e);
void lifecycle_teardown(void);

/* Acts upon what the hypervisor says of a domain of ours (NULL: it is gone) unless somebody works
 * on it. */
void lifecycle_observe(struct domain *domain, const struct hv_domain_info *info);
/* The same, after asking the hypervisor. Domains of others are left alone. */
void lifecycle_check(struct domain *domain);

#endif
