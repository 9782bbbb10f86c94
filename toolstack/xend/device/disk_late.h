/* SPDX-License-Identifier: MIT */
/*
 * Disks whose driver in Domain-0 lets go of them after xend has stopped waiting. Their backends'
 * nodes stay meanwhile, with a mark (the node "late"), which also the next xend finds. Once the
 * kernel has no such device any more, a task undoes what the disk's script has set up, and removes
 * the nodes.
 */
#ifndef XEND_DEVICE_DISK_LATE_H
#define XEND_DEVICE_DISK_LATE_H

#include "lib/error.h"

struct device;
struct domain;

/* Marks the backend of a vbd that has been taken away but is still held; starts the task. */
void disk_late_mark(int domid, unsigned int devid);
/* When xend starts, after recovery: starts the task if the last xend has left marks. */
void disk_late_go_on(void);
/* When xend stops: ends the task. The next xend finds the marks. */
void disk_late_stop(void);
/*
 * In a task that holds the domain's lock, before a disk is attached under the number of one that
 * was late, and that the kernel has let go: undoes that one now.
 */
void disk_late_make_room(const struct device *device);
/*
 * In a task that holds the lock of a domain that is being made, before its disks: undoes late disks
 * of an earlier domain that had its number. -EBUSY: a driver still has one, and its nodes are to
 * stay, which say what is in use.
 */
int disk_late_leave_number(struct domain *domain, struct error **e);

#endif
