/* SPDX-License-Identifier: MIT */
/* What a starting xend does with a domain, from its record and the hypervisor's list alone. */
#ifndef XEND_DOMAIN_RECOVER_PLAN_H
#define XEND_DOMAIN_RECOVER_PLAN_H

#include <stddef.h>

#include "hv/hv.h"
#include "xend/domain/domain.h"

enum recover_action {
	RECOVER_NOTHING,   /* it is at rest */
	RECOVER_ADOPT,	   /* it runs */
	RECOVER_TAKE_BACK, /* it runs, and is half saved: it goes on, the file goes */
	RECOVER_TAKE_AWAY, /* what there is of it goes, then it is what its goal says */
	RECOVER_RESTART	   /* as RECOVER_TAKE_AWAY, then it starts anew */
};

struct recover_plan {
	enum recover_action action;
	int domid;	       /* -1: nothing in the hypervisor or in xenstore is its */
	enum domain_goal goal; /* what becomes of it */
};

/* The domain is as its record says; list is the hypervisor's. */
struct recover_plan recover_decide(const struct domain *domain, const struct hv_domain_info *list,
				   size_t count);

#endif
