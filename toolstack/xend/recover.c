/* SPDX-License-Identifier: MIT */
/*
 * Of each record's state, what a xend that starts does:
 *
 *	halted, suspended	nothing
 *	running, it exists	adopts it: its console is taken up again; devices that are half attached or detached go
 *	running, it is gone	takes its devices and nodes away
 *	building		destroys what there is of it; who asked for it got no answer and may ask again. One that
 *				was rebooting is started
 *	saving			removes the half-written file and lets the guest go on (or, when it did not suspend yet, leaves it alone)
 *	dying			goes on destroying it
 *
 * A managed domain is halted afterwards (or suspended, when its memory is in its file), any other one forgotten.
 */
#include "xend/recover.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/log.h"
#include "xend/boot.h"
#include "xend/bootloader.h"
#include "xend/console.h"
#include "xend/device.h"
#include "xend/domain.h"
#include "xend/record.h"
#include "xend/save.h"
#include "xend/store.h"

/* The hypervisor knows a domain by the UUID of its record; one with that id and another UUID is another one. */
static const struct hv_domain_info *find_by_uuid(const struct hv_domain_info *list, size_t count,
						 const uint8_t uuid[16])
{
	for (size_t i = 0; i < count; i++)
		if (!list[i].dying && list[i].domid && memcmp(list[i].uuid, uuid, 16) == 0)
			return &list[i];
	return NULL;
}

static void adopt(struct domain *domain)
{
	struct error *e = NULL;

	if (console_attach(domain, &e))
		log_error("Domain %s goes on without its console: %s", domain->name, error_text(e));
	error_free(&e);
	log_info("Domain %s (id %d) is adopted.", domain->name, domain->domid);
}

/* What can be done at once is done; all else is locked for recover_run, so that no request comes between. */
static void match(struct domain *domain, const struct hv_domain_info *info)
{
	if (domain->state == DOMAIN_HALTED || domain->state == DOMAIN_SUSPENDED) {
		domain->domid = -1;
		return;
	}
	if (info)
		domain->domid = (int)info->domid;
	if (domain->state == DOMAIN_RUNNING && info) {
		adopt(domain);
		if (devices_agree(domain))
			return;
	}
	if (domain->state == DOMAIN_SAVING && info)
		adopt(domain);
	domain->operation = "recover";
}

int recover_load(struct error **e)
{
	static const uint8_t none[16];
	struct hv_domain_info *list = NULL;
	struct domain *domain;
	struct timespec up;
	size_t count;
	int rc = records_load(e);

	bootloader_sweep();
	if (rc == 0)
		rc = hv_domain_list(domain_hv, &list, &count, e);
	if (rc)
		return rc;
	TAILQ_FOREACH(domain, &domains, link)
		match(domain, find_by_uuid(list, count, domain->uuid));
	free(list);
	domain = domain_add("Domain-0", none);
	domain->domid = 0;
	domain->state = DOMAIN_RUNNING;
	if (clock_gettime(CLOCK_BOOTTIME, &up) == 0)
		domain->start_time = time(NULL) - up.tv_sec;
	domains_refresh();
	return 0;
}

static void recover_one(struct domain *domain)
{
	struct hv_domain_info info;
	bool exists = domain->domid >= 0 && hv_domain_info(domain_hv, (uint32_t)domain->domid, &info, NULL) == 0 &&
		      memcmp(info.uuid, domain->uuid, 16) == 0 && !info.dying;

	if (domain->state == DOMAIN_RUNNING && exists) {
		devices_reconcile(domain);
		record_write_anyway(domain);
		return;
	}
	if (domain->state == DOMAIN_SAVING && exists) {
		save_take_back(domain);
		return;
	}
	log_info("Domain %s: what was left of it is taken away.", domain->name);
	if (domain->saving_to)
		save_remove_partial(domain);
	/* Its id may be another domain's by now: then there is nothing of it any more. */
	if (domain->domid >= 0 && !exists && hv_domain_info(domain_hv, (uint32_t)domain->domid, &info, NULL) == 0 &&
	    !info.dying)
		domain->domid = -1;
	if (domain->goal == GOAL_RESTART) {
		domain_restart(domain, NULL, NULL);
		return;
	}
	domain_stop(domain);
	domain_settle(domain);
}

void recover_run(void)
{
	struct domain *domain, *next;

	/* Only a domain without a lock leaves the list behind our back, and those are passed over. */
	for (domain = TAILQ_FIRST(&domains); domain; domain = next) {
		if (!domain->operation || strcmp(domain->operation, "recover") != 0) {
			next = TAILQ_NEXT(domain, link);
			continue;
		}
		domain_ref(domain);
		recover_one(domain);
		domain_unlock(domain);
		domain_unref(domain);
		next = TAILQ_FIRST(&domains);
	}
}
