/* SPDX-License-Identifier: MIT */
/*
 * No disk has two writers, or a writer beside a reader. disk_graph.h defines a disk's identity,
 * disk_claims.h the rules. Users are the domains of any toolstack, domains that xend is building or
 * will start again, and Domain-0 itself (disk_host.h).
 *
 * Only backends in Domain-0 count. A disk that another domain serves is that domain's own: it may
 * write anything to its directory in xenstore, and its paths and numbers mean nothing in Domain-0.
 */
#ifndef XEND_DEVICE_DISK_USE_H
#define XEND_DEVICE_DISK_USE_H

#include "lib/error.h"

struct device;

/*
 * In a task. Claims a disk for its domain: until the device is freed, nobody else gets a disk that
 * conflicts with device->claim. *fd: a handle (O_PATH) on the file or block device that was
 * checked. device->block_device: the block device, 0 for a file.
 *
 * 0; -EADDRINUSE, and the sentence names the user; -ETIMEDOUT if a file or device does not answer;
 * -ECANCELED; or another error of the disk itself.
 */
int disk_use_claim(struct device *device, int *fd, struct error **e);
/*
 * Only checks whether the disk could be claimed once the domain has given `instead` back. Results
 * as above.
 */
int disk_use_check(struct device *device, const struct device *instead, struct error **e);

#endif
