/* SPDX-License-Identifier: MIT */
/*
 * A record's number counts if it was written since the host booted, and if nobody else has that
 *number now. Then, by its state:
 *
 *	halted, suspended	at rest
 *	running, it exists	goes on
 *	running, it is gone	what is left of it is taken away
 *	building		what there is of it is taken away; who asked for it got no
 *				answer and may ask again. One that was rebooting is started
 *	saving, it exists	goes on; the file is not whole
 *	saving, it is gone	taken away, and the file, too: it is not in there
 *	dying			taken away; one that was rebooting is started
 *
 * The host's reboot ends all domains, also those that were rebooting: what starts with the host is
 *for on_xend_start and /etc/xen/auto to say, and a domain that was moved to another host meanwhile
 *must not start here by itself.
 */
#include "xend/domain/recover_plan.h"

#include <string.h>

/*
 * xend was killed between making a domain and noting its number: it has that UUID, and nobody has
 * given it a vCPU. One that has any was made by somebody else.
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
	if (info && !info->dying && domain->state == DOMAIN_RUNNING)
		plan.action = RECOVER_ADOPT;
	else if (info && !info->dying && domain->state == DOMAIN_SAVING)
		plan.action = RECOVER_TAKE_BACK;
	else if (plan.goal == GOAL_RESTART)
		plan.action = RECOVER_RESTART;
	return plan;
}
