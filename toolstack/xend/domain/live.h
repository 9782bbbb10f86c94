/* SPDX-License-Identifier: MIT */
/*
 * What the hypervisor does with a guest while its memory is sent and it runs: it logs what the
 * guest writes, and gives it less time if it writes too fast. The worker does both; here is what
 * must be undone, also by the next xend.
 */
#ifndef XEND_DOMAIN_LIVE_H
#define XEND_DOMAIN_LIVE_H

#include "lib/error.h"

struct domain;

/* Notes in the domain's move what is to be undone. The caller writes the record then. */
int live_begin(struct domain *domain, struct error **e);
/* Undoes it, if there is something to undo. In a task, with the lock. */
void live_end(struct domain *domain);

#endif
