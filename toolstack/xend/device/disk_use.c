/* SPDX-License-Identifier: MIT */
/*
 * Claims of disks, so that none has two writers. A claim takes three steps. The loop collects the
 * disks of all domains. A thread finds out what they are, and how Domain-0 uses them. Back in the
 * loop, the result is compared with the claims that other tasks have made in the meantime.
 */
#include "xend/device/disk_use.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "config/config.h"
#include "lib/alloc.h"
#include "xend/device/device.h"
#include "xend/device/disk_ask.h"
#include "xend/device/disk_host.h"
#include "xend/device/disk_image.h"
#include "xend/device/disk_qemu.h"
#include "xend/device/disk_survey.h"
#include "xend/domain/domain.h"
#include "xend/runtime/offload.h"
#include "xend/runtime/files.h"

/* Milliseconds for all files and devices to answer. */
#define PATIENCE 30000
/* Milliseconds for an unused loop device to disappear, and between two checks. */
#define LOOP_PATIENCE 2000
#define LOOP_INTERVAL 20

/* --- in the thread: what they are --- */

static int open_target(struct disk_survey *survey, struct disk_node *node)
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

static int refuse(const struct disk_survey *survey, const char *why, struct error **e)
{
	return error_set(e, EADDRINUSE,
			 "The disk %s cannot be given to domain '%s' to %s: %s Mode %s shares it "
			 "all the same.",
			 survey->target, survey->domain_name,
			 survey->access == DISK_READS ? "read" : "write", why,
			 survey->access == DISK_READS ? "r!" : "w!");
}

/* Asks the kernel about users that are in no list. 0 or -EADDRINUSE. */
static int ask_kernel(struct disk_survey *survey)
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
static const struct disk_use *find_conflict(struct disk_survey *survey)
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
static int find_below(struct disk_survey *survey)
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
static void expand_use(struct disk_survey *survey, size_t index)
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
				disk_survey_add_guest(survey, user.who, user.vdev ? user.vdev : "",
						      path, DISK_READS);

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

static void look_at_uses(struct disk_survey *survey)
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
static void refuse_for(const struct disk_survey *survey, const struct disk_chain *mine,
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
static bool below_conflicts(struct disk_survey *survey)
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
	struct disk_survey *survey = arg;
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
static int check_claim(const struct disk_survey *survey, const struct device *other,
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
static int check_claims(const struct disk_survey *survey, const struct device *mine,
			struct error **e)
{
	struct domain *domain;
	struct device *other;
	int rc = 0;

	TAILQ_FOREACH(domain, &domains, link) {
		TAILQ_FOREACH(other, &domain->devices, link) {
			if (other == mine || !disk_survey_counts(other))
				continue;
			rc = check_claim(survey, other, &other->claim,
					 disk_survey_access(&other->disk), e);
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
static void keep_adopted(const struct disk_survey *survey)
{
	for (size_t i = 0; i < survey->nr_adopted; i++) {
		const struct disk_adopted *adopted = &survey->adopted[i];
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

static int run_survey(struct disk_survey *survey, const struct device *device, struct error **e)
{
	int rc = offload(look, disk_survey_free, survey, task_deadline(PATIENCE));

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
		disk_survey_free(survey);
	return rc;
}

int disk_use_claim(struct device *device, int *fd, struct error **e)
{
	struct disk_survey *survey = disk_survey_begin(device, NULL);
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
	disk_survey_free(survey);
	return rc;
}

int disk_use_check(struct device *device, const struct device *instead, struct error **e)
{
	struct disk_survey *survey = disk_survey_begin(device, instead);
	int rc = run_survey(survey, device, e);

	if (rc == 0)
		disk_survey_free(survey);
	return rc;
}
