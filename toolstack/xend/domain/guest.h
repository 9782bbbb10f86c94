/* SPDX-License-Identifier: MIT */
/*
 * The first steps of most methods: find the domain, lock it, and check that the operation is
 * possible.
 */
#ifndef XEND_DOMAIN_GUEST_H
#define XEND_DOMAIN_GUEST_H

#include "lib/error.h"

struct config;
struct domain;
struct request;

enum guest_need {
	GUEST_RUNS = 1, /* it runs: the hypervisor has it */
	GUEST_OURS = 2, /* xend made it */
	GUEST_NOT_DOM0 = 4,
	GUEST_MANAGED = 8,
	GUEST_HALTED = 16, /* its state is DOMAIN_HALTED, not suspended */
};

/*
 * The domain that a request names, with a reference, locked for `operation`, and checked.
 * guest_release gives back both.
 */
int guest_take(struct request *request, const char *operation, unsigned int needs,
	       struct domain **out, struct error **e);
void guest_release(struct domain *domain);
/* The checks alone. */
int guest_check(struct domain *domain, unsigned int needs, struct error **e);

/*
 * Adds a new domain, locked for `operation`, with a reference. Takes the configuration over, or
 * frees it on failure. -EEXIST: its name or UUID is taken; a domain that was left down makes room
 * for its name.
 */
int guest_add(struct config *config, const char *operation, struct domain **out, struct error **e);

#endif
