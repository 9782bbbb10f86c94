/* SPDX-License-Identifier: MIT */
/*
 * Decides what a starting xend does with a domain, from the record and the hypervisor's list alone.
 */
#ifndef XEND_DOMAIN_RECOVER_PLAN_H
#define XEND_DOMAIN_RECOVER_PLAN_H

#include <stddef.h>

#include "hv/hv.h"
#include "xend/domain/domain.h"

enum recover_action {
	RECOVER_NOTHING, /* nothing to do */
	RECOVER_ADOPT,	 /* it runs */
	RECOVER_KEEP,	 /* it stands still between two hosts, and waits for the other one */
	/* It exists, half saved: let it run on, remove the file. */
	RECOVER_TAKE_BACK,
	/* Remove what is left of it; then its goal decides. */
	RECOVER_TAKE_AWAY,
	/* As RECOVER_TAKE_AWAY, then start it. */
	RECOVER_RESTART
};

struct recover_plan {
	enum recover_action action;
	int domid;	       /* -1: it has nothing in the hypervisor or xenstore */
	enum domain_goal goal; /* what becomes of it */
};

/* The domain is as its record says; `list` is the hypervisor's. */
struct recover_plan recover_decide(const struct domain *domain, const struct hv_domain_info *list,
				   size_t count);

#endif
