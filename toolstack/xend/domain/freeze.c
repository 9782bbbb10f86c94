/* SPDX-License-Identifier: MIT */
/* Has a guest suspend itself, by its node control/shutdown, and lets it go on in place. */
#include "xend/domain/freeze.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xen/sched.h>

#include "xend/domain/domain.h"
#include "xend/domain/live.h"
#include "xend/domain/record.h"
#include "xend/domain/resume.h"
#include "xend/runtime/store.h"

/* Milliseconds for a guest to suspend. */
#define SUSPEND_PATIENCE 60000
/* What control/shutdown says; the guest writes an empty value once it has taken the request. */
#define REQUEST "suspend"

/* A paused guest would not even see the request. */
int freeze_check(const struct domain *domain, struct error **e)
{
	struct hv_domain_info info;
	int rc = domain_info(domain, &info, e);

	if (rc == 0 && info.paused && !info.shutdown)
		rc = error_set(e, EBADFD,
			       "Domain '%s' is paused, so it cannot suspend: let it go on first, "
			       "with `xm unpause %s'.",
			       domain->name, domain->name);
	return rc;
}

static int check_suspended(struct domain *domain, bool *suspended, struct error **e)
{
	struct hv_domain_info info;
	int rc = domain_info(domain, &info, e);

	if (rc)
		return rc;
	*suspended = info.shutdown && info.shutdown_reason == SHUTDOWN_suspend;
	if (info.shutdown && !*suspended)
		return error_set(e, EBADFD, "Domain '%s' shut down in place of suspending.",
				 domain->name);
	return 0;
}

static void ask(struct domain *domain, const char *what)
{
	struct hv_domain_info info;
	char path[64];

	snprintf(path, sizeof(path), "/local/domain/%d/control/shutdown", domain->domid);
	if (domain_info(domain, &info, NULL) == 0)
		store_write(path, "%s", what);
}

/*
 * Takes the request back. A guest that has taken it already will suspend some time, and then nobody
 * waits for it: the record must say so, for this xend and the next.
 */
static void withdraw(struct domain *domain)
{
	struct hv_domain_info info;
	char path[64], *was;

	snprintf(path, sizeof(path), "/local/domain/%d/control/shutdown", domain->domid);
	if (domain_info(domain, &info, NULL))
		return;
	was = store_exchange(path, "");
	domain->suspends_late = !was || strcmp(was, REQUEST) != 0;
	free(was);
}

int freeze_domain(struct domain *domain, struct error **e)
{
	uint64_t deadline = task_deadline(SUSPEND_PATIENCE);
	bool suspended;
	int rc;

	domain->suspends_late = false;
	ask(domain, REQUEST);
	for (;;) {
		rc = check_suspended(domain, &suspended, e);
		if (rc || suspended)
			return rc;
		rc = cond_wait(&domain->changed, deadline);
		if (rc == -ETIMEDOUT)
			return error_set(e, ETIMEDOUT,
					 "Domain '%s' did not suspend within %d s. It runs on.",
					 domain->name, SUSPEND_PATIENCE / 1000);
		if (rc)
			return error_set(e, rc, "Suspending domain '%s' was cancelled.",
					 domain->name);
	}
}

int freeze_go_on(struct domain *domain, struct error **e)
{
	uint32_t domid = (uint32_t)domain->domid;
	int rc;

	ask(domain, "");
	if (domain->resumes_afresh) {
		rc = resume_afresh(domain, e);
	} else {
		/* Its suspend hypercall returns that the suspend was cancelled. */
		store_resume(domid);
		rc = hv_domain_cancel_suspend(domain_hv, domid, e);
	}
	/* It may shut down again before anybody has seen it run. */
	if (rc == 0)
		domain->shutdown_handled = false;
	if (rc == 0 && domain->suspends_late) {
		domain->suspends_late = false;
		record_write_anyway(domain);
	}
	return rc;
}

int freeze_end(struct domain *domain, struct error **e)
{
	bool suspended = false;
	int rc;

	live_end(domain);
	rc = check_suspended(domain, &suspended, e);
	if (rc == 0 && suspended)
		rc = freeze_go_on(domain, e);
	else if (rc == 0)
		withdraw(domain);
	domain_set_state(domain, DOMAIN_RUNNING);
	return rc;
}
