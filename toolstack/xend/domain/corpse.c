/* SPDX-License-Identifier: MIT */
/*
 * Keeps a dead domain under another name. xend may be killed after each step; the next one does
 * this:
 *
 *	1. the domain's record says "dying", to be started	destroys and starts it
 *	2. the corpse has a record				forgets that; then as above: the
 *								UUID is still the old one
 *	3. the corpse has its UUID				gives its nodes the new name, takes
 *								its devices away, and starts the
 *								domain
 */
#include "xend/domain/corpse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/str.h"
#include "xend/console/console.h"
#include "xend/device/device.h"
#include "xend/device/qemu_end.h"
#include "xend/domain/domain.h"
#include "xend/domain/layout.h"
#include "xend/domain/record.h"

/* The longest number of a domain. */
#define ID_DIGITS 5

/* NAME-ID; NAME-ID-2 and so on if somebody has that name. The caller frees it. */
static char *choose_name(const struct domain *domain)
{
	char end[2 * ID_DIGITS + 4];
	char *name = NULL;
	size_t most;

	for (unsigned int i = 1; !name || domain_by_name(name); i++) {
		free(name);
		if (i == 1)
			snprintf(end, sizeof(end), "-%d", domain->domid);
		else
			snprintf(end, sizeof(end), "-%d-%u", domain->domid, i);
		most = str_utf8_fitting(domain->name, CONFIG_NAME_MAX - strlen(end));
		name = xasprintf("%.*s%s", (int)most, domain->name, end);
	}
	return name;
}

/* Adds the corpse to the list, locked. Whatever its guest does, nobody starts it again. */
static struct domain *add(const struct domain *domain)
{
	static const char *const ends[] = { "on_poweroff", "on_reboot", "on_crash", "on_watchdog" };
	char *uuid_text = config_random_uuid();
	struct domain *corpse;
	uint8_t uuid[16];
	char *name;

	uuid_from_text(uuid_text, uuid);
	name = choose_name(domain);
	corpse = domain_add(name, uuid);
	corpse->ours = true;
	corpse->state = DOMAIN_RUNNING;
	corpse->domid = domain->domid;
	corpse->start_time = domain->start_time;
	corpse->shutdown_handled = true;
	corpse->half_renamed = true;
	corpse->config = config_copy(domain->config);
	config_set_text(corpse->config, "uuid", uuid_text, NULL);
	config_set_text(corpse->config, "name", name, NULL);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		config_set_text(corpse->config, ends[i], "preserve", NULL);
	domain_lock_now(corpse, "rename");
	free(name);
	free(uuid_text);
	return corpse;
}

/* Moves what belongs to the number. */
static void take_over(struct domain *corpse, struct domain *domain)
{
	struct device *device;

	corpse->store_mfn = domain->store_mfn;
	corpse->store_port = domain->store_port;
	corpse->console_mfn = domain->console_mfn;
	corpse->console_port = domain->console_port;
	domain->store_mfn = domain->console_mfn = 0;
	domain->store_port = domain->console_port = 0;
	domain->domid = -1;
	console_move(domain, corpse);
	TAILQ_CONCAT(&corpse->devices, &domain->devices, link);
	TAILQ_FOREACH(device, &corpse->devices, link)
		device->domain = corpse;
}

static int rename_it(struct domain *domain, struct domain *corpse, struct error **e)
{
	struct hv_domain_info info;
	int rc = record_write(corpse, e);

	if (rc == 0)
		rc = domain_info(domain, &info, e);
	if (rc == 0)
		rc = hv_domain_set_uuid(domain_hv, (uint32_t)domain->domid, corpse->uuid, e);
	return rc;
}

int corpse_keep(struct domain *domain, struct error **e)
{
	struct error *why = NULL;
	struct domain *corpse;
	int rc;

	domain->goal = GOAL_RESTART;
	domain_set_state(domain, DOMAIN_DYING);
	rc = record_write(domain, e);
	if (rc == 0) {
		/* Its QEMU is known by the UUID, which the domain is about to lose. */
		if (!qemu_stop(domain))
			rc = error_set(e, EBUSY, "its QEMU does not end.");
	}
	if (rc == 0) {
		corpse = domain_ref(add(domain));
		rc = rename_it(domain, corpse, e);
		if (rc) {
			record_remove_anyway(corpse);
			domain_remove(corpse);
			domain_unref(corpse);
		}
	}
	if (rc) {
		domain->goal = GOAL_REST;
		domain_set_state(domain, DOMAIN_RUNNING);
		record_write_anyway(domain);
		error_prefix(e, "Domain '%s' is not kept under another name: ", domain->name);
		return rc;
	}
	take_over(corpse, domain);
	if (layout_rename(corpse, &why))
		log_error("%s", error_text(why));
	error_free(&why);
	/* The domain that starts takes over its disks. */
	devices_stop(corpse);
	devices_forget(corpse);
	corpse->half_renamed = false;
	record_write_anyway(corpse);
	domain_unlock(corpse);
	domain_unref(corpse);
	return 0;
}
