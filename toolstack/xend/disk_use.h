/* SPDX-License-Identifier: MIT */
/* Two guests must not write one disk, nor may one write what another one reads: each would see the other's half-done work. */
#ifndef XEND_DISK_USE_H
#define XEND_DISK_USE_H

#include <stdbool.h>
#include <sys/types.h>

#include "util/error.h"

struct device;

/* What a path leads to: a block device is the same one under each of its names. */
struct disk_identity {
	dev_t device;
	ino_t inode; /* 0: a block device */
};

/* 0 or -errno. */
int disk_identify(const char *path, struct disk_identity *identity);

/*
 * Whether a disk (its identity and mode are set) may be given to its domain besides all that are in use, by domains of ours, of xl's, or by
 * the host itself: 0, or -EADDRINUSE and who has it.
 */
int disk_use_check(const struct device *device, struct error **e);

#endif
