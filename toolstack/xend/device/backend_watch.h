/* SPDX-License-Identifier: MIT */
/*
 * Clears backends_known of a domain when anything of its disks' backends changes in xenstore: then
 * a claim of a disk looks at them again (disk_use.c). A change is heard of in the loop's next turn;
 * no claim could see what another toolstack does that late in any case.
 */
#ifndef XEND_DEVICE_BACKEND_WATCH_H
#define XEND_DEVICE_BACKEND_WATCH_H

void backend_watch_setup(void);
void backend_watch_teardown(void);

#endif
