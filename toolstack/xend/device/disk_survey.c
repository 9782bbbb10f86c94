/* SPDX-License-Identifier: MIT */
/* In the loop: the disks that xend's own domains have or will have, and what their QEMU serves. */
#include "xend/device/disk_survey.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "lib/alloc.h"
#include "lib/str.h"
#include "xend/device/device.h"
#include "xend/device/disk_graph.h"
#include "xend/device/disk_strangers.h"
#include "xend/device/qemu.h"
#include "xend/domain/domain.h"
#include "xend/runtime/files.h"
#include "xend/runtime/store.h"

void disk_survey_free(void *arg)
{
	struct disk_survey *survey = arg;

	files_close(survey->fd);
	disk_use_list_free(&survey->uses);
	disk_chain_free(&survey->chain);
	for (size_t i = 0; i < survey->nr_below; i++)
		disk_chain_free(&survey->below[i]);
	free(survey->below);
	for (size_t i = 0; i < survey->nr_servers; i++)
		free(survey->servers[i].who);
	free(survey->servers);
	free(survey->adopted);
	error_free(&survey->e);
	free(survey->target);
	free(survey->vdev);
	free(survey->domain_name);
	free(survey);
}

enum disk_access disk_survey_access(const struct config_disk *disk)
{
	if (disk->mode == CONFIG_DISK_READ || disk->cdrom)
		return DISK_READS;
	return disk->shared ? DISK_SHARES : DISK_WRITES;
}

struct disk_use *disk_survey_add_guest(struct disk_survey *survey, const char *name,
				       const char *vdev, const char *what, enum disk_access access)
{
	struct disk_use *use = disk_use_add(&survey->uses, DISK_USER_GUEST, access);

	use->who = xstrdup(name);
	use->vdev = xstrdup(vdev);
	use->what = xstrdup(what);
	return use;
}

dev_t disk_survey_parse_device(const char *text)
{
	unsigned int high, low;
	char end;

	return text && sscanf(text, "%x:%x%c", &high, &low, &end) == 2 ? makedev(high, low) : 0;
}

/*
 * After a restart of xend, sysfs shows which device blkback has open. Until blkback has opened it,
 * xenstore shows which device it will be.
 */
static dev_t block_device_of(struct device *device)
{
	char back[DEVICE_PATH_MAX], *number;

	if (device->block_device || !domain_may_touch(device->domain))
		return device->block_device;
	number = disk_read_line("/sys/bus/xen-backend/devices/vbd-%d-%u/physical_device",
				device->domain->domid, device->devid);
	if (!number) {
		device_back_path(device, back);
		number = store_read("%s/physical-device", back);
	}
	device->block_device = disk_survey_parse_device(number);
	free(number);
	return device->block_device;
}

/*
 * A domain that will use its disks again: it reboots, its memory is in a file, or it comes from
 * another host.
 */
static bool will_return(const struct domain *domain)
{
	return domain->goal == GOAL_RESTART || domain->goal == GOAL_SUSPENDED ||
	       domain->state == DOMAIN_SUSPENDED || domain->state == DOMAIN_COMPLETE ||
	       domain->state == DOMAIN_ARRIVED;
}

static void add_returning(struct disk_survey *survey, const struct domain *domain,
			  const struct config_disk *disk)
{
	bool suspended = domain->goal != GOAL_RESTART;
	struct disk_use *use;

	/* A suspended domain needs its disk unchanged. Reading the disk is harmless. */
	use = disk_survey_add_guest(survey, domain->name, disk->vdev, disk->target,
				    suspended ? DISK_READS : disk_survey_access(disk));
	if (suspended)
		use->user = DISK_USER_SUSPENDED;
	use->format = disk->format;
}

/*
 * A disk of QEMU's that this xend has not claimed: an earlier one did. Other domains' are found by
 * what their QEMU has open, if it can be asked.
 */
static void add_earlier(struct disk_survey *survey, const struct device *other)
{
	const struct domain *domain = other->domain;
	struct disk_use *use =
		disk_survey_add_guest(survey, domain->name, other->disk.vdev, other->disk.target,
				      disk_survey_access(&other->disk));

	use->format = other->disk.format;
}

static void add_below(struct disk_survey *survey, const struct device *other)
{
	for (size_t i = 0; i < other->nr_below; i++) {
		struct disk_use *use = disk_survey_add_guest(survey, other->domain->name,
							     other->disk.vdev, NULL, DISK_READS);

		use->start = other->below[i].links->node;
	}
}

/* Has the thread find out which file is below a loop device that an earlier xend has made. */
static void add_adopted(struct disk_survey *survey, const struct device *other)
{
	survey->adopted =
		xreallocarray(survey->adopted, survey->nr_adopted + 1, sizeof(*survey->adopted));
	survey->adopted[survey->nr_adopted++] = (struct disk_adopted){
		.use = survey->uses.nr - 1,
		.domid = other->domain->domid,
		.devid = other->devid,
	};
}

/*
 * Where the chain of a disk in use begins. For a loop device of xend's own that is its file: the
 * thread need not ask the kernel, as it would for each disk of each guest.
 */
static void set_start(struct disk_survey *survey, const struct device *other, dev_t number)
{
	struct disk_use *use = &survey->uses.uses[survey->uses.nr - 1];
	bool is_file = other->claim.nr && !other->claim.links->device;

	use->start =
		number && !is_file ? (struct disk_node){ number, 0 } : other->claim.links->node;
	use->loop = is_file ? number : 0;
	if (other->claim.nr || other->disk.type != CONFIG_DISK_FILE)
		return;
	if (other->adopted_file.inode) {
		use->start = other->adopted_file;
		use->loop = number;
	} else {
		add_adopted(survey, other);
	}
}

static void add_ours(struct disk_survey *survey, const struct device *mine, struct device *other)
{
	bool is_qdisk = other->disk.type == CONFIG_DISK_QDISK;
	dev_t number = other->domain->domid >= 0 ? block_device_of(other) : 0;
	struct disk_use *use;

	if (!number && !other->claim.nr) {
		/* Not claimed yet: its own claim will check against ours. */
		if (will_return(other->domain) && other->domain != mine->domain)
			add_returning(survey, other->domain, &other->disk);
		else if (is_qdisk && other->domain->state == DOMAIN_RUNNING &&
			 (other->domain == mine->domain ||
			  qemu_life(other->domain->domid) == QEMU_UNKNOWN))
			add_earlier(survey, other);
		return;
	}
	use = disk_survey_add_guest(survey, other->domain->name, other->disk.vdev,
				    other->disk.target, disk_survey_access(&other->disk));
	set_start(survey, other, number);
	use->makes_loop = !number && !is_qdisk;
	add_below(survey, other);
}

/* Notes a QEMU, whose open files the thread looks at. */
static void add_server(struct disk_survey *survey, int domid)
{
	struct qemu_process process;
	struct disk_server *server;
	struct domain *domain;
	uint8_t uuid[16];

	if (qemu_process_find(domid, &process) == QEMU_RUNS) {
		survey->servers = xreallocarray(survey->servers, survey->nr_servers + 1,
						sizeof(*survey->servers));
		server = &survey->servers[survey->nr_servers++];
		domain = uuid_from_text(process.uuid, uuid) ? domain_by_uuid(uuid) : NULL;
		server->pid = process.pid;
		server->who = domain ? xstrdup(domain->name) : xasprintf("with the id %d", domid);
		/* One of a domain that has another number since then, or none. */
		server->user = domain && domain->domid == domid ? DISK_USER_GUEST : DISK_USER_GONE;
	}
	qemu_process_close(&process);
}

/*
 * The domain's own, too: a disk that was detached is in no list, but QEMU may not have closed it.
 */
static void collect_servers(struct disk_survey *survey)
{
	DIR *directory = opendir(QEMU_RUN);
	struct dirent *entry;
	uint64_t domid;

	while (directory && (entry = readdir(directory))) {
		char *dot = strchr(entry->d_name, '.');

		if (!dot || strcmp(dot, ".pid") != 0)
			continue;
		*dot = '\0';
		if (str_to_u64(entry->d_name, 10, 1, DOMID_FIRST_RESERVED - 1, &domid))
			add_server(survey, (int)domid);
	}
	if (directory)
		closedir(directory);
}

bool disk_survey_counts(const struct device *device)
{
	return device->ops == &device_vbd_ops && !device->host &&
	       strcmp(device_backend_name(device), "0") == 0;
}

static void collect_ours(struct disk_survey *survey, const struct device *mine,
			 const struct device *instead)
{
	struct domain *domain;
	struct device *other;

	TAILQ_FOREACH(domain, &domains, link) {
		if (!domain->ours)
			continue;
		TAILQ_FOREACH(other, &domain->devices, link) {
			size_t before = survey->uses.nr;

			if (other == mine || !disk_survey_counts(other))
				continue;
			add_ours(survey, mine, other);
			for (size_t i = before; other == instead && i < survey->uses.nr; i++)
				survey->uses.uses[i].exempt = true;
		}
		if (domain != mine->domain && TAILQ_EMPTY(&domain->devices) && domain->config &&
		    will_return(domain))
			for (size_t i = 0; i < domain->config->nr_disk; i++)
				if (strcmp(domain->config->disk[i].backend, "0") == 0)
					add_returning(survey, domain, &domain->config->disk[i]);
	}
}

struct disk_survey *disk_survey_begin(const struct device *device, const struct device *instead)
{
	struct disk_survey *survey = xcalloc(1, sizeof(*survey));

	survey->fd = -1;
	survey->target = xstrdup(device->served ? device->served : device->disk.target);
	survey->vdev = xstrdup(device->disk.vdev);
	survey->domain_name = xstrdup(device->domain->name);
	/* w! and r! are never refused. */
	survey->access = device->disk.shared ? DISK_SHARES : disk_survey_access(&device->disk);
	survey->trial = instead != NULL;
	survey->format = device->disk.format;
	if (survey->access != DISK_SHARES) {
		collect_ours(survey, device, instead);
		disk_strangers_collect(survey);
		collect_servers(survey);
	}
	return survey;
}
