/* SPDX-License-Identifier: MIT */
/* Holds an offer against this host: names, memory, processors, disks, bridges. */
#include "xend/migrate/arrival.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "lib/alloc.h"
#include "xend/device/bridge.h"
#include "xend/device/device.h"
#include "xend/device/disk_use.h"
#include "xend/domain/balloon.h"
#include "xend/domain/domain.h"
#include "xend/domain/guests.h"
#include "xend/domain/record.h"
#include "xend/migrate/images.h"
#include "xend/migrate/names.h"
#include "xend/migrate/offer.h"
#include "xend/runtime/settings.h"

#define KB_PER_PAGE 4

/* Adds the error, if there is one, and frees it. */
static void add(struct json_object *reasons, struct error **e)
{
	if (*e)
		json_append(reasons, json_new_string(error_text(*e)));
	error_free(e);
}

static void check_names(const struct config *config, struct json_object *reasons)
{
	char *temporary = arriving_name(config->name);
	struct domain *other = domain_by_name(config->name);
	struct error *e = NULL;
	uint8_t uuid[16];

	if (other)
		error_set(&e, EEXIST, "It has a domain '%s' already.", config->name);
	add(reasons, &e);
	if (domain_by_name(temporary))
		error_set(&e, EEXIST, "It has a domain '%s' already.", temporary);
	add(reasons, &e);
	if (!uuid_from_text(config->uuid, uuid))
		error_set(&e, EBADMSG, "'%.40s' is no UUID.", config->uuid);
	else if (domain_by_uuid(uuid))
		error_set(&e, EEXIST, "Its domain '%s' has the UUID %s already.",
			  domain_by_uuid(uuid)->name, config->uuid);
	else
		record_check_free(uuid, &e);
	add(reasons, &e);
	free(temporary);
}

static void check_memory(const struct offer *offer, struct json_object *reasons)
{
	uint64_t kb = offer->size.pages * KB_PER_PAGE;
	struct error *e = NULL;

	balloon_check(kb + balloon_overhead_kb(kb, (unsigned int)config_maxvcpus(offer->config)),
		      &e);
	add(reasons, &e);
}

/* --- processors --- */

/* An empty domain that exists only while its features are set: it has no other use. */
static const uint8_t probe_uuid[16] = "xend-cpu-probe..";

/* One that a killed xend has left. */
static void remove_probes(void)
{
	struct hv_domain_info *list = NULL;
	size_t count = 0;

	if (hv_domain_list(domain_hv, &list, &count, NULL))
		return;
	for (size_t i = 0; i < count; i++)
		if (memcmp(list[i].uuid, probe_uuid, sizeof(probe_uuid)) == 0)
			hv_domain_destroy(domain_hv, list[i].domid, NULL);
	free(list);
}

/* The hypervisor alone knows which features it can give to a guest. */
static void check_processors(const struct offer *offer, struct json_object *reasons)
{
	struct hv_domain_spec spec = { .max_vcpus = 1,
				       .max_grant_frames = -1,
				       .max_maptrack_frames = -1 };
	struct error *e = NULL;
	uint32_t domid = 0; /* any that is free */

	remove_probes();
	memcpy(spec.uuid, probe_uuid, sizeof(spec.uuid));
	if (hv_domain_create(domain_hv, &spec, &domid, &e) == 0) {
		if (hv_policy_set_domain(domain_hv, domid, &offer->policy, &e))
			error_prefix(&e, "Its processors lack what the guest uses: ");
		hv_domain_destroy(domain_hv, domid, NULL);
	}
	add(reasons, &e);
}

/* --- devices --- */

static void check_disk(struct domain *domain, const struct config_disk *disk,
		       struct json_object *reasons)
{
	struct error *e = NULL;
	struct device *device;

	/* A script makes the disk, and an empty drive has none. A driver domain knows its own. */
	if (disk->script || !disk->target || strcmp(disk->backend, "0") != 0)
		return;
	device = device_new(domain, &device_vbd_ops, disk);
	disk_use_check(device, NULL, &e);
	device_free(device);
	add(reasons, &e);
}

static void check_vif(const struct config_vif *vif, struct json_object *reasons)
{
	const char *wanted = vif->bridge ? vif->bridge : settings->default_bridge;
	char *bridge = vif->script ? NULL : bridge_find(wanted);
	struct error *e = NULL;

	/* A script may take the bridge's name for something else. */
	if (!vif->script && !bridge)
		error_set(&e, ENODEV, "It has no bridge '%s' for the interface %s.", wanted,
			  vif->mac ? vif->mac : "without an address");
	free(bridge);
	add(reasons, &e);
}

static void check_devices(const struct config *config, struct json_object *reasons)
{
	/* In no list: for the disks' sentences. */
	struct domain *domain = xcalloc(1, sizeof(*domain));

	domain->refs = 1;
	domain->domid = -1;
	domain->name = xstrdup(config->name);
	TAILQ_INIT(&domain->devices);
	for (size_t i = 0; i < config->nr_disk; i++)
		check_disk(domain, &config->disk[i], reasons);
	for (size_t i = 0; i < config->nr_vif; i++)
		check_vif(&config->vif[i], reasons);
	domain_unref(domain);
}

struct json_object *arrival_reasons(const struct offer *offer)
{
	struct json_object *reasons = json_new_array();

	domains_refresh();
	if (guests_are_stopping())
		json_append(reasons,
			    json_new_string("Its guests are being stopped, with the host."));
	check_names(offer->config, reasons);
	offer_check_names(offer->config, settings, reasons);
	check_memory(offer, reasons);
	check_processors(offer, reasons);
	check_devices(offer->config, reasons);
	images_check(offer->config, reasons);
	return reasons;
}
