/* SPDX-License-Identifier: MIT */
/* The method that moves a domain to another host. */
#include "xend/runtime/request.h"

#include <errno.h>

#include "protocol.h"
#include "xend/domain/acquire.h"
#include "xend/domain/domain.h"
#include "xend/domain/move.h"
#include "xend/domain/recover.h"
#include "xend/migrate/source.h"
#include "xend/migrate/target.h"
#include "xend/runtime/settings.h"
#include "xend/runtime/task.h"

#define PORT_MAX 65535

static int migrate(struct request *request, struct json_object *result, struct error **e)
{
	struct migrate_order order = { .host = request_string(request, XEND_P_HOST),
				       .check = request_bool(request, XEND_P_CHECK) };
	int64_t port = request_int(request, XEND_P_PORT);
	uint64_t begun = task_now();
	struct domain *domain;
	int rc;

	if (port == 0 || port > PORT_MAX)
		return error_set(e, EINVAL, "%lld is not the number of a port.", (long long)port);
	/* Hosts of one network mostly have one file of settings. */
	order.port = (unsigned int)(port > 0 ? (uint64_t)port : settings->relocation_port);
	rc = recover_wait(request, e);
	if (rc == 0)
		rc = domain_acquire(request, "migrate", NEED_RUNS | NEED_OURS | NEED_NOT_DOM0,
				    &domain, e);
	if (rc)
		return rc;
	rc = migrate_domain(domain, &order, request, result, e);
	if (rc == 0 && !order.check) {
		json_set_int(result, XEND_MV_TOTAL_MS, (int64_t)(task_now() - begun));
		json_set_bool(result, XEND_MV_LIVE, false);
	}
	/* In doubt another task has the lock. */
	if (rc && (domain->state == DOMAIN_HANDED_OVER || domain->goal == GOAL_MOVED))
		domain_unref(domain);
	else
		domain_release(domain);
	return rc;
}

/* The task that asks the other host sees it at its next look. */
static int keep_here(struct domain *domain, struct error **e)
{
	domain->move->keep = true;
	while (!domain->gone && domain->state == DOMAIN_HANDED_OVER)
		if (cond_wait(&domain->changed, TASK_FOREVER))
			return error_set(e, ECANCELED, "Waiting for domain '%s' was cancelled.",
					 domain->name);
	return 0;
}

static int start_here(struct domain *domain, struct error **e)
{
	int rc = domain_lock_now(domain, "migrate");

	if (rc)
		return error_set(e, EBUSY,
				 "The host from which domain '%s' comes is connected, so it is not "
				 "gone.",
				 domain->name);
	rc = target_keep(domain, e);
	domain_unlock(domain);
	return rc;
}

static int keep(struct request *request, struct json_object *result, struct error **e)
{
	struct domain *domain;
	int rc = recover_wait(request, e);

	if (rc == 0)
		rc = request_domain(request, &domain, e);
	if (rc)
		return rc;
	if (domain->state == DOMAIN_HANDED_OVER)
		rc = keep_here(domain, e);
	else if (domain->state == DOMAIN_COMPLETE || domain->state == DOMAIN_ARRIVED)
		rc = start_here(domain, e);
	else
		rc = error_set(e, EBADFD, "Domain '%s' is not between two hosts.", domain->name);
	domain_unref(domain);
	return rc;
}

const struct method methods_migrate[] = {
	{ XEND_M_DOMAIN_MIGRATE,
	  migrate,
	  { { XEND_P_DOMAIN, PARAM_DOMAIN, true },
	    { XEND_P_HOST, PARAM_STRING, true },
	    { XEND_P_PORT, PARAM_INT, false },
	    { XEND_P_LIVE, PARAM_BOOL, false },
	    { XEND_P_CHECK, PARAM_BOOL, false } } },
	{ XEND_M_MIGRATE_KEEP, keep, { { XEND_P_DOMAIN, PARAM_DOMAIN, true } } },
	{ NULL },
};
