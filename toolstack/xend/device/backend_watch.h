/* SPDX-License-Identifier: MIT */
/*
 * Clears backends_known of a domain when anything of its disks' backends changes in xenstore: then
 * a claim of a disk looks at them again (disk_strangers.c), which first hears of all changes.
 */
#ifndef XEND_DEVICE_BACKEND_WATCH_H
#define XEND_DEVICE_BACKEND_WATCH_H

void backend_watch_setup(void);
void backend_watch_teardown(void);

#endif
