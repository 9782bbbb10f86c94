/* SPDX-License-Identifier: MIT */
/*
 * Loop devices: block devices over files. With autoclear, a loop device releases its file when its
 * last user closes it.
 */
#ifndef XEND_DEVICE_LOOPDEV_H
#define XEND_DEVICE_LOOPDEV_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/error.h"

/*
 * Makes a loop device over the file of `handle` (O_PATH). `name` is the file's name for the device
 * and for errors. Run it in a thread: it may block on the file's server.
 *
 * *fd keeps the device alive until blkback has opened it, so a killed xend leaves none behind.
 * *number is the device's number. 0 or -errno.
 */
int loopdev_make(int handle, const char *name, bool readonly, int *fd, dev_t *number,
		 struct error **e);

#endif
