/* SPDX-License-Identifier: MIT */
/*
 * How a suspended domain goes on in place whose kernel has not been told that a suspend can be
 * given up (its notes lack SUSPEND_CANCEL). To the guest this looks like a restore: the suspend
 * hypercall returns 0, event channels are new, and so are the backends of its devices.
 */
#ifndef XEND_DOMAIN_RESUME_H
#define XEND_DOMAIN_RESUME_H

#include "lib/error.h"

struct domain;

/*
 * In a task that holds the domain's lock; cannot be cancelled. The caller has just asked the
 * hypervisor that the number is the domain's. After an error the domain stands still, suspended;
 * then, or when xend is killed midway, it can be repeated.
 */
int resume_afresh(struct domain *domain, struct error **e);

#endif
