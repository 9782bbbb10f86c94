/* SPDX-License-Identifier: MIT */
/* From a configuration to a running domain, and back to nothing. In tasks, by who holds the
 * domain's lock. */
#ifndef XEND_DOMAIN_BOOT_H
#define XEND_DOMAIN_BOOT_H

#include <stdbool.h>

#include "lib/error.h"

struct domain;
struct domain_size;
struct request;

struct boot {
	bool paused;  /* left paused at its first instruction */
	int image_fd; /* a saved domain's memory, at its first byte; -1: from its kernel */
	/* As it was when it was saved; NULL: as its configuration says. */
	const struct domain_size *size;
	struct request *asker; /* who sees the progress; NULL */
};

/*
 * Starts a domain that has a configuration, a UUID and no id. When it fails nothing is left of it
 * but what it was before: no id, its record as it was written last (building); the caller says what
 * becomes of that.
 */
int domain_boot(struct domain *domain, const struct boot *boot, struct error **e);

/*
 * Destroys the domain with its devices and nodes. It has no id then, but its record is there still,
 * "dying": the caller writes what it is now, or removes it. Cannot be cancelled, and goes on over
 * whatever fails, but for the hypervisor: a domain that it does not destroy keeps its id and its
 * record, so that it can be tried again. Nothing is done to another domain that has got the number
 * meanwhile.
 */
int domain_stop(struct domain *domain, struct error **e);

/*
 * After domain_stop, or a boot that failed: a domain whose goal that is is suspended now, managed
 * domains and those with a reason are halted, all others forgotten. One that could not be destroyed
 * stays as it is.
 */
void domain_settle(struct domain *domain);

/*
 * domain_stop and domain_boot as one: a xend that is killed in between finds that it shall run, and
 * starts it. When it cannot be started it is settled, but for -ECANCELED by a xend that stops: then
 * the next one starts it.
 */
int domain_restart(struct domain *domain, struct request *asker, struct error **e);

#endif
