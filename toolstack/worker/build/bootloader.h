/* SPDX-License-Identifier: MIT */
/* Bootloaders like pygrub: programs that read a guest's kernel from its disk. */
#ifndef WORKER_BUILD_BOOTLOADER_H
#define WORKER_BUILD_BOOTLOADER_H

#include <stdint.h>

#include "worker/build/bootloader_output.h"
#include "lib/error.h"
#include "lib/json.h"

struct bootloader_choice {
	int directory; /* the directory of kernel and ramdisk; -1: nothing was chosen */
	struct bootloader_output output;
};

/*
 * Runs the bootloader that the order describes (docs/design/worker.md), confined, for the domain.
 * The caller gives the choice to bootloader_free(), which deletes its files. The files come from a
 * stranger: open them by openat() with O_NOFOLLOW.
 */
int bootloader_run(struct json_object *order, uint32_t domid, struct bootloader_choice *choice,
		   struct error **e);
void bootloader_free(struct bootloader_choice *choice);

#endif
