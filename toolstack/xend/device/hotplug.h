/* SPDX-License-Identifier: MIT */
/* The scripts below /etc/xen/scripts, called as Xen's tools have always called them. */
#ifndef XEND_DEVICE_HOTPLUG_H
#define XEND_DEVICE_HOTPLUG_H

#include "lib/error.h"

/*
 * Runs a vif script in a task and waits for it: `SCRIPT ACTION type_if=vif` with vif, XENBUS_PATH,
 * XENBUS_TYPE, XENBUS_BASE_PATH and script in its environment. action: online, offline. For online
 * its success is what it wrote to hotplug-status.
 */
int hotplug_vif(const char *script, const char *action, int domid, unsigned int devid,
		struct error **e);
/*
 * For a device of a domain that xl made: has the script that its backend names (in Domain-0's own
 * directory) undo what it set up, such as a loop device. Nothing if it names none.
 */
void hotplug_undo_foreign(const char *class, int domid, unsigned int devid);

#endif
