/* SPDX-License-Identifier: MIT */
/*
 * No disk is writable twice, and none is written while somebody else reads it. disk_graph.h says
 * what a disk is, disk_claims.h who may use it beside whom. Users are the domains of any toolstack,
 * domains that xend is making or will start again, and Domain-0 (disk_host.h).
 *
 * Only backends in Domain-0 count. A disk that another domain serves is that domain's own: it may
 * write anything to its directory in xenstore, and its paths and numbers mean nothing in Domain-0.
 */
#ifndef XEND_DEVICE_DISK_USE_H
#define XEND_DEVICE_DISK_USE_H

#include "lib/error.h"

struct device;

/*
 * In a task. Takes a disk for its domain. From now on, until the device is freed, nobody else gets
 * a disk that conflicts with device->claim. *fd: a handle (O_PATH) on what was looked at.
 * device->block_device: the block device, 0 for a file. 0, -EADDRINUSE (the sentence names the
 * user), another error of the disk's own, -ETIMEDOUT when something does not answer, -ECANCELED.
 */
int disk_use_claim(struct device *device, int *fd, struct error **e);
/* Only checks: whether the disk could be claimed if the domain gave `instead` back first. */
int disk_use_check(struct device *device, const struct device *instead, struct error **e);

#endif
