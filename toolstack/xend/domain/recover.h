/* SPDX-License-Identifier: MIT */
/* What xend does first: make out of the hypervisor, xenstore and the records what it knows, and
 * take back what was left half done. */
#ifndef XEND_DOMAIN_RECOVER_H
#define XEND_DOMAIN_RECOVER_H

#include "lib/error.h"

struct request;

/* Reads all. Afterwards running domains are listed; those that need work are locked, and
 * recover_run goes through them. */
int recover_load(struct error **e);
/* In a task: finishes or undoes what the records announce; then starts the domains that were
 * rebooting. */
void recover_run(void);

/*
 * In a task, before a domain is made: until all that was left half done is taken back, so that
 * nothing of it is in the way, nor taken for the new one. The asker (may be NULL) sees the stage
 * "recovery". -ECANCELED if xend is stopped.
 */
int recover_wait(struct request *asker, struct error **e);
/* xend is told to stop: those that wait give up. */
void recover_wake(void);

#endif
