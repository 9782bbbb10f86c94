/* SPDX-License-Identifier: MIT */
/* Loop devices: block devices over files. They let go of their file by themselves when their last
 * user closes them. */
#ifndef XEND_DEVICE_LOOPDEV_H
#define XEND_DEVICE_LOOPDEV_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/error.h"

/*
 * Makes a loop device over the file of a handle (O_PATH). `name`: what the device and errors call
 * the file. May wait for the file's server, so it runs in a thread. The descriptor that comes back
 * keeps the device alive until blkback has opened it; a xend that is killed leaves none behind.
 * *number: of the device.
 */
int loopdev_make(int handle, const char *name, bool readonly, int *fd, dev_t *number,
		 struct error **e);

#endif
