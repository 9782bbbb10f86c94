/* SPDX-License-Identifier: MIT */
/*
 * The scripts in /etc/xen/scripts, called the way Xen's tools call them: `SCRIPT ACTION`, with
 * script, vif, netdev, XENBUS_PATH, XENBUS_TYPE and XENBUS_BASE_PATH in the environment. A script
 * reads its orders from the backend's directory in xenstore and writes its results there.
 */
#ifndef XEND_DEVICE_HOTPLUG_H
#define XEND_DEVICE_HOTPLUG_H

#include "lib/error.h"

/* The script's path, to be freed. A bare name is looked up in /etc/xen/scripts. */
char *hotplug_script_path(const char *name);

/*
 * In a task: runs the script of a backend in Domain-0 and waits for it. `words`: arguments after
 * the action, ended by NULL.
 *
 * -EIO if the script fails, or writes hotplug-error. Also -ETIMEDOUT after a minute, -ECANCELED, or
 * the errors of proc_start(). After each of these the script does not run any more.
 */
int hotplug_run(const char *script, const char *action, const char *const *words, const char *class,
		int domid, unsigned int devid, struct error **e);
/* The same for a vif's script; ACTION is online or offline. Online must connect the interface. */
int hotplug_vif(const char *script, const char *action, int domid, unsigned int devid,
		struct error **e);
/*
 * In a task: has the script that a vif's backend in Domain-0 names undo its setup (routes,
 * filters), whoever made the backend. Does nothing if the backend names no script. The name is in
 * Domain-0's own directory, where no guest can write.
 */
void hotplug_vif_undo(int domid, unsigned int devid);

#endif
