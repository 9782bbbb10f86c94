/* SPDX-License-Identifier: MIT */
/*
 * Recovery, which a starting xend does first: rebuilds the list of domains from the hypervisor,
 * xenstore and the records, and finishes or undoes what was left half done.
 */
#ifndef XEND_DOMAIN_RECOVER_H
#define XEND_DOMAIN_RECOVER_H

#include "lib/error.h"

struct request;

/*
 * Reads everything. Afterwards running domains are in the list. Domains that need work are locked
 * until recover_run has handled them.
 */
int recover_load(struct error **e);
/*
 * In a task: finishes or undoes what the records announce, then starts the domains that were
 * rebooting.
 */
void recover_run(void);

/*
 * In a task, before a domain is made: waits until recovery is done, so that no leftover is in the
 * way or taken for the new domain. The asker (may be NULL) sees the stage "recovery". -ECANCELED if
 * xend stops.
 */
int recover_wait(struct request *asker, struct error **e);
/* Wakes those that wait, to give up, because xend stops. */
void recover_wake(void);

#endif
