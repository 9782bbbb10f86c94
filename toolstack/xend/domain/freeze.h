/* SPDX-License-Identifier: MIT */
/* A guest stands still, suspended by itself, while its memory is written. In a task, with its lock.
 */
#ifndef XEND_DOMAIN_FREEZE_H
#define XEND_DOMAIN_FREEZE_H

#include "lib/error.h"

struct domain;

/* -EBADFD: the domain is paused, and would not even see the request. */
int freeze_check(const struct domain *domain, struct error **e);
/*
 * Asks the guest to suspend, and waits for it. -ETIMEDOUT, -ECANCELED; -EBADFD: it shut down in
 * place of that. After an error the caller calls freeze_end().
 */
int freeze_domain(struct domain *domain, struct error **e);
/*
 * Resumes the domain if it has suspended; withdraws the request if it has not. Ends what was set in
 * the hypervisor to send it while it ran (live.h). Its state is DOMAIN_RUNNING then, also after an
 * error.
 */
int freeze_end(struct domain *domain, struct error **e);
/*
 * Lets a suspended domain run on in place, as its kernel can. The caller has just asked the
 * hypervisor that the number is the domain's. After an error it still stands there, suspended.
 */
int freeze_go_on(struct domain *domain, struct error **e);

#endif
