/* SPDX-License-Identifier: MIT */
/* What several methods do at their beginning: find the domain, take it, check that it can be done
 * to it. */
#ifndef XEND_DOMAIN_GUEST_H
#define XEND_DOMAIN_GUEST_H

#include "lib/error.h"

struct config;
struct domain;
struct request;

enum guest_need {
	GUEST_RUNS = 1, /* it has an id, which is its own */
	GUEST_OURS = 2, /* xend made it */
	GUEST_NOT_DOM0 = 4,
	GUEST_MANAGED = 8,
	GUEST_HALTED = 16, /* it has none, and is not suspended to a file */
};

/* The domain that a request names, with a reference and locked for `operation`. */
int guest_take(struct request *request, const char *operation, unsigned int needs,
	       struct domain **out, struct error **e);
void guest_release(struct domain *domain);
/* The checks alone. */
int guest_check(struct domain *domain, unsigned int needs, struct error **e);

/*
 * A new domain in the list, locked for `operation`, from a configuration that becomes its own (or
 * is freed): its name and UUID must be free. One that was left down with that name makes room.
 */
int guest_add(struct config *config, const char *operation, struct domain **out, struct error **e);

#endif
