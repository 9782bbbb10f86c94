/* SPDX-License-Identifier: MIT */
/* What the host's start and its end mean for one domain. */
#include "xend/domain/guests_plan.h"

#include "config/config.h"
#include "xend/domain/domain.h"

enum guest_action guests_plan_start(const struct domain *domain)
{
	bool wanted = domain->managed && domain->config &&
		      domain->config->on_xend_start == CONFIG_START_START;

	if (!domain->ours || domain->domid >= 0)
		return GUEST_NOTHING;
	if (domain->state == DOMAIN_SUSPENDED)
		return wanted || domain->with_host ? GUEST_RESUME : GUEST_NOTHING;
	return wanted && domain->state == DOMAIN_HALTED ? GUEST_START : GUEST_NOTHING;
}

/* A domain that is being built, or that reboots, has no number for a while. */
static bool runs_or_will(const struct domain *domain)
{
	return domain->domid > 0 ||
	       (domain->domid < 0 && domain->ours &&
		(domain->state == DOMAIN_BUILDING ||
		 (domain->state == DOMAIN_DYING && domain->goal == GOAL_RESTART)));
}

enum guest_action guests_plan_stop(const struct domain *domain, enum xend_guests_stop otherwise,
				   bool serves)
{
	unsigned int own = domain->config ? domain->config->on_xend_stop : CONFIG_STOP_IGNORE;

	if (!runs_or_will(domain))
		return GUEST_NOTHING;
	if (own == CONFIG_STOP_SHUTDOWN)
		return GUEST_SHUTDOWN;
	if (own != CONFIG_STOP_SUSPEND && otherwise == XEND_GUESTS_LEAVE)
		return GUEST_NOTHING;
	if (own != CONFIG_STOP_SUSPEND && (otherwise == XEND_GUESTS_SHUTDOWN || serves))
		return GUEST_SHUTDOWN;
	return domain->ours ? GUEST_SUSPEND : GUEST_SHUTDOWN;
}

bool guests_plan_is_late(int64_t asked, int64_t now, uint64_t limit)
{
	return now - asked >= (int64_t)limit;
}

/* A start that fails is undone: meanwhile the record says "dying", as that of a reboot does. */
bool guests_plan_was_started(const struct domain *domain)
{
	return domain && !domain->earlier_boot &&
	       (domain->state == DOMAIN_RUNNING || domain->state == DOMAIN_SAVING ||
		(domain->state == DOMAIN_DYING && domain->goal == GOAL_RESTART));
}
