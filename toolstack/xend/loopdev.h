/* SPDX-License-Identifier: MIT */
/* Loop devices: block devices over files. They let go of their file by themselves when their last user closes them. */
#ifndef XEND_LOOPDEV_H
#define XEND_LOOPDEV_H

#include <stdbool.h>
#include <sys/types.h>

#include "util/error.h"

/*
 * Makes a loop device over a file. The descriptor that comes back keeps it alive until another one (blkback) has opened it; a
 * xend that is killed leaves none behind. *number: of the block device.
 */
int loopdev_make(const char *file, bool readonly, int *fd, dev_t *number, struct error **e);

#endif
