/* SPDX-License-Identifier: MIT */
/*
 * How Domain-0 itself uses disks: mounts, swap, volumes and arrays, loop devices, and uses that
 * only its kernel knows. All functions may block, so they run in a thread.
 */
#ifndef XEND_DEVICE_DISK_HOST_H
#define XEND_DEVICE_DISK_HOST_H

#include "lib/error.h"
#include "xend/device/disk_claims.h"

/* Appends Domain-0's uses, those that explain most to a person first. */
void disk_host_uses(const struct disk_sources *sources, struct disk_use_list *list);

/*
 * Asks the kernel whether anybody has a file open for writing. fd: the file, open for reading only.
 * Retries for 2 s, because the kernel closes the file of a loop device late. 0, or -EADDRINUSE with
 * a clause that names the writer.
 */
int disk_host_check_file(int fd, struct error **e);
/* Asks the kernel whether anything holds a block device exclusively. Results as above. */
int disk_host_check_device(const char *path, struct error **e);

#endif
