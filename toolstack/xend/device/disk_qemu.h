/* SPDX-License-Identifier: MIT */
/*
 * The files and block devices that a running QEMU has open, as the kernel tells: its images and all
 * that they lie on, whatever they are called by now, also after a restart of xend.
 */
#ifndef XEND_DEVICE_DISK_QEMU_H
#define XEND_DEVICE_DISK_QEMU_H

#include <sys/types.h>

#include "xend/device/disk_claims.h"

struct disk_server {
	pid_t pid;
	enum disk_user user; /* DISK_USER_GUEST; DISK_USER_GONE if its domain is */
	char *who;	     /* its domain's name */
};

/*
 * Appends them as uses of the server's domain, with their chains, but those that the list has as
 * that domain's already. May block.
 */
void disk_qemu_uses(const struct disk_sources *sources, const struct disk_server *server,
		    struct disk_use_list *list);

#endif
