/* SPDX-License-Identifier: MIT */
/* Undoes what a worker that sends a running guest has set in the hypervisor. */
#include "xend/domain/live.h"

#include <errno.h>

#include "lib/log.h"
#include "xend/domain/domain.h"
#include "xend/domain/move.h"

int live_begin(struct domain *domain, struct error **e)
{
	struct hv_domain_info info;
	struct hv_credit credit = { 0 };
	struct error *why = NULL;
	int rc = domain_info(domain, &info, e);

	if (rc)
		return rc;
	/* A scheduler without caps does not slow it either. */
	rc = hv_sched_get(domain_hv, (uint32_t)domain->domid, &credit, &why);
	if (rc && rc != -EOPNOTSUPP)
		return error_move(e, &why);
	error_free(&why);
	domain->move->cap = (int)credit.cap;
	return 0;
}

static int restore_cap(const struct domain *domain, struct error **e)
{
	uint32_t domid = (uint32_t)domain->domid;
	struct hv_credit credit;
	int rc = hv_sched_get(domain_hv, domid, &credit, e);

	if (rc == -EOPNOTSUPP || (rc == 0 && credit.cap == (unsigned int)domain->move->cap))
		return 0;
	credit.cap = (unsigned int)domain->move->cap;
	return rc ? rc : hv_sched_set(domain_hv, domid, &credit, e);
}

void live_end(struct domain *domain)
{
	struct hv_domain_info info;
	struct error *e = NULL;

	if (!domain->move || domain->move->cap < 0 || domain_info(domain, &info, NULL))
		return;
	/* A hypervisor without such a log has none to end. */
	hv_log_dirty_stop(domain_hv, (uint32_t)domain->domid, NULL);
	if (restore_cap(domain, &e))
		log_error("Domain %s may get less time than before: %s", domain->name,
			  error_text(e));
	else
		domain->move->cap = -1;
	error_free(&e);
}
