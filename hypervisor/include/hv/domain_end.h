/* SPDX-License-Identifier: MIT */
/* How a domain stops, crashes and is destroyed (core/domain/domain_end.c). */
#ifndef HV_DOMAIN_END_H
#define HV_DOMAIN_END_H

#include "lib/types.h"

struct domain;

/* d->lock covers all of it. */
struct domain_shutdown {
	bool begun;
	bool done; /* every vCPU is paused, perhaps not off its CPU yet */
	u32 code;  /* SHUTDOWN_* */
	/* The port that signals a suspend of this domain; 0: VIRQ_DOM_EXC signals it. */
	u32 suspend_port;
};

/*
 * reason: SHUTDOWN_*. Pauses every vCPU of d and tells Domain-0. For Domain-0 it ends the machine.
 * Returns 0.
 */
int domain_shutdown(struct domain *d, u32 reason);
/* Lets d run again after a cancelled suspend. */
void domain_resume(struct domain *d);
/*
 * Crashes a domain that broke the rules. The host goes on, unless d is Domain-0. The log says why,
 * unless the domain was shutting down already.
 */
void domain_crash(struct domain *d, const char *fmt, ...) __printf(2, 3);
/* Destroys d in bounded steps: 0 when done, -ERESTART to be called again. */
int __must_check domain_kill(struct domain *d);

#endif
