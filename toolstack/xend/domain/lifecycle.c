/* SPDX-License-Identifier: MIT */
/* When a domain shuts down, a task takes its lock and does what its configuration says. */
#include "xend/domain/lifecycle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <xen/sched.h>

#include "config/config.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "xend/domain/boot.h"
#include "xend/domain/corpse.h"
#include "xend/domain/domain.h"
#include "xend/domain/dump.h"
#include "xend/domain/freeze.h"
#include "xend/domain/guests.h"
#include "xend/runtime/store.h"
#include "xend/xend.h"

/* Milliseconds between two tries to handle a shutdown, and between two looks whether xend stops. */
#define RETRY_INTERVAL 10000
#define RETRY_LOOK     250

static struct {
	struct store_watch *release, *introduce;
} lifecycle;

static const char *reason_name(unsigned int reason)
{
	static const char *const names[] = { "powered off", "rebooted", "suspended itself",
					     "crashed", "was stopped by its watchdog" };

	return reason < sizeof(names) / sizeof(names[0]) ? names[reason] : "shut down";
}

static unsigned int action_for(const struct config *config, unsigned int reason)
{
	/* With the host's guests ends also one that would restart. */
	if (guests_are_stopping() && reason != SHUTDOWN_suspend)
		return CONFIG_DESTROY;
	switch (reason) {
	case SHUTDOWN_poweroff:
		return config->on_poweroff;
	case SHUTDOWN_reboot:
		return config->on_reboot;
	case SHUTDOWN_suspend:
		/*
		 * Whoever asked for a suspend handles it. This guest suspended on its own; keep it
		 * for inspection.
		 */
		return CONFIG_PRESERVE;
	case SHUTDOWN_watchdog:
		if (config_is_set(config, "on_watchdog"))
			return config->on_watchdog;
		return config->on_crash;
	default:
		return config->on_crash;
	}
}

/* Whether it may start again. If not, the domain's reason says why. */
static bool may_restart(struct domain *domain, unsigned int reason)
{
	long long up = (long long)(time(NULL) - domain->start_time);

	if (domain->reboot_asked || up >= LIFECYCLE_MIN_UPTIME || up < 0)
		return true;
	domain_set_reason(domain,
			  "it %s %lld s after its start, less than %d s, and is left down. Its "
			  "console's log may say why.",
			  reason_name(reason), up, LIFECYCLE_MIN_UPTIME);
	return false;
}

/* Each of these returns -errno if the domain is still there, and should not be. */

static int take_away(struct domain *domain)
{
	struct error *e = NULL;
	int rc = domain_tear_down(domain, &e);

	if (rc)
		log_error("%s", error_text(e));
	else
		domain_settle(domain);
	error_free(&e);
	return rc;
}

static void dump(struct domain *domain)
{
	char *path = dump_default_path(domain);
	struct error *e = NULL;

	if (dump_core(domain, path, false, NULL, &e))
		log_error("Domain %s: no core was written: %s", domain->name, error_text(e));
	else
		log_info("Domain %s: its core is in %s.", domain->name, path);
	error_free(&e);
	free(path);
}

/*
 * Restarts a domain, after a dump if that is asked for. Whether it may restart is decided before:
 * the time that the dump takes is no uptime.
 */
static int restart(struct domain *domain, unsigned int reason, bool with_dump)
{
	bool may = may_restart(domain, reason);
	bool asked = domain->reboot_asked;
	struct error *e = NULL;
	int rc = 0;

	if (with_dump)
		dump(domain);
	if (!may)
		return take_away(domain);
	domain->reboot_asked = false;
	if (domain_restart(domain, NULL, &e) && domain->domid >= 0) {
		rc = -error_errno(e);
		domain->reboot_asked = asked;
		log_error("%s", error_text(e));
	}
	error_free(&e);
	return rc;
}

static int rename_and_restart(struct domain *domain, unsigned int reason)
{
	bool asked = domain->reboot_asked;
	struct error *e = NULL;
	int rc;

	if (!may_restart(domain, reason))
		return take_away(domain);
	domain->reboot_asked = false;
	rc = corpse_keep(domain, &e);
	if (rc == 0) {
		domain_boot_again(domain, NULL, NULL);
	} else {
		domain->reboot_asked = asked;
		log_error("%s", error_text(e));
	}
	error_free(&e);
	return rc;
}

/* Nobody waits for this suspend any more. */
static int go_on(struct domain *domain)
{
	struct error *e = NULL;
	int rc = freeze_go_on(domain, &e);

	if (rc)
		log_error("Domain %s has suspended too late, and does not go on: %s", domain->name,
			  error_text(e));
	else
		log_info("Domain %s has suspended too late for its save. It goes on.",
			 domain->name);
	error_free(&e);
	domain->shutdown_handled = rc != 0;
	return rc;
}

/* again: an earlier try has written the core already. */
static int act(struct domain *domain, unsigned int reason, bool again)
{
	unsigned int action = action_for(domain->config, reason);

	if (reason == SHUTDOWN_suspend && domain->suspends_late)
		return go_on(domain);
	log_info("Domain %s (id %d) %s: %s.", domain->name, domain->domid, reason_name(reason),
		 config_action_name(action));
	switch (action) {
	case CONFIG_PRESERVE:
		return 0;
	case CONFIG_COREDUMP_RESTART:
		return restart(domain, reason, !again);
	case CONFIG_RESTART:
		return restart(domain, reason, false);
	case CONFIG_RENAME_RESTART:
		return rename_and_restart(domain, reason);
	case CONFIG_COREDUMP_DESTROY:
		if (!again)
			dump(domain);
		break;
	default:
		break;
	}
	if (reason == SHUTDOWN_crash && domain->managed)
		domain_set_reason(domain, "it crashed.");
	return take_away(domain);
}

/*
 * The domain is locked. Returns -errno if the same must be tried again later: the hypervisor does
 * not answer, or a record cannot be written.
 */
static int handle(struct domain *domain, bool again)
{
	struct hv_domain_info info;
	struct error *e = NULL;
	int rc;

	/* Another task has already stopped it. */
	if (domain->domid < 0)
		return 0;
	rc = domain_info(domain, &info, &e);
	if (rc && rc != -ESRCH)
		log_error("Domain %s: %s", domain->name, error_text(e));
	error_free(&e);
	if (rc && rc != -ESRCH)
		return rc;
	if (rc || info.dying) {
		log_info("Domain %s (id %d) was destroyed by somebody else.", domain->name,
			 domain->domid);
		return take_away(domain);
	}
	return info.shutdown ? act(domain, info.shutdown_reason, again) : 0;
}

/* Waits before the next try. False: xend stops, and the next one tries. */
static bool wait_for_retry(void)
{
	uint64_t deadline = task_deadline(RETRY_INTERVAL);

	while (!xend_is_stopping() && task_now() < deadline)
		if (task_sleep(RETRY_LOOK))
			return false;
	return !xend_is_stopping();
}

static void run(void *arg)
{
	struct domain *domain = arg;
	bool again = false;
	int rc;

	do {
		rc = domain_lock(domain, "shutdown", NULL);
		if (rc)
			break;
		rc = handle(domain, again);
		again = true;
		domain_unlock(domain);
	} while (rc && wait_for_retry());
	if (rc)
		domain->shutdown_handled = false;
	domain_unref(domain);
}

void lifecycle_observe(struct domain *domain, const struct hv_domain_info *info)
{
	bool ended = !info || info->dying || info->shutdown;

	if (!domain->ours || domain->domid < 0)
		return;
	/* Another tool may let a suspended domain go on; its next shutdown is a new one. */
	if (!ended) {
		domain->shutdown_handled = false;
		return;
	}
	/* domain_save() waits for this. */
	cond_wake(&domain->changed);
	if (domain->operation || domain->shutdown_handled || domain->gone)
		return;
	domain->shutdown_handled = true;
	if (!task_start(run, domain_ref(domain))) {
		domain->shutdown_handled = false;
		domain_unref(domain);
	}
}

void lifecycle_check(struct domain *domain)
{
	struct hv_domain_info info;
	int rc;

	if (!domain->ours || domain->domid < 0 || domain->gone)
		return;
	rc = domain_info(domain, &info, NULL);
	if (rc == 0 || rc == -ESRCH)
		lifecycle_observe(domain, rc ? NULL : &info);
}

static void on_change(void *arg)
{
	domains_refresh();
}

int lifecycle_setup(struct error **e)
{
	lifecycle.release = store_watch(on_change, NULL, "@releaseDomain");
	lifecycle.introduce = store_watch(on_change, NULL, "@introduceDomain");
	return 0;
}

void lifecycle_teardown(void)
{
	store_unwatch(lifecycle.release);
	store_unwatch(lifecycle.introduce);
}
