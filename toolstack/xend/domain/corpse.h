/* SPDX-License-Identifier: MIT */
/* on_crash = "rename-restart": the dead domain is kept for inspection, and a new one starts. */
#ifndef XEND_DOMAIN_CORPSE_H
#define XEND_DOMAIN_CORPSE_H

#include "lib/error.h"

struct domain;

/*
 * In a task that holds the domain's lock, for a domain that has shut down. Gives what is in the
 * hypervisor to a new domain of the list, with another name and UUID and without devices. The old
 * one keeps its name, UUID and devices; it has no id, and its record says that it restarts: the
 * caller boots it. A failure changes nothing, and can be tried again.
 */
int corpse_keep(struct domain *domain, struct error **e);

#endif
