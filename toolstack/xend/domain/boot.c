/* SPDX-License-Identifier: MIT */
/*
 * Boots a domain, by a list of steps. When one fails, domain_tear_down undoes all of them, the same
 * way that a domain is destroyed.
 */
#include "xend/domain/boot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "config/domain_size.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "xend/domain/affinity.h"
#include "xend/domain/balloon.h"
#include "xend/console/console.h"
#include "xend/domain/destroy.h"
#include "xend/device/device.h"
#include "xend/device/driver_domain.h"
#include "xend/domain/domain.h"
#include "xend/domain/fill.h"
#include "xend/domain/guests.h"
#include "xend/domain/layout.h"
#include "xend/domain/record.h"
#include "xend/domain/recover.h"
#include "xend/runtime/request.h"
#include "xend/domain/screen.h"
#include "xend/runtime/store.h"
#include "xend/xend.h"

/* For a domain that reboots: tries until a disk is free, and milliseconds between them. */
#define DISK_TRIES    12
#define DISK_INTERVAL 5000

static int create_empty(struct domain *domain, struct error **e)
{
	const struct config *config = domain->config;
	struct hv_domain_spec spec = {
		.max_vcpus = (unsigned int)config_maxvcpus(config),
		.max_evtchn_port = config_is_set(config, "max_event_channels") ?
					   (unsigned int)config->max_event_channels :
					   0,
		.max_grant_frames = config_is_set(config, "max_grant_frames") ?
					    (int)config->max_grant_frames :
					    -1,
		.max_maptrack_frames = config_is_set(config, "max_maptrack_frames") ?
					       (int)config->max_maptrack_frames :
					       -1,
	};
	struct hv_domain_info info;
	uint32_t domid = 0;
	int rc;

	rc = domain_check_alone(domain, e);
	if (rc)
		return rc;
	memcpy(spec.uuid, domain->uuid, sizeof(spec.uuid));
	domain->domid = -1;
	domain->earlier_boot = false;
	domain->start_time = time(NULL);
	domain_set_reason(domain, NULL);
	domain->suspends_late = false;
	domain_set_state(domain, DOMAIN_BUILDING);
	/* Write the record first: its UUID tells a later xend whose domain has appeared. */
	rc = record_write(domain, e);
	/* Somebody may have made another one meanwhile. */
	if (rc == 0)
		rc = domain_check_alone(domain, e);
	if (rc == 0)
		rc = hv_domain_create(domain_hv, &spec, &domid, e);
	if (rc)
		return rc;
	domain->domid = (int)domid;
	domain->shutdown_handled = false;
	rc = record_write(domain, e);
	return rc ? rc : domain_info(domain, &info, e);
}

int boot_put_devices(struct domain *domain, struct store_batch *batch, struct error **e)
{
	struct hv_domain_info info;
	int rc;

	if (devices_have_scripts(domain)) {
		rc = store_commit_unseen(batch, e);
		if (rc)
			return rc;
		batch = store_begin();
	}
	rc = devices_prepare(domain, batch, e);
	if (rc == 0)
		rc = screen_put(domain, batch, e);
	if (rc == 0)
		return store_commit_unseen(batch, e);
	/* The nodes tell domain_tear_down what there is to undo, if the number is still its own. */
	if (domain_info(domain, &info, NULL) == 0)
		store_commit_unseen(batch, NULL);
	else
		store_discard(batch);
	return rc;
}

static int put_nodes(struct domain *domain, const struct domain_size *size, struct error **e)
{
	struct store_batch *batch = store_begin();

	layout_put(domain, size, batch);
	return boot_put_devices(domain, batch, e);
}

static int set_share(struct domain *domain, struct error **e)
{
	const struct config *config = domain->config;
	struct hv_credit credit;
	int rc;

	if (!config_is_set(config, "cpu_weight") && !config_is_set(config, "cpu_cap"))
		return 0;
	rc = hv_sched_get(domain_hv, (uint32_t)domain->domid, &credit, e);
	if (rc)
		return rc;
	if (config_is_set(config, "cpu_weight"))
		credit.weight = (unsigned int)config->cpu_weight;
	if (config_is_set(config, "cpu_cap"))
		credit.cap = (unsigned int)config->cpu_cap;
	return hv_sched_set(domain_hv, (uint32_t)domain->domid, &credit, e);
}

static int introduce(struct domain *domain, struct error **e)
{
	int rc = layout_write_channels(domain, e);

	if (rc == 0)
		rc = store_introduce((unsigned int)domain->domid, domain->store_mfn,
				     domain->store_port, e);
	return rc;
}

/*
 * The record says "running" before the guest runs: a xend that found "building" would take the
 * guest away, which may have written to its disks by then. It also says that the pause is xend's:
 * the next xend ends it.
 *
 * Clears the goal only if every step worked: a domain whose resume fails here is still suspended.
 */
static int set_running(struct domain *domain, bool paused, struct error **e)
{
	enum domain_goal goal = domain->goal;
	bool with_host = domain->with_host;
	struct hv_domain_info info;
	int rc;

	domain_set_state(domain, DOMAIN_RUNNING);
	domain->goal = GOAL_REST;
	domain->held = !paused;
	domain->with_host = false;
	rc = record_write(domain, e);
	if (rc)
		domain_set_state(domain, DOMAIN_BUILDING);
	if (rc == 0)
		rc = domain_info(domain, &info, e);
	if (rc == 0 && !paused)
		rc = hv_domain_unpause(domain_hv, (uint32_t)domain->domid, e);
	domain->held = false;
	domain->with_host = rc && with_host;
	if (rc)
		domain->goal = goal;
	else if (!paused)
		record_write_anyway(domain);
	return rc;
}

/* Backends, channels and the console; then it runs. */
static int begin(struct domain *domain, bool paused, struct request *asker, struct error **e)
{
	struct hv_domain_info info;
	int rc = devices_complete(domain, e);

	if (rc == 0)
		rc = domain_info(domain, &info, e);
	if (rc == 0)
		rc = screen_start(domain, asker, e);
	if (rc == 0)
		rc = domain_info(domain, &info, e);
	if (rc == 0)
		rc = introduce(domain, e);
	if (rc == 0)
		rc = console_attach(domain, e);
	if (rc == 0)
		rc = set_running(domain, paused, e);
	return rc;
}

/* On which CPUs it runs, and how much of them it gets. */
static int place(struct domain *domain, struct error **e)
{
	/*
	 * Check after each wait: if somebody has destroyed the domain, its number is no longer its
	 * own.
	 */
	struct hv_domain_info info;
	int rc = domain_info(domain, &info, e);

	if (rc == 0)
		rc = affinity_apply(domain, e);
	return rc ? rc : set_share(domain, e);
}

static int boot_steps(struct domain *domain, const struct boot *boot, struct balloon_loan *loan,
		      struct error **e)
{
	struct domain_size size;
	int rc = create_empty(domain, e);

	if (boot->size)
		size = *boot->size;
	else
		domain_size_of_config(&size, domain->config);
	if (rc == 0)
		rc = devices_from_config(domain, e);
	if (rc == 0)
		rc = put_nodes(domain, &size, e);
	if (rc == 0)
		rc = fill_domain(domain, boot, &size, loan, e);
	if (rc == 0)
		rc = place(domain, e);
	if (rc == 0)
		request_progress(boot->asker, "devices", 0, 0);
	return rc ? rc : begin(domain, boot->paused, boot->asker, e);
}

static int receive_steps(struct domain *domain, const struct boot *boot, struct balloon_loan *loan,
			 struct error **e)
{
	int rc = create_empty(domain, e);

	/* Others leave its disks alone from now on. */
	if (rc == 0)
		rc = devices_from_config(domain, e);
	if (rc == 0)
		rc = fill_domain(domain, boot, boot->size, loan, e);
	return rc ? rc : place(domain, e);
}

static int boot(struct domain *domain, const struct boot *boot,
		int (*steps)(struct domain *domain, const struct boot *boot,
			     struct balloon_loan *loan, struct error **e),
		struct error **e)
{
	struct balloon_loan loan = { 0 };
	/*
	 * Recovery first frees what half-dead domains hold (a disk, a name, memory). The wait is
	 * here because lifecycle.c boots domains, too.
	 */
	int rc = recover_wait(boot->asker, e);

	if (rc == 0)
		rc = guests_allow_boot(domain, e);
	if (rc)
		return rc;
	devices_forget(domain);
	rc = steps(domain, boot, &loan, e);
	if (rc) {
		log_error("Domain %s does not start: %s", domain->name,
			  e ? error_text(*e) : strerror(-rc));
		if (domain->domid >= 0)
			domain_tear_down(domain, NULL);
		balloon_give_back(&loan);
		return rc;
	}
	balloon_keep(&loan);
	return 0;
}

int domain_boot(struct domain *domain, const struct boot *order, struct error **e)
{
	int rc = boot(domain, order, boot_steps, e);

	if (rc == 0)
		log_info("Domain %s runs with id %d.", domain->name, domain->domid);
	return rc;
}

int domain_boot_receive(struct domain *domain, const struct boot *order, struct error **e)
{
	return boot(domain, order, receive_steps, e);
}

/* Takes the devices and nodes away again; its memory stays. */
static void unbegin(struct domain *domain)
{
	console_detach(domain);
	devices_stop(domain);
	if (domain_may_touch(domain))
		store_release((unsigned int)domain->domid);
	layout_remove(domain);
	devices_forget(domain);
	devices_from_config(domain, NULL);
}

int domain_boot_begin(struct domain *domain, const struct domain_size *size, struct error **e)
{
	enum domain_state before = domain->state;
	struct error *why = NULL;
	int rc;

	/* A xend that was killed here may have left some of them. */
	unbegin(domain);
	domain_set_reason(domain, NULL);
	rc = put_nodes(domain, size, &why);
	if (rc == 0)
		rc = begin(domain, false, NULL, &why);
	if (rc == 0) {
		log_info("Domain %s runs with id %d; it came from another host.", domain->name,
			 domain->domid);
		return 0;
	}
	unbegin(domain);
	domain_set_state(domain, before);
	domain_set_reason(domain, "it came from another host, and does not start here: %s",
			  error_text(why));
	return error_move(e, &why);
}

static void close_devices(struct domain *domain)
{
	struct hv_domain_info info;

	if (domain_info(domain, &info, NULL) == 0)
		hv_domain_pause(domain_hv, (uint32_t)domain->domid, NULL);
	console_detach(domain);
	devices_stop(domain);
}

/*
 * Removes the domain, its devices and its nodes. Each step checks that the number is the domain's:
 * another domain may have it from the start, or get it in a wait.
 */
static int take_apart(struct domain *domain, struct error **e)
{
	struct error *why = NULL;
	int rc;

	close_devices(domain);
	rc = destroy_and_wait((uint32_t)domain->domid, domain->uuid, &why);
	if (rc && rc != -ESRCH) {
		log_error("Domain %s is not destroyed: %s", domain->name, error_text(why));
		return error_move(e, &why);
	}
	error_free(&why);
	if (domain_may_touch(domain))
		store_release((unsigned int)domain->domid);
	layout_remove(domain);
	log_info("Domain %s (id %d) is gone.", domain->name, domain->domid);
	return 0;
}

/*
 * Whether the domain may go only after its record says so. It need not say so of a domain that has
 * ended by itself, and that nobody starts again: the hypervisor tells the next xend the same.
 */
static bool needs_record(const struct domain *domain, const struct hv_domain_info *info)
{
	return !info->dying &&
	       (domain->state == DOMAIN_RUNNING || domain->state == DOMAIN_SAVING ||
		domain->state == DOMAIN_HANDED_OVER) &&
	       (!info->shutdown || domain->goal != GOAL_REST);
}

/* Has the record say "dying". After an error the domain is as it was. */
static int announce_end(struct domain *domain, bool vital, struct error **e)
{
	enum domain_state before = domain->state;
	int rc;

	domain_set_state(domain, DOMAIN_DYING);
	if (!domain->ours)
		return 0;
	if (!vital) {
		record_write_anyway(domain);
		return 0;
	}
	rc = record_write(domain, e);
	if (rc) {
		domain_set_state(domain, before);
		error_prefix(e, "Domain '%s' is left as it is: ", domain->name);
	}
	return rc;
}

/* A hypervisor that does not answer has not said that the domain is gone. */
static int start_end(struct domain *domain, struct error **e)
{
	enum domain_number whose;
	struct hv_domain_info info;
	int rc = domain_number(domain, &whose, &info, e);

	driver_domain_warn(domain);
	return rc ? rc :
		    announce_end(domain, whose == NUMBER_OWN && needs_record(domain, &info), e);
}

int domain_close(struct domain *domain, struct error **e)
{
	bool before = task_shield(true);
	int rc = start_end(domain, e);

	if (rc == 0 && domain->domid >= 0)
		close_devices(domain);
	task_shield(before);
	return rc;
}

int domain_tear_down(struct domain *domain, struct error **e)
{
	bool before = task_shield(true);
	int rc = start_end(domain, e);

	if (rc == 0 && domain->domid >= 0)
		rc = take_apart(domain, e);
	if (rc == 0) {
		devices_forget(domain);
		domain->domid = -1;
		domain->store_mfn = domain->console_mfn = 0;
		domain->store_port = domain->console_port = 0;
	}
	task_shield(before);
	return rc;
}

int domain_boot_again(struct domain *domain, struct request *asker, struct error **e)
{
	struct boot boot = { .image_fd = -1, .asker = asker };
	struct error *why = NULL;
	int rc = domain_boot(domain, &boot, &why);

	/* The driver of the domain's old backend may hold a disk until its writes are through. */
	for (int i = 0; rc == -EADDRINUSE && i < DISK_TRIES; i++) {
		if (task_sleep(DISK_INTERVAL))
			rc = error_set(&why, ECANCELED, "Waiting for a disk was cancelled.");
		else
			rc = domain_boot(domain, &boot, &why);
	}
	if (rc == -ECANCELED && xend_is_stopping()) {
		record_write_anyway(domain);
	} else if (rc) {
		domain->goal = GOAL_REST;
		domain_set_reason(domain, "it could not be started again: %s", error_text(why));
		domain_settle(domain);
	}
	error_move(e, &why);
	return rc;
}

int domain_restart(struct domain *domain, struct request *asker, struct error **e)
{
	int rc;

	domain->goal = GOAL_RESTART;
	rc = domain_tear_down(domain, e);
	if (rc == 0)
		return domain_boot_again(domain, asker, e);
	if (domain->state != DOMAIN_DYING)
		domain->goal = GOAL_REST;
	return rc;
}

void domain_settle(struct domain *domain)
{
	if (domain->domid >= 0)
		return;
	/* Its record stays until the other host knows. */
	if (domain->goal == GOAL_MOVED)
		return;
	/* Domains of other toolstacks have no record. */
	if (!domain->ours) {
		domain_remove(domain);
		return;
	}
	/* The host's end suspends domains that are not managed, too. */
	if (domain->managed || domain->reason || domain->goal == GOAL_SUSPENDED) {
		domain_set_state(domain,
				 domain->goal == GOAL_SUSPENDED ? DOMAIN_SUSPENDED : DOMAIN_HALTED);
		domain->goal = GOAL_REST;
		record_write_anyway(domain);
		return;
	}
	record_remove_anyway(domain);
	domain_remove(domain);
}
