/* SPDX-License-Identifier: MIT */
/* Ends one guest with the host: suspends it, or asks it to shut down and waits. */
#include "xend/domain/guests.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "xend/domain/acquire.h"
#include "xend/domain/boot.h"
#include "xend/domain/domain.h"
#include "xend/domain/layout.h"
#include "xend/domain/suspend.h"
#include "xend/runtime/settings.h"
#include "xend/runtime/store.h"
#include "xend/xend.h"

/* Milliseconds between looks at a guest that shuts down. */
#define INTERVAL 1000
/* Milliseconds for an operation that is given up to end. */
#define CANCEL_PATIENCE 20000

/* The host's clock since boot: it goes on while xend is down, and nobody sets it. */
static int64_t now(void)
{
	struct timespec up;

	return clock_gettime(CLOCK_BOOTTIME, &up) ? 1 : (int64_t)up.tv_sec + 1;
}

static uint64_t limit_of(const struct guest *guest)
{
	return guest->action == GUEST_SUSPEND ? settings->guests_suspend_timeout :
						settings->guests_shutdown_timeout;
}

int64_t guest_seconds_left(const struct guest *guest)
{
	int64_t left = guest->asked + (int64_t)limit_of(guest) - now();

	if (!guest->asked)
		return -1;
	return left > 0 ? left : 0;
}

static bool is_late(const struct guest *guest)
{
	return guests_plan_is_late(guest->asked, now(), limit_of(guest));
}

static int wait_for_lock(struct domain *domain, const char *operation, uint64_t deadline)
{
	int rc;

	while ((rc = domain_lock_now(domain, operation)) == -EBUSY) {
		rc = cond_wait(&domain->changed, deadline);
		if (rc)
			return rc;
	}
	return rc;
}

/*
 * Locks the domain, as domain_lock does. But an operation that somebody else has under way may not
 * hold up the end of the host: after the time that a guest has to shut down it is cancelled. If
 * that does not end it either, nothing can be done with the guest: -EBUSY.
 */
static int lock(struct domain *domain, const char *operation, struct error **e)
{
	uint64_t patience = settings->guests_shutdown_timeout;
	int rc = wait_for_lock(domain, operation, task_deadline(patience * 1000));

	if (rc == -ETIMEDOUT && domain->task) {
		log_warning("Domain %s has been busy with '%s' for %llu s, while the host's guests "
			    "end: that is given up.",
			    domain->name, domain->operation, (unsigned long long)patience);
		task_cancel(domain->task);
	}
	if (rc == -ETIMEDOUT)
		rc = wait_for_lock(domain, operation, task_deadline(CANCEL_PATIENCE));
	if (rc == -ETIMEDOUT)
		return error_set(e, EBUSY, "Domain '%s' is busy with '%s', which does not end.",
				 domain->name, domain->operation);
	if (rc == -ESRCH)
		return error_set(e, rc, "Domain '%s' does not exist.", domain->name);
	return rc ? error_set(e, rc, "'%s' of domain '%s' was cancelled.", operation,
			      domain->name) :
		    0;
}

/* A guest that cannot be suspended is shut down in place of it. */
static int suspend(struct guest *guest, struct domain *domain, struct error **e)
{
	struct error *why = NULL;
	int rc = lock(domain, "suspend", &why);

	if (rc == 0) {
		if (domain->domid >= 0)
			rc = domain_suspend(domain, true, NULL, &why);
		domain_unlock(domain);
	}
	if (rc == 0 || rc == -ESRCH || xend_is_stopping()) {
		error_free(&why);
		return rc == 0 || rc == -ESRCH ? 0 : error_set(e, ECANCELED, "xend stops.");
	}
	/* Not even a shutdown would get the lock. */
	if (rc == -EBUSY)
		return error_move(e, &why);
	log_warning("Domain %s is not suspended, so it is asked to shut down: %s", domain->name,
		    error_text(why));
	error_free(&why);
	guest->action = GUEST_SHUTDOWN;
	guest->progress = GUEST_WAITING;
	guest->asked = 0;
	return 0;
}

/* Asks it. *id becomes its number, -1 if it has ended meanwhile: then that is no error. */
static int ask(struct guest *guest, struct domain *domain, int *id, bool *paused, struct error **e)
{
	struct hv_domain_info info = { .paused = false };
	char path[64];
	int rc = lock(domain, "shutdown", e);

	*id = -1;
	if (rc == -ESRCH) {
		error_free(e);
		return 0;
	}
	if (rc)
		return rc;
	if (domain->domid > 0) {
		rc = domain_info(domain, &info, e);
		if (rc == 0)
			rc = layout_check_known(domain, e);
	}
	if (rc == 0 && domain->domid > 0) {
		*id = domain->domid;
		*paused = info.paused;
		domain->reboot_asked = false;
		snprintf(path, sizeof(path), "/local/domain/%d/control/shutdown", *id);
		rc = store_write(path, "poweroff");
		if (rc)
			error_set(e, rc, "It cannot be asked to shut down: %s: %s.", path,
				  strerror(-rc));
	}
	domain_unlock(domain);
	if (rc != -ESRCH)
		return rc;
	error_free(e);
	*id = -1;
	return 0;
}

static bool is_up(const struct domain *domain, int id)
{
	return !domain->gone && id > 0 && domain->domid == id;
}

static int destroy(struct domain *domain, int id, struct error **e)
{
	int rc = lock(domain, "destroy", e);

	if (rc == -ESRCH) {
		error_free(e);
		return 0;
	}
	if (rc)
		return rc;
	if (domain->domid == id) {
		rc = domain_tear_down(domain, e);
		domain_settle(domain);
	}
	domain_unlock(domain);
	return rc;
}

/* Its time is over, or it cannot obey. The setting guests-late decides; either way it is said. */
static int give_up(struct domain *domain, int id, const char *what, struct error **e)
{
	bool kill = settings->guests_late == XEND_GUESTS_LATE_DESTROY;
	int rc = kill ? destroy(domain, id, e) : 0;

	if (rc)
		return rc;
	log_warning("Domain %s %s; it is %s.", domain->name, what,
		    kill ? "destroyed" : "left running");
	return error_set(e, ETIMEDOUT, "It %s, and %s.", what,
			 kill ? "was destroyed" : "is left running");
}

static int shut_down(struct guest *guest, struct domain *domain, struct error **e)
{
	struct error *why = NULL;
	bool paused = false;
	char what[80];
	int id, rc = ask(guest, domain, &id, &paused, &why);

	if (rc && rc != -EBUSY && domain->domid > 0) {
		rc = give_up(domain, domain->domid, "cannot be asked to shut down", e);
		if (rc)
			error_prefix(e, "%s ", error_text(why));
	} else if (rc) {
		error_move(e, &why);
	}
	error_free(&why);
	if (rc)
		return rc;
	if (is_up(domain, id) && paused)
		return give_up(domain, id, "is paused, so it cannot shut down", e);
	while (is_up(domain, id) && !is_late(guest)) {
		rc = cond_wait(&domain->changed, task_deadline(INTERVAL));
		if (rc == -ECANCELED || xend_is_stopping())
			return error_set(e, ECANCELED, "xend stops.");
		/* A domain of another toolstack may end without waking this task. */
		if (!domain->ours)
			domains_refresh();
	}
	if (!is_up(domain, id))
		return 0;
	snprintf(what, sizeof(what), "did not shut down within %llu s",
		 (unsigned long long)limit_of(guest));
	return give_up(domain, id, what, e);
}

int guest_stop(struct guest *guest, struct error **e)
{
	struct domain *domain = domain_by_uuid(guest->uuid);
	int rc;

	if (!domain)
		return 0;
	domain_ref(domain);
	if (!guest->asked)
		guest->asked = now();
	rc = guest->action == GUEST_SUSPEND ? suspend(guest, domain, e) :
					      shut_down(guest, domain, e);
	domain_unref(domain);
	return rc;
}
