/* SPDX-License-Identifier: MIT */
/*
 * From the moment at which a guest is complete at the target until one host has it for certain, and
 * the other one knows. Whatever breaks, the source asks again. In tasks that hold the domain's
 * lock, with a shield: nothing here can be cancelled.
 */
#ifndef XEND_MIGRATE_HANDOVER_H
#define XEND_MIGRATE_HANDOVER_H

#include "lib/error.h"
#include "lib/json.h"

struct domain;
struct peer;

/*
 * The target has all of the guest, which is suspended here. Hands it over. 0: it is the target's
 * and no longer in the list of domains; `result` has the report, with a warning if it does not run
 * there. Errors are as migrate_domain's.
 */
int handover_run(struct domain *domain, struct peer *peer, struct json_object *result,
		 struct error **e);
/*
 * The guest goes on here. The target, which may have all of it, is told so: now, or by a task of
 * its own as soon as it can be reached.
 */
void handover_take_back(struct domain *domain, struct peer *peer);

#endif
