/* SPDX-License-Identifier: MIT */
/* The method that moves a domain to another host. */
#include "xend/runtime/request.h"

#include <errno.h>
#include <string.h>

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
/* Milliseconds, seconds, megabits a second. */
#define DOWNTIME_MAX 600000
#define TIMEOUT_MAX  (7 * 24 * 3600)
#define RATE_MAX     1000000
/* If nobody says otherwise. */
#define DOWNTIME_MS 60

#define BYTES_PER_MBIT 125000
#define PAGE_BYTES     4096
/* Milliseconds in which a guest's writes are counted. */
#define SAMPLE_MS 500

static const char operation[] = "migrate";

/* Absent numbers are -1. */
static int get_limits(struct request *request, struct migrate_order *order, struct error **e)
{
	int64_t downtime = request_int(request, XEND_P_DOWNTIME),
		timeout = request_int(request, XEND_P_TIMEOUT),
		rate = request_int(request, XEND_P_RATE);

	if (downtime > DOWNTIME_MAX || timeout > TIMEOUT_MAX || rate > RATE_MAX)
		return error_set(e, EINVAL,
				 "A domain may stand still for at most %d ms, be sent for at most "
				 "%d s, and with at most %d megabits a second.",
				 DOWNTIME_MAX, TIMEOUT_MAX, RATE_MAX);
	if (timeout == 0 || rate == 0)
		return error_set(e, EINVAL, "With %s of 0 no domain can be moved.",
				 timeout == 0 ? "a time limit" : "a rate");
	order->strict = downtime >= 0;
	order->downtime_ms = downtime >= 0 ? (uint64_t)downtime : DOWNTIME_MS;
	order->timeout_ms = timeout > 0 ? (uint64_t)timeout * 1000 : 0;
	order->rate = rate > 0 ? (uint64_t)rate * BYTES_PER_MBIT : 0;
	return 0;
}

static enum migrate_live get_live(struct request *request)
{
	if (!request_value(request, XEND_P_LIVE))
		return LIVE_IF_POSSIBLE;
	return request_bool(request, XEND_P_LIVE) ? LIVE_ALWAYS : LIVE_NEVER;
}

static int migrate(struct request *request, struct json_object *result, struct error **e)
{
	struct migrate_order order = { .host = request_string(request, XEND_P_HOST),
				       .tls = request_bool(request, XEND_P_SSL),
				       .check = request_bool(request, XEND_P_CHECK),
				       .live = get_live(request),
				       .throttle = !request_value(request, XEND_P_THROTTLE) ||
						   request_bool(request, XEND_P_THROTTLE) };
	int64_t port = request_int(request, XEND_P_PORT);
	uint64_t begun = task_now();
	struct domain *domain;
	int rc;

	if (port == 0 || port > PORT_MAX)
		return error_set(e, EINVAL, "%lld is not the number of a port.", (long long)port);
	rc = get_limits(request, &order, e);
	if (rc)
		return rc;
	/* Hosts of one network mostly have one file of settings. */
	order.port = (unsigned int)(port > 0  ? (uint64_t)port :
				    order.tls ? settings->relocation_ssl_port :
						settings->relocation_port);
	rc = recover_wait(request, e);
	if (rc == 0)
		rc = domain_acquire(request, operation, NEED_RUNS | NEED_OURS | NEED_NOT_DOM0,
				    &domain, e);
	if (rc)
		return rc;
	rc = migrate_domain(domain, &order, request, result, e);
	if (rc == 0 && !order.check)
		json_set_int(result, XEND_MV_TOTAL_MS, (int64_t)(task_now() - begun));
	if (rc == -ECANCELED)
		error_set(e, ECANCELED, "Moving domain '%s' was cancelled: it goes on here.",
			  domain->name);
	/* In doubt another task has the lock. */
	if (rc && (domain->state == DOMAIN_HANDED_OVER || domain->goal == GOAL_MOVED))
		domain_unref(domain);
	else
		domain_release(domain);
	return rc;
}

/* Until the task that moves it has taken everything back, or is past the point where it can. */
static int cancel(struct request *request, struct json_object *result, struct error **e)
{
	struct domain *domain;
	struct task *task;
	int rc = request_domain(request, &domain, e);

	if (rc)
		return rc;
	task = domain->operation && strcmp(domain->operation, operation) == 0 ? domain->task : NULL;
	if (domain->state == DOMAIN_HANDED_OVER || domain->goal == GOAL_MOVED)
		rc = error_set(e, EBADFD,
			       "Domain '%s' is handed over already, and %s may have it by now.",
			       domain->name, domain->move ? domain->move->host : "the other host");
	else if (!task)
		rc = error_set(e, EBADFD, "Domain '%s' is not being moved from here.",
			       domain->name);
	if (rc == 0)
		task_cancel(task);
	while (rc == 0 && !domain->gone && domain->task == task)
		if (cond_wait(&domain->changed, TASK_FOREVER))
			rc = error_set(e, ECANCELED, "Waiting for domain '%s' was cancelled.",
				       domain->name);
	if (rc == 0 && (domain->gone || domain->state == DOMAIN_HANDED_OVER))
		rc = error_set(e, EBADFD,
			       "It was too late: domain '%s' is at the other host by now.",
			       domain->name);
	domain_unref(domain);
	return rc;
}

/*
 * If xend is killed meanwhile the log stays on, which the guest feels a little, until it moves or
 * ends.
 */
static int measure_writes(struct domain *domain, uint64_t *rate, struct error **e)
{
	uint32_t domid = (uint32_t)domain->domid;
	struct hv_domain_info info;
	uint64_t begun, pages = 0;
	int rc = hv_log_dirty_start(domain_hv, domid, e);

	if (rc)
		return rc;
	begun = task_now();
	rc = task_sleep(SAMPLE_MS);
	if (rc)
		error_set(e, rc, "Measuring was cancelled.");
	else
		rc = domain_info(domain, &info, e);
	if (rc == 0)
		rc = hv_log_dirty_count(domain_hv, domid, &pages, e);
	*rate = pages * PAGE_BYTES * 1000 / (task_now() > begun ? task_now() - begun : 1);
	if (domain_info(domain, &info, NULL) == 0)
		hv_log_dirty_stop(domain_hv, domid, NULL);
	return rc;
}

static int write_rate(struct request *request, struct json_object *result, struct error **e)
{
	struct domain *domain;
	uint64_t rate = 0;
	int rc = domain_acquire(request, "write-rate", NEED_RUNS | NEED_OURS | NEED_NOT_DOM0,
				&domain, e);

	if (rc)
		return rc;
	rc = measure_writes(domain, &rate, e);
	if (rc == 0)
		json_set_int(result, XEND_MN_WRITE_RATE, (int64_t)rate);
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
	int rc = domain_lock_now(domain, operation);

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
	    { XEND_P_SSL, PARAM_BOOL, false },
	    { XEND_P_LIVE, PARAM_BOOL, false },
	    { XEND_P_CHECK, PARAM_BOOL, false },
	    { XEND_P_DOWNTIME, PARAM_INT, false },
	    { XEND_P_TIMEOUT, PARAM_INT, false },
	    { XEND_P_RATE, PARAM_INT, false },
	    { XEND_P_THROTTLE, PARAM_BOOL, false } } },
	{ XEND_M_WRITE_RATE, write_rate, { { XEND_P_DOMAIN, PARAM_DOMAIN, true } } },
	{ XEND_M_MIGRATE_CANCEL, cancel, { { XEND_P_DOMAIN, PARAM_DOMAIN, true } } },
	{ XEND_M_MIGRATE_KEEP, keep, { { XEND_P_DOMAIN, PARAM_DOMAIN, true } } },
	{ NULL },
};
