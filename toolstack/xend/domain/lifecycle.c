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
#include "xend/device/device.h"
#include "xend/domain/domain.h"
#include "xend/domain/dump.h"
#include "xend/domain/layout.h"
#include "xend/domain/record.h"
#include "xend/runtime/store.h"

/* The longest number of a domain. */
#define ID_DIGITS 5

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

static void restart(struct domain *domain, unsigned int reason)
{
	if (!may_restart(domain, reason)) {
		domain_tear_down(domain, NULL);
		domain_settle(domain);
		return;
	}
	domain->reboot_asked = false;
	domain_restart(domain, NULL, NULL);
}

/*
 * Keeps the dead domain for inspection, under another name and UUID. A new domain takes its place.
 */
static void rename_and_restart(struct domain *domain, unsigned int reason)
{
	struct boot boot = { .image_fd = -1 };
	struct domain *fresh;
	struct error *e = NULL;
	char *uuid;

	if (!may_restart(domain, reason)) {
		domain_tear_down(domain, NULL);
		domain_settle(domain);
		return;
	}
	fresh = domain_add("", domain->uuid);
	fresh->config = config_copy(domain->config);
	fresh->managed = domain->managed;
	fresh->ours = true;
	free(fresh->name);
	fresh->name = domain->name;

	uuid = config_random_uuid();
	uuid_from_text(uuid, domain->uuid);
	domain->name =
		xasprintf("%.*s-%d", CONFIG_NAME_MAX - ID_DIGITS - 1, fresh->name, domain->domid);
	domain->managed = false;
	config_set_text(domain->config, "uuid", uuid, NULL);
	config_set_text(domain->config, "name", domain->name, NULL);
	free(uuid);
	hv_domain_set_uuid(domain_hv, (uint32_t)domain->domid, domain->uuid, NULL);
	record_write_anyway(domain);
	if (layout_rename(domain, &e))
		log_error("%s", error_text(e));
	error_free(&e);

	if (domain_lock_now(fresh, "restart"))
		return;
	/* The new domain takes over its disks. */
	devices_stop(domain);
	devices_forget(domain);
	if (domain_boot(fresh, &boot, &e)) {
		domain_set_reason(fresh, "it could not be started again: %s", error_text(e));
		domain_settle(fresh);
	}
	error_free(&e);
	domain_unlock(fresh);
}

static void dump(struct domain *domain)
{
	char *path = dump_default_path(domain);
	struct error *e = NULL;

	if (dump_core(domain, path, NULL, &e))
		log_error("Domain %s: no core was written: %s", domain->name, error_text(e));
	else
		log_info("Domain %s: its core is in %s.", domain->name, path);
	error_free(&e);
	free(path);
}

static void act(struct domain *domain, unsigned int reason)
{
	unsigned int action = action_for(domain->config, reason);

	log_info("Domain %s (id %d) %s: %s.", domain->name, domain->domid, reason_name(reason),
		 config_action_name(action));
	switch (action) {
	case CONFIG_PRESERVE:
		return;
	case CONFIG_COREDUMP_RESTART:
		dump(domain);
		/* fall through */
	case CONFIG_RESTART:
		restart(domain, reason);
		return;
	case CONFIG_RENAME_RESTART:
		rename_and_restart(domain, reason);
		return;
	case CONFIG_COREDUMP_DESTROY:
		dump(domain);
		break;
	default:
		break;
	}
	if (reason == SHUTDOWN_crash && domain->managed)
		domain_set_reason(domain, "it crashed.");
	domain_tear_down(domain, NULL);
	domain_settle(domain);
}

static void run(void *arg)
{
	struct domain *domain = arg;
	struct hv_domain_info info;
	struct error *e = NULL;

	if (domain_lock(domain, "shutdown", NULL) == 0) {
		int rc = domain->domid < 0 ? 0 : domain_info(domain, &info, &e);

		if (domain->domid < 0) {
			/* Another task has already stopped it. */
		} else if (rc && rc != -ESRCH) {
			/* The hypervisor did not answer; the next observation tries again. */
			log_error("Domain %s: %s", domain->name, error_text(e));
			domain->shutdown_handled = false;
		} else if (rc || info.dying) {
			log_info("Domain %s (id %d) was destroyed by somebody else.", domain->name,
				 domain->domid);
			domain_tear_down(domain, NULL);
			domain_settle(domain);
		} else if (info.shutdown) {
			act(domain, info.shutdown_reason);
		}
		domain_unlock(domain);
	} else {
		domain->shutdown_handled = false;
	}
	error_free(&e);
	domain_unref(domain);
}

void lifecycle_observe(struct domain *domain, const struct hv_domain_info *info)
{
	bool ended = !info || info->dying || info->shutdown;

	if (!domain->ours || domain->domid < 0 || !ended)
		return;
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
