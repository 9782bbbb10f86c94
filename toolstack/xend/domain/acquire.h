/* SPDX-License-Identifier: MIT */
/*
 * The first steps of most methods: find the domain, lock it, and check that the operation is
 * possible.
 */
#ifndef XEND_DOMAIN_ACQUIRE_H
#define XEND_DOMAIN_ACQUIRE_H

#include "lib/error.h"

struct config;
struct domain;
struct request;

enum domain_need {
	NEED_RUNS = 1, /* it runs: the hypervisor has it */
	NEED_OURS = 2, /* xend made it */
	NEED_NOT_DOM0 = 4,
	NEED_MANAGED = 8,
	NEED_HALTED = 16, /* its state is DOMAIN_HALTED, not suspended */
	NEED_HEARS = 32,  /* xenstore knows it: what is written for it there reaches it */
};

/*
 * The domain that a request names, with a reference, locked for `operation`, and checked.
 * domain_release gives back both.
 */
int domain_acquire(struct request *request, const char *operation, unsigned int needs,
		   struct domain **out, struct error **e);
void domain_release(struct domain *domain);
/* The checks alone. */
int domain_check(struct domain *domain, unsigned int needs, struct error **e);

/*
 * Adds a new domain, locked for `operation`, with a reference. Takes the configuration over, or
 * frees it on failure. -EEXIST: its name or UUID is taken; a domain that was left down makes room
 * for its name.
 */
int domain_admit(struct config *config, const char *operation, struct domain **out,
		 struct error **e);

#endif
