/* SPDX-License-Identifier: MIT */
/*
 * Claims of disks, so that none has two writers. A claim takes three steps. The loop collects the
 * disks of all domains. A thread finds out what they are, and how Domain-0 uses them. Back in the
 * loop, the result is compared with the claims that other tasks have made in the meantime.
 */
#include "xend/device/disk_use.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include <xen/io/xenbus.h>

#include "config/config.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include "xend/device/device.h"
#include "xend/device/disk_ask.h"
#include "xend/device/disk_host.h"
#include "xend/device/disk_image.h"
#include "xend/device/disk_qemu.h"
#include "xend/device/qemu.h"
#include "xend/domain/domain.h"
#include "xend/runtime/offload.h"
#include "xend/runtime/files.h"
#include "xend/runtime/store.h"

/* Milliseconds for all files and devices to answer. */
#define PATIENCE 30000
/* Milliseconds for an unused loop device to disappear, and between two checks. */
#define LOOP_PATIENCE 2000
#define LOOP_INTERVAL 20

/* A disk of an earlier xend's, whose file the thread finds out. */
struct adopted {
	size_t use;
	int domid;
	unsigned int devid;
};

/* The thread's data; nobody else touches it while the thread runs. */
struct survey {
	char *target, *vdev, *domain_name;
	enum disk_access access;
	enum config_disk_format format;
	struct disk_server *servers; /* each QEMU that xend has started */
	size_t nr_servers;
	struct adopted *adopted;
	size_t nr_adopted;
	bool trial; /* a check only: the domain still has the disk that it will give back */
	struct disk_use_list uses;
	/* the results */
	int fd;
	dev_t block_device;
	struct disk_chain chain;
	struct disk_chain *below; /* of the images that it lies on */
	size_t nr_below;
	struct error *e;
};

static void survey_free(void *arg)
{
	struct survey *survey = arg;

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

static enum disk_access access_of(const struct config_disk *disk)
{
	if (disk->mode == CONFIG_DISK_READ || disk->cdrom)
		return DISK_READS;
	return disk->shared ? DISK_SHARES : DISK_WRITES;
}

/* --- in the loop: whose disks there are --- */

static struct disk_use *add_guest(struct survey *survey, const char *name, const char *vdev,
				  const char *what, enum disk_access access)
{
	struct disk_use *use = disk_use_add(&survey->uses, DISK_USER_GUEST, access);

	use->who = xstrdup(name);
	use->vdev = xstrdup(vdev);
	use->what = xstrdup(what);
	return use;
}

static dev_t parse_physical_device(const char *text)
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
	device->block_device = parse_physical_device(number);
	free(number);
	return device->block_device;
}

/* A domain that will use its disks again: it reboots, or its memory is in a file. */
static bool will_return(const struct domain *domain)
{
	return domain->goal != GOAL_REST || domain->state == DOMAIN_SUSPENDED;
}

static void add_returning(struct survey *survey, const struct domain *domain,
			  const struct config_disk *disk)
{
	bool suspended = domain->goal != GOAL_RESTART;
	struct disk_use *use;

	/* A suspended domain needs its disk unchanged. Reading the disk is harmless. */
	use = add_guest(survey, domain->name, disk->vdev, disk->target,
			suspended ? DISK_READS : access_of(disk));
	if (suspended)
		use->user = DISK_USER_SUSPENDED;
	use->format = disk->format;
}

/*
 * A disk of QEMU's that this xend has not claimed: an earlier one did. Other domains' are found by
 * what their QEMU has open, if it can be asked.
 */
static void add_earlier(struct survey *survey, const struct device *other)
{
	const struct domain *domain = other->domain;
	struct disk_use *use = add_guest(survey, domain->name, other->disk.vdev, other->disk.target,
					 access_of(&other->disk));

	use->format = other->disk.format;
}

static void add_below(struct survey *survey, const struct device *other)
{
	for (size_t i = 0; i < other->nr_below; i++) {
		struct disk_use *use =
			add_guest(survey, other->domain->name, other->disk.vdev, NULL, DISK_READS);

		use->start = other->below[i].links->node;
	}
}

/* Has the thread find out which file is below a loop device that an earlier xend has made. */
static void add_adopted(struct survey *survey, const struct device *other)
{
	survey->adopted =
		xreallocarray(survey->adopted, survey->nr_adopted + 1, sizeof(*survey->adopted));
	survey->adopted[survey->nr_adopted++] = (struct adopted){
		.use = survey->uses.nr - 1,
		.domid = other->domain->domid,
		.devid = other->devid,
	};
}

/*
 * Where the chain of a disk in use begins. For a loop device of xend's own that is its file: the
 * thread need not ask the kernel, as it would for each disk of each guest.
 */
static void set_start(struct survey *survey, const struct device *other, dev_t number)
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

static void add_ours(struct survey *survey, const struct device *mine, struct device *other)
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
	use = add_guest(survey, other->domain->name, other->disk.vdev, other->disk.target,
			access_of(&other->disk));
	set_start(survey, other, number);
	use->makes_loop = !number && !is_qdisk;
	add_below(survey, other);
}

/* Notes a QEMU, whose open files the thread looks at. */
static void add_server(struct survey *survey, int domid)
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
static void collect_servers(struct survey *survey)
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

/* Whether it is a disk that Domain-0 serves. Another domain's disks are unknown here. */
static bool is_of_domain0(const struct device *device)
{
	return device->ops == &device_vbd_ops && !device->host &&
	       strcmp(device_backend_name(device), "0") == 0;
}

static void collect_ours(struct survey *survey, const struct device *mine,
			 const struct device *instead)
{
	struct domain *domain;
	struct device *other;

	TAILQ_FOREACH(domain, &domains, link) {
		if (!domain->ours)
			continue;
		TAILQ_FOREACH(other, &domain->devices, link) {
			size_t before = survey->uses.nr;

			if (other == mine || !is_of_domain0(other))
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
static void add_backend(struct survey *survey, const char *class, unsigned int domid,
			const struct domain *domain, bool gone, const char *devid)
{
	char *back = xasprintf("/local/domain/0/backend/%s/%u/%s", class, domid, devid);
	char *name = domain ? xstrdup(domain->name) : xasprintf("with the id %u", domid);
	char *params = store_read("%s/params", back), *mode = store_read("%s/mode", back);
	char *number = store_read("%s/physical-device", back), *vdev = store_read("%s/dev", back);
	const char *path = params ? strchr(params, '/') : NULL;
	dev_t device = parse_physical_device(number);
	struct disk_use *use;

	if (path && path != params && path[-1] != ':')
		path = NULL;
	if (path || device) {
		enum disk_access access = !mode || !strchr(mode, 'w') ? DISK_READS :
					  strchr(mode, '!')	      ? DISK_SHARES :
									DISK_WRITES;

		use = add_guest(survey, name, vdev, path, access);
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

/* Adds the backends in xenstore, except those that collect_ours has added. */
static void collect_backends(struct survey *survey, const struct owners *owners, const char *class)
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

static struct survey *survey_begin(const struct device *device, const struct device *instead)
{
	struct survey *survey = xcalloc(1, sizeof(*survey));
	struct owners owners;

	survey->fd = -1;
	survey->target = xstrdup(device->served ? device->served : device->disk.target);
	survey->vdev = xstrdup(device->disk.vdev);
	survey->domain_name = xstrdup(device->domain->name);
	/* w! and r! are never refused. */
	survey->access = device->disk.shared ? DISK_SHARES : access_of(&device->disk);
	survey->trial = instead != NULL;
	survey->format = device->disk.format;
	if (survey->access != DISK_SHARES) {
		collect_ours(survey, device, instead);
		find_owners(&owners);
		collect_backends(survey, &owners, "vbd");
		collect_backends(survey, &owners, "qdisk");
		keep_known(&owners);
		owners_free(&owners);
		collect_servers(survey);
	}
	return survey;
}

/* --- in the thread: what they are --- */

static int open_target(struct survey *survey, struct disk_node *node)
{
	struct stat st;

	survey->fd = open(survey->target, O_PATH | O_CLOEXEC);
	if (survey->fd < 0 || fstat(survey->fd, &st))
		return error_set(&survey->e, errno,
				 "The disk %s of domain '%s' cannot be used: %s: %s.", survey->vdev,
				 survey->domain_name, survey->target, strerror(errno));
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return error_set(&survey->e, ENOTBLK,
				 "The disk %s of domain '%s' cannot be used: %s is neither a block "
				 "device nor a file.",
				 survey->vdev, survey->domain_name, survey->target);
	survey->block_device = S_ISBLK(st.st_mode) ? st.st_rdev : 0;
	*node = S_ISBLK(st.st_mode) ? (struct disk_node){ st.st_rdev, 0 } :
				      (struct disk_node){ st.st_dev, st.st_ino };
	return 0;
}

static int refuse(const struct survey *survey, const char *why, struct error **e)
{
	return error_set(e, EADDRINUSE,
			 "The disk %s cannot be given to domain '%s' to %s: %s Mode %s shares it "
			 "all the same.",
			 survey->target, survey->domain_name,
			 survey->access == DISK_READS ? "read" : "write", why,
			 survey->access == DISK_READS ? "r!" : "w!");
}

/* Asks the kernel about users that are in no list. 0 or -EADDRINUSE. */
static int ask_kernel(struct survey *survey)
{
	char *path = xasprintf("/proc/self/fd/%d", survey->fd);
	struct error *why = NULL;
	int fd;

	if (!survey->block_device && !disk_use_explains_writer(&survey->chain, &survey->uses)) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			disk_host_check_file(fd, &why);
			close(fd);
		}
	} else if (survey->block_device && survey->access == DISK_WRITES) {
		disk_host_check_device(path, &why);
	}
	free(path);
	if (why)
		refuse(survey, error_text(why), &survey->e);
	error_free(&why);
	return -error_errno(survey->e);
}

/*
 * The use that conflicts, or NULL. blkback closes its disk some time after its device has gone, and
 * only then does the loop device disappear. So a loop device without a known user gets up to
 * LOOP_PATIENCE.
 */
static const struct disk_use *find_conflict(struct survey *survey)
{
	const struct timespec interval = { .tv_nsec = LOOP_INTERVAL * 1000000L };
	size_t guests = survey->uses.nr;

	for (int waited = 0;; waited += LOOP_INTERVAL) {
		const struct disk_use *conflict;

		disk_host_uses(&disk_sources_patient, &survey->uses);
		conflict = disk_use_conflict(&survey->chain, survey->access, &survey->uses);
		if (!conflict || conflict->user != DISK_USER_LOOP || waited >= LOOP_PATIENCE)
			return conflict;
		disk_use_list_cut(&survey->uses, guests);
		nanosleep(&interval, NULL);
	}
}

/* Finds the images that the disk lies on. They too get their chains. */
static int find_below(struct survey *survey)
{
	struct disk_image_list images = { NULL, 0 };
	int rc = disk_image_read(survey->fd, survey->target, survey->format, &images, &survey->e);

	if (rc)
		error_prefix(&survey->e,
			     "The disk %s of domain '%s' cannot be used: ", survey->vdev,
			     survey->domain_name);
	survey->below = xcalloc(images.nr + 1, sizeof(*survey->below));
	for (size_t i = 0; rc == 0 && i < images.nr; i++) {
		struct disk_node node;

		rc = disk_sources_patient.identify(images.paths[i], &node);
		if (rc)
			error_set(&survey->e, rc, "Cannot look at %s: %s.", images.paths[i],
				  strerror(-rc));
		else
			disk_chain_build(&disk_sources_patient, node,
					 &survey->below[survey->nr_below++]);
	}
	disk_image_list_free(&images);
	return rc;
}

/*
 * Adds the images that another's image lies on, as far as they can be found: one that does not
 * answer is the last.
 */
static void expand_use(struct survey *survey, size_t index)
{
	const struct disk_use *use = &survey->uses.uses[index];
	enum config_disk_format format = (enum config_disk_format)use->format;
	char *path = use->format && use->what ? xstrdup(use->what) : NULL;
	struct disk_image_below below;

	for (int i = 0; path && i < DISK_IMAGE_MAX_BELOW; i++) {
		int rc = disk_ask_image(&disk_sources_host, path, format, &below);

		free(path);
		path = rc ? NULL : below.path;
		format = below.format;
		if (path) {
			const struct disk_use user = survey->uses.uses[index];
			struct disk_use *more =
				add_guest(survey, user.who, user.vdev ? user.vdev : "", path,
					  DISK_READS);

			more->user = user.user;
			more->exempt = user.exempt;
		}
	}
	free(path);
}

/* Chains of files that this survey has built, one of each file system. */
struct siblings {
	const struct disk_chain *chains[16];
	size_t nr;
};

static const struct disk_chain *find_sibling(const struct siblings *siblings, struct disk_node file)
{
	for (size_t i = 0; file.inode && i < siblings->nr; i++)
		if (siblings->chains[i]->links->node.device == file.device)
			return siblings->chains[i];
	return NULL;
}

static void add_sibling(struct siblings *siblings, const struct disk_chain *chain)
{
	if (siblings->nr < sizeof(siblings->chains) / sizeof(siblings->chains[0]) && chain->nr &&
	    chain->links->node.inode && !find_sibling(siblings, chain->links->node))
		siblings->chains[siblings->nr++] = chain;
}

/* Most disks are files of few file systems, so the kernel is asked what is below these but once. */
static void build_chain(struct disk_use *use, struct siblings *siblings)
{
	const struct disk_chain *sibling = find_sibling(siblings, use->start);

	if (sibling) {
		disk_chain_build_beside(sibling, use->start, use->loop, &use->chain);
		return;
	}
	disk_chain_build(&disk_sources_patient, use->start, &use->chain);
	if (use->loop && use->chain.nr)
		use->chain.links->device = use->loop;
	add_sibling(siblings, &use->chain);
}

static void look_at_uses(struct survey *survey)
{
	struct siblings siblings = { .nr = 0 };
	const struct disk_sources *sources = &disk_sources_patient;
	size_t given = survey->uses.nr;

	add_sibling(&siblings, &survey->chain);
	for (size_t i = 0; i < given; i++)
		expand_use(survey, i);
	for (size_t i = 0; i < survey->uses.nr; i++) {
		struct disk_use *use = &survey->uses.uses[i];

		/*
		 * The path may be stale after a rename; ask_kernel finds out who has the file open.
		 */
		if (use->start.device ||
		    (use->what && sources->identify(use->what, &use->start) == 0))
			build_chain(use, &siblings);
	}
	for (size_t i = 0; i < survey->nr_servers; i++)
		disk_qemu_uses(sources, &survey->servers[i], &survey->uses);
}

/* Says who uses the disk, or what the disk lies on (`mine`). */
static void refuse_for(const struct survey *survey, const struct disk_chain *mine,
		       const struct disk_use *conflict, struct error **e)
{
	char *why = disk_use_describe(mine, conflict), *more;

	if (mine != &survey->chain) {
		more = xasprintf("of the image on which it lies, %s", why);
		free(why);
		why = more;
	}
	refuse(survey, why, e);
	free(why);
}

/* Whether somebody writes an image on which the disk lies; says so. */
static bool below_conflicts(struct survey *survey)
{
	for (size_t i = 0; i < survey->nr_below; i++) {
		const struct disk_use *conflict =
			disk_use_conflict(&survey->below[i], DISK_READS, &survey->uses);

		if (conflict) {
			refuse_for(survey, &survey->below[i], conflict, &survey->e);
			return true;
		}
	}
	return false;
}

static void look(void *arg)
{
	struct survey *survey = arg;
	const struct disk_use *conflict;
	struct disk_node node;

	if (open_target(survey, &node))
		return;
	disk_chain_build(&disk_sources_patient, node, &survey->chain);
	if (survey->format && find_below(survey))
		return;
	if (survey->access == DISK_SHARES)
		return;
	look_at_uses(survey);
	conflict = find_conflict(survey);
	if (conflict) {
		refuse_for(survey, &survey->chain, conflict, &survey->e);
	} else if (!below_conflicts(survey) && !survey->trial) {
		ask_kernel(survey);
	}
}

/* --- in the loop again --- */

/* Compares the disk, and what it lies on, with one thing that another device has claimed. */
static int check_claim(const struct survey *survey, const struct device *other,
		       const struct disk_chain *chain, enum disk_access access, struct error **e)
{
	struct disk_use use = { .user = DISK_USER_GUEST,
				.access = access,
				.chain = *chain,
				.who = other->domain->name,
				.what = other->disk.target,
				.vdev = other->disk.vdev };
	struct disk_use_list list = { &use, 1 };
	const struct disk_chain *mine = NULL;

	if (disk_use_conflict(&survey->chain, survey->access, &list))
		mine = &survey->chain;
	for (size_t i = 0; !mine && survey->access != DISK_SHARES && i < survey->nr_below; i++)
		if (disk_use_conflict(&survey->below[i], DISK_READS, &list))
			mine = &survey->below[i];
	if (!mine)
		return 0;
	refuse_for(survey, mine, &use, e);
	return -EADDRINUSE;
}

/* Compares with what other tasks have claimed since the survey began. */
static int check_claims(const struct survey *survey, const struct device *mine, struct error **e)
{
	struct domain *domain;
	struct device *other;
	int rc = 0;

	TAILQ_FOREACH(domain, &domains, link) {
		TAILQ_FOREACH(other, &domain->devices, link) {
			if (other == mine || !is_of_domain0(other))
				continue;
			rc = check_claim(survey, other, &other->claim, access_of(&other->disk), e);
			for (size_t i = 0; rc == 0 && i < other->nr_below; i++)
				rc = check_claim(survey, other, &other->below[i], DISK_READS, e);
			if (rc)
				return rc;
		}
	}
	return 0;
}

/*
 * Keeps the files that the thread has found below the loop devices of an earlier xend. Such a
 * device never gets a claim; one that has taken its place in the meantime has one.
 */
static void keep_adopted(const struct survey *survey)
{
	for (size_t i = 0; i < survey->nr_adopted; i++) {
		const struct adopted *adopted = &survey->adopted[i];
		const struct disk_use *use = &survey->uses.uses[adopted->use];
		struct domain *domain = domain_by_id(adopted->domid);
		struct device *device = domain ? device_by_id(domain, "vbd", adopted->devid) : NULL;

		if (device && domain->ours && !device->claim.nr &&
		    device->block_device == use->start.device && use->chain.nr &&
		    use->chain.links->device && use->chain.links->node.inode &&
		    use->chain.links->node.inode != DISK_INODE_UNKNOWN)
			device->adopted_file = use->chain.links->node;
	}
}

static int run_survey(struct survey *survey, const struct device *device, struct error **e)
{
	int rc = offload(look, survey_free, survey, task_deadline(PATIENCE));

	if (rc == -ECANCELED)
		return error_set(e, ECANCELED, "Setting up the disk %s was cancelled.",
				 device->disk.vdev);
	if (rc == -ETIMEDOUT)
		return error_set(e, ETIMEDOUT,
				 "The disk %s (%s) of domain '%s' cannot be used: it, or a disk "
				 "that it has to be told "
				 "apart from, does not answer within %d s. Is a file server or a "
				 "disk array down?",
				 device->disk.vdev, device->disk.target, device->domain->name,
				 PATIENCE / 1000);
	if (rc)
		return error_set(e, rc, "Cannot look at the disk %s: no thread can be had.",
				 device->disk.vdev);
	keep_adopted(survey);
	rc = error_move(e, &survey->e);
	if (rc)
		survey_free(survey);
	return rc;
}

int disk_use_claim(struct device *device, int *fd, struct error **e)
{
	struct survey *survey = survey_begin(device, NULL);
	int rc = run_survey(survey, device, e);

	if (rc)
		return rc;
	rc = check_claims(survey, device, e);
	if (rc == 0) {
		device->claim = survey->chain;
		device->block_device = survey->block_device;
		*fd = survey->fd;
		survey->chain = (struct disk_chain){ NULL, 0 };
		device->below = survey->below;
		device->nr_below = survey->nr_below;
		survey->below = NULL;
		survey->nr_below = 0;
		survey->fd = -1;
	}
	survey_free(survey);
	return rc;
}

int disk_use_check(struct device *device, const struct device *instead, struct error **e)
{
	struct survey *survey = survey_begin(device, instead);
	int rc = run_survey(survey, device, e);

	if (rc == 0)
		survey_free(survey);
	return rc;
}
