/* SPDX-License-Identifier: MIT */
/*
 * Decides what becomes of a domain when xend starts. The number in its record counts only if the
 * record was written since the host booted and no other domain has the number now. Then the state
 * decides:
 *
 *	halted, suspended	nothing to do
 *	running, exists		it runs on
 *	running, is gone	remove what is left of it
 *	building		remove what there is of it: its client got no answer and may
 *				ask again. A domain that was rebooting is started
 *	saving, exists		it runs on; the file is incomplete
 *	saving, is gone		remove the domain and its incomplete file
 *	dying			remove it. A domain that was rebooting is started
 *	handed over		nothing here: another host decides (migrate/)
 *	complete, arrived	the same while it exists; its memory is all there is of it
 *
 * A reboot of the host ends all domains, and those that were rebooting are not started:
 * on_xend_start and /etc/xen/auto decide what starts with the host, and a domain that has been
 * moved to another host must not start here by itself.
 */
#include "xend/domain/recover_plan.h"

#include <string.h>

/*
 * Whether this is a domain of ours whose number xend could not record before it was killed: it has
 * our UUID and no vCPU yet. Somebody else made one that has vCPUs.
 */
static bool is_half_made(const struct domain *domain, const struct hv_domain_info *info)
{
	return info->domid && !info->dying && info->max_vcpu_id == XEN_INVALID_MAX_VCPU_ID &&
	       memcmp(info->uuid, domain->uuid, sizeof(info->uuid)) == 0;
}

static int find_number(const struct domain *domain, const struct hv_domain_info *list, size_t count,
		       const struct hv_domain_info **info)
{
	*info = NULL;
	if (domain->earlier_boot)
		return -1;
	for (size_t i = 0; i < count; i++) {
		bool same = (int)list[i].domid == domain->domid;

		if (same && memcmp(list[i].uuid, domain->uuid, sizeof(list[i].uuid)) != 0)
			return -1;
		if (same || (domain->domid < 0 && domain->state == DOMAIN_BUILDING &&
			     is_half_made(domain, &list[i]))) {
			*info = &list[i];
			return (int)list[i].domid;
		}
	}
	return domain->domid;
}

struct recover_plan recover_decide(const struct domain *domain, const struct hv_domain_info *list,
				   size_t count)
{
	struct recover_plan plan = { .action = RECOVER_TAKE_AWAY,
				     .domid = -1,
				     .goal = domain->goal };
	const struct hv_domain_info *info;

	if (domain->state == DOMAIN_HALTED || domain->state == DOMAIN_SUSPENDED) {
		plan.action = RECOVER_NOTHING;
		return plan;
	}
	if (domain->state == DOMAIN_SAVING ||
	    (domain->earlier_boot && domain->goal == GOAL_RESTART))
		plan.goal = GOAL_REST;
	plan.domid = find_number(domain, list, count, &info);
	if (domain->state == DOMAIN_HANDED_OVER ||
	    (info && !info->dying &&
	     (domain->state == DOMAIN_COMPLETE || domain->state == DOMAIN_ARRIVED))) {
		plan.action = RECOVER_KEEP;
		return plan;
	}
	if (info && !info->dying && domain->state == DOMAIN_RUNNING)
		plan.action = RECOVER_ADOPT;
	else if (info && !info->dying && domain->state == DOMAIN_SAVING)
		plan.action = RECOVER_TAKE_BACK;
	else if (plan.goal == GOAL_RESTART)
		plan.action = RECOVER_RESTART;
	return plan;
}
