/* SPDX-License-Identifier: MIT */
/* In the loop: the backends in xenstore that are in no domain's list of devices. */
#include "xend/device/disk_strangers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xen/io/xenbus.h>

#include "lib/alloc.h"
#include "lib/str.h"
#include "xend/device/device.h"
#include "xend/device/qemu.h"
#include "xend/domain/domain.h"
#include "xend/runtime/store.h"

/*
 * Whether a backend in xenstore may have its disk open. The kernel may have the device although the
 * domain is gone, or although the device has left its domain's list. QEMU may have it while it
 * runs, whatever the nodes say. The backend of a running domain may be about to appear in the
 * kernel.
 */
static bool is_open(const char *class, unsigned int domid, bool lives, unsigned int devid)
{
	char back[DEVICE_PATH_MAX];

	if (device_kernel_has(class, (int)domid, devid) ||
	    (qemu_is_class(class) && qemu_life((int)domid) != QEMU_NONE))
		return true;
	snprintf(back, sizeof(back), "/local/domain/0/backend/%s/%u/%u", class, domid, devid);
	return lives && (store_read_number(1, 1, "%s/online", back) ||
			 store_read_number(XenbusStateReconfigured, 0, "%s/state", back) !=
				 XenbusStateClosed);
}

/*
 * Adds a backend that is in no list of devices: another toolstack made it, an attach was
 * interrupted, or its driver still holds it after its removal. "params" is "/path", or "aio:/path"
 * (format and path) for QEMU.
 */
static void add_backend(struct disk_survey *survey, const char *class, unsigned int domid,
			const struct domain *domain, bool gone, const char *devid)
{
	char *back = xasprintf("/local/domain/0/backend/%s/%u/%s", class, domid, devid);
	char *name = domain ? xstrdup(domain->name) : xasprintf("with the id %u", domid);
	char *params = store_read("%s/params", back), *mode = store_read("%s/mode", back);
	char *number = store_read("%s/physical-device", back), *vdev = store_read("%s/dev", back);
	const char *path = params ? strchr(params, '/') : NULL;
	dev_t device = disk_survey_parse_device(number);
	struct disk_use *use;

	if (path && path != params && path[-1] != ':')
		path = NULL;
	if (path || device) {
		enum disk_access access = !mode || !strchr(mode, 'w') ? DISK_READS :
					  strchr(mode, '!')	      ? DISK_SHARES :
									DISK_WRITES;

		use = disk_survey_add_guest(survey, name, vdev, path, access);
		use->start.device = device;
		if (gone)
			use->user = DISK_USER_GONE;
	}
	free(vdev);
	free(number);
	free(mode);
	free(params);
	free(name);
	free(back);
}

/* Whose the numbers are, by the hypervisor's list. */
struct owners {
	struct hv_domain_info *list;
	struct domain **domains; /* of each entry; NULL: not known */
	bool *strange;		 /* of each entry: it has a backend that is in no list */
	size_t count;
};

static void find_owners(struct owners *owners)
{
	struct domain *domain;

	/* Without an answer, no domain lives: then only what the kernel has open counts. */
	if (hv_domain_list(domain_hv, &owners->list, &owners->count, NULL))
		*owners = (struct owners){ .count = 0 };
	owners->domains = xcalloc(owners->count + 1, sizeof(struct domain *));
	owners->strange = xcalloc(owners->count + 1, sizeof(bool));
	TAILQ_FOREACH(domain, &domains, link) {
		const struct hv_domain_info *info =
			domain_find_info(domain, owners->list, owners->count);

		if (info)
			owners->domains[info - owners->list] = domain;
	}
}

/* Whether each backend of that live domain is one of its devices, as far as is known. */
static bool is_known(const struct domain *domain)
{
	return domain && domain->ours && domain->backends_known;
}

/* Both classes have been looked at: a domain without strange backends need not be until one
 * changes.
 */
static void keep_known(const struct owners *owners)
{
	for (size_t i = 0; i < owners->count; i++)
		if (owners->domains[i] && owners->domains[i]->ours)
			owners->domains[i]->backends_known = !owners->strange[i];
}

static void owners_free(struct owners *owners)
{
	free(owners->strange);
	free(owners->domains);
	free(owners->list);
}

/* Adds the backends in xenstore, except those of devices in a list. */
static void collect_backends(struct disk_survey *survey, const struct owners *owners,
			     const char *class)
{
	unsigned int nr_domains, nr_devices;
	char **names = store_list(&nr_domains, "/local/domain/0/backend/%s", class);

	for (unsigned int i = 0; i < nr_domains; i++) {
		const struct hv_domain_info *info;
		struct domain *domain;
		uint64_t domid;
		char **ids;
		bool lives;

		if (!str_to_u64(names[i], 10, 0, DOMID_FIRST_RESERVED - 1, &domid))
			continue;
		info = domain_find_number((int)domid, owners->list, owners->count);
		lives = info != NULL;
		/* The number may have been that of a dead domain of ours. */
		domain = lives ? owners->domains[info - owners->list] : domain_by_id((int)domid);
		if (lives && is_known(domain))
			continue;
		ids = store_list(&nr_devices, "/local/domain/0/backend/%s/%s", class, names[i]);
		for (unsigned int j = 0; j < nr_devices; j++) {
			uint64_t devid;

			if (!str_to_u64(ids[j], 10, 0, UINT32_MAX, &devid) ||
			    (domain && domain->ours && device_by_backend(domain, class, devid)))
				continue;
			if (lives)
				owners->strange[info - owners->list] = true;
			if (is_open(class, (unsigned int)domid, lives, (unsigned int)devid))
				add_backend(survey, class, (unsigned int)domid, domain,
					    !lives || info->dying, ids[j]);
		}
		free(ids);
	}
	free(names);
}

void disk_strangers_collect(struct disk_survey *survey)
{
	struct owners owners;

	/* What has changed must be looked at again. */
	store_catch_up();
	find_owners(&owners);
	collect_backends(survey, &owners, "vbd");
	collect_backends(survey, &owners, "qdisk");
	keep_known(&owners);
	owners_free(&owners);
}
