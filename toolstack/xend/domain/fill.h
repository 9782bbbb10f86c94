/* SPDX-License-Identifier: MIT */
/* The memory of a domain that is being made. In a task that holds the domain's lock. */
#ifndef XEND_DOMAIN_FILL_H
#define XEND_DOMAIN_FILL_H

#include "lib/error.h"

struct balloon_loan;
struct boot;
struct domain;
struct domain_size;

/*
 * For an empty domain: finds memory, sets the limit, and has the worker build the domain from its
 * kernel or fill it from an image. The domain's channels are known then. -ENOMEM, -ECANCELED, or
 * the worker's errors. The loan is the caller's to keep or to give back.
 */
int fill_domain(struct domain *domain, const struct boot *boot, const struct domain_size *size,
		struct balloon_loan *loan, struct error **e);

#endif
