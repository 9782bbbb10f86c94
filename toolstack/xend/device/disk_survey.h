/* SPDX-License-Identifier: MIT */
/*
 * What a claim of a disk looks at (disk_use.c): the disks of all domains, as the loop collects
 * them. What they are, and what Domain-0 does with them, a thread finds out afterwards.
 */
#ifndef XEND_DEVICE_DISK_SURVEY_H
#define XEND_DEVICE_DISK_SURVEY_H

#include <stdbool.h>
#include <sys/types.h>

#include "config/config.h"
#include "lib/error.h"
#include "xend/device/disk_claims.h"
#include "xend/device/disk_qemu.h"

struct device;

/* A disk of an earlier xend's, whose file the thread finds out. */
struct disk_adopted {
	size_t use;
	int domid;
	unsigned int devid;
};

/* The thread's data; nobody else touches it while the thread runs. */
struct disk_survey {
	char *target, *vdev, *domain_name;
	enum disk_access access;
	enum config_disk_format format;
	struct disk_server *servers; /* each QEMU that xend has started */
	size_t nr_servers;
	struct disk_adopted *adopted;
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

/*
 * Collects the disks of all domains, for a claim of the device's disk. `instead`: a device that the
 * domain will have given back by then, or NULL.
 */
struct disk_survey *disk_survey_begin(const struct device *device, const struct device *instead);
void disk_survey_free(void *survey);

enum disk_access disk_survey_access(const struct config_disk *disk);
/* Whether it is a disk that Domain-0 serves. Another domain's disks are unknown here. */
bool disk_survey_counts(const struct device *device);

/* For those who collect. Adds a guest's use of a disk; `what`: its path. The texts are copied. */
struct disk_use *disk_survey_add_guest(struct disk_survey *survey, const char *name,
				       const char *vdev, const char *what, enum disk_access access);
/* MAJOR:MINOR in hexadecimal, as xenstore and sysfs write it; 0: the text is none, or NULL. */
dev_t disk_survey_parse_device(const char *text);

#endif
