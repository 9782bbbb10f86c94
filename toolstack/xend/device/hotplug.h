/* SPDX-License-Identifier: MIT */
/* The scripts in /etc/xen/scripts, called the way Xen's tools call them. */
#ifndef XEND_DEVICE_HOTPLUG_H
#define XEND_DEVICE_HOTPLUG_H

#include "lib/error.h"

/*
 * In a task: runs a vif script and waits for it. The command is `SCRIPT ACTION type_if=vif`, with
 * script, vif, XENBUS_PATH, XENBUS_TYPE and XENBUS_BASE_PATH in the environment; ACTION is online
 * or offline.
 *
 * -EIO if the script fails, writes hotplug-error, or, for online, does not write "connected" to
 * hotplug-status. Also -ETIMEDOUT after a minute, -ECANCELED, or the errors of proc_start().
 */
int hotplug_vif(const char *script, const char *action, int domid, unsigned int devid,
		struct error **e);
/*
 * For a device of a domain that xl made: the script that its backend names (in Domain-0's own
 * directory) undoes its setup, such as a loop device. Does nothing if the backend names no script.
 */
void hotplug_undo_foreign(const char *class, int domid, unsigned int devid);

#endif
