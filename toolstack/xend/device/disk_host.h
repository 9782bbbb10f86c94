/* SPDX-License-Identifier: MIT */
/*
 * What Domain-0 itself does with disks: mounts, swap, volumes and arrays, loop devices, and what
 * only its kernel knows. All of these may wait, so they run in a thread.
 */
#ifndef XEND_DEVICE_DISK_HOST_H
#define XEND_DEVICE_DISK_HOST_H

#include "lib/error.h"
#include "xend/device/disk_claims.h"

/* Appends the uses, the most telling kinds first. */
void disk_host_uses(const struct disk_sources *sources, struct disk_use_list *list);

/*
 * Asks the kernel whether anybody has a file open to write. fd: the file, open to read alone. Waits
 * for a moment, because the kernel closes the file of a loop device late. 0, or -EADDRINUSE with a
 * clause that names the writer.
 */
int disk_host_check_file(int fd, struct error **e);
/* Asks the kernel whether anything holds a block device exclusively. Results as above. */
int disk_host_check_device(const char *path, struct error **e);

#endif
