/* SPDX-License-Identifier: MIT */
/*
 * Disks that a script sets up (script=, drbd:, iscsi:, nbd:). The order is:
 *
 *	1. the backend's directory, in which `script` and `params` say what to do, and to undo
 *	2. `SCRIPT add`, which makes a block device and writes its number there
 *	3. xend checks that device and claims it (disk_use.h)
 *	4. the nodes of the frontend, and the backend's state, which Linux's driver waits for
 *
 * So neither the driver nor the guest sees a device that xend has not checked. Until step 4 the
 * backend's state is InitWait, as the scripts know it from Xen's tools; Linux leaves a backend
 * alone that it first sees in this state. A xend that is killed leaves the directory, and whoever
 * takes the device apart finds the script there.
 */
#ifndef XEND_DEVICE_DISK_SCRIPT_H
#define XEND_DEVICE_DISK_SCRIPT_H

#include "lib/error.h"

struct device;
struct store_batch;

/*
 * In a task: writes the nodes of `batch`, which it takes, then runs the script. device->served is
 * then the path of the block device. -EIO: the script failed or named no block device; and the
 * errors of hotplug_run().
 */
int disk_script_add(struct device *device, struct store_batch *batch, struct error **e);
/*
 * In a task: runs `SCRIPT remove` for a backend in Domain-0, if its directory names a script,
 * whoever made it. Then the directory names none, so the script runs only once.
 */
void disk_script_undo(int domid, unsigned int devid);

#endif
