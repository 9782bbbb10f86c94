/* SPDX-License-Identifier: MIT */
/*
 * Recovers the domains when xend starts: applies recover_plan.h to each record, at once what needs
 * no waiting, the rest in a task.
 */
#include "xend/domain/recover.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/log.h"
#include "xend/domain/balloon.h"
#include "xend/domain/boot.h"
#include "xend/console/console.h"
#include "xend/device/device.h"
#include "xend/device/qemu_end.h"
#include "xend/device/qemu_watch.h"
#include "xend/domain/domain.h"
#include "xend/domain/layout.h"
#include "xend/domain/record.h"
#include "xend/domain/recover_plan.h"
#include "xend/runtime/request.h"
#include "xend/domain/save.h"
#include "xend/runtime/store.h"
#include "xend/runtime/task.h"
#include "xend/xend.h"

/*
 * The locks' names for domains that recovery must handle, and must start afterwards. They are
 * compared by address.
 */
static const char in_recovery[] = "recover", in_restart[] = "restart";

static struct {
	bool through;
	unsigned int done, total;
	struct cond changed;
} recovery;

/* If xenstored was restarted, missing nodes of devices mean nothing. */
static bool is_in_xenstore(const struct domain *domain)
{
	struct error *e = NULL;

	if (layout_check_known(domain, &e) == 0)
		return true;
	log_warning("%s", error_text(e));
	error_free(&e);
	return false;
}

static void adopt(struct domain *domain)
{
	struct error *e = NULL;

	if (console_attach(domain, &e))
		log_error("Domain %s goes on without its console: %s", domain->name, error_text(e));
	error_free(&e);
	qemu_adopt(domain);
	log_info("Domain %s (id %d) is adopted.", domain->name, domain->domid);
}

/*
 * Does what can be done at once. Locks the domain for recover_run if more is needed, so that no
 * request comes in between.
 */
static void match(struct domain *domain, const struct recover_plan *plan)
{
	domain->domid = plan->domid;
	if (plan->action == RECOVER_NOTHING || plan->action == RECOVER_KEEP)
		return;
	if (plan->action == RECOVER_ADOPT || plan->action == RECOVER_TAKE_BACK)
		adopt(domain);
	if (plan->action == RECOVER_ADOPT && !domain->held && !domain->half_renamed &&
	    (!is_in_xenstore(domain) || devices_agree(domain)))
		return;
	domain->operation = in_recovery;
	recovery.total++;
}

int recover_load(struct error **e)
{
	static const uint8_t none[16];
	struct hv_domain_info *list = NULL;
	struct domain *domain;
	struct timespec up;
	size_t count;
	int rc = records_load(e);

	cond_init(&recovery.changed);
	if (rc == 0)
		rc = hv_domain_list(domain_hv, &list, &count, e);
	if (rc)
		return rc;
	TAILQ_FOREACH(domain, &domains, link) {
		struct recover_plan plan = recover_decide(domain, list, count);

		match(domain, &plan);
	}
	free(list);
	domain = domain_add("Domain-0", none);
	domain->domid = 0;
	domain->state = DOMAIN_RUNNING;
	if (clock_gettime(CLOCK_BOOTTIME, &up) == 0)
		domain->start_time = time(NULL) - up.tv_sec;
	domains_refresh();
	return 0;
}

/* Removes what is left of a domain. Returns whether it must be started again. */
static bool take_away(struct domain *domain, const struct recover_plan *plan)
{
	log_info("Domain %s: what was left of it is taken away.", domain->name);
	if (domain->saving_to)
		save_remove_partial(domain);
	domain->goal = plan->goal;
	domain->earlier_boot = false;
	if (domain_tear_down(domain, NULL))
		return false;
	if (plan->action == RECOVER_RESTART)
		return true;
	domain_settle(domain);
	return false;
}

/* Ends a pause that the last xend made (struct domain, held). */
static void let_go(struct domain *domain)
{
	struct hv_domain_info info;
	struct error *e = NULL;
	int rc = domain_info(domain, &info, &e);

	if (rc == 0 && domain->held && info.paused)
		rc = hv_domain_unpause(domain_hv, (uint32_t)domain->domid, &e);
	if (rc)
		log_error("Domain %s stays paused: %s", domain->name, error_text(e));
	error_free(&e);
	domain->held = false;
}

static void rename_nodes(const struct domain *domain)
{
	struct error *e = NULL;

	if (layout_rename(domain, &e))
		log_error("%s", error_text(e));
	error_free(&e);
}

/* It runs. Removes what an interrupted step has left. */
static void tidy(struct domain *domain)
{
	/* A xenstored that was started anew does not know it by any name. */
	if (domain->half_renamed && store_exists("/local/domain/%d/vm", domain->domid))
		rename_nodes(domain);
	domain->half_renamed = false;
	if (is_in_xenstore(domain)) {
		devices_reconcile(domain);
		rename_nodes(domain);
	}
	let_go(domain);
	record_write_anyway(domain);
}

/*
 * Decides again from the hypervisor's present list: much may have happened since recover_load.
 * Returns whether the domain must be started again.
 */
static bool recover_one(struct domain *domain)
{
	struct hv_domain_info *list;
	struct recover_plan plan;
	struct error *e = NULL;
	size_t count;

	if (hv_domain_list(domain_hv, &list, &count, &e)) {
		log_error("Domain %s is left as it is: %s", domain->name, error_text(e));
		error_free(&e);
		return false;
	}
	plan = recover_decide(domain, list, count);
	free(list);
	domain->domid = plan.domid;
	if (plan.action == RECOVER_KEEP) {
		return false;
	} else if (plan.action == RECOVER_ADOPT) {
		tidy(domain);
	} else if (plan.action == RECOVER_TAKE_BACK) {
		save_take_back(domain);
	} else {
		return take_away(domain, &plan);
	}
	return false;
}

static struct domain *next_locked(const char *operation)
{
	struct domain *domain;

	TAILQ_FOREACH(domain, &domains, link)
		if (domain->operation == operation)
			return domain;
	return NULL;
}

static void take_back_all(void)
{
	struct domain *domain;

	while (!xend_is_stopping() && (domain = next_locked(in_recovery))) {
		domain_ref(domain);
		domain->task = task_current();
		if (recover_one(domain)) {
			domain->operation = in_restart;
			domain->task = NULL;
		} else {
			domain_unlock(domain);
		}
		domain_unref(domain);
		recovery.done++;
		cond_wake(&recovery.changed);
	}
}

static void restart_all(void)
{
	struct domain *domain;

	while (!xend_is_stopping() && (domain = next_locked(in_restart))) {
		domain_ref(domain);
		/* A xend that stops cancels it; the record still says that it restarts. */
		domain->task = task_current();
		domain_restart(domain, NULL, NULL);
		domain_unlock(domain);
		domain_unref(domain);
	}
}

void recover_run(void)
{
	take_back_all();
	qemu_stop_strays();
	if (!xend_is_stopping())
		balloon_recover();
	recovery.through = !xend_is_stopping();
	cond_wake(&recovery.changed);
	if (recovery.through)
		log_info("xend is through its records: %u domains needed it.", recovery.done);
	restart_all();
}

int recover_wait(struct request *asker, struct error **e)
{
	while (!recovery.through) {
		request_progress(asker, "recovery", recovery.done, recovery.total + 1);
		if (xend_is_stopping() || cond_wait(&recovery.changed, TASK_FOREVER))
			return error_set(e, ECANCELED,
					 "xend was stopped before it had taken back what was left "
					 "half done.");
	}
	return 0;
}

void recover_wake(void)
{
	cond_wake(&recovery.changed);
}
