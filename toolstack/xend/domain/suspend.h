/* SPDX-License-Identifier: MIT */
/* A domain's memory in xend's own file, beside its record. Call these with the domain's lock. */
#ifndef XEND_DOMAIN_SUSPEND_H
#define XEND_DOMAIN_SUSPEND_H

#include <stdbool.h>

#include "lib/error.h"

struct domain;
struct request;

/*
 * Suspends a domain of xend's. `with_host`: because the host stops, so it goes on when the host
 * starts. After a failure it runs on.
 */
int domain_suspend(struct domain *domain, bool with_host, struct request *asker, struct error **e);
/* Resumes a suspended one. After a failure it is suspended still. */
int domain_resume(struct domain *domain, bool paused, struct request *asker, struct error **e);

#endif
