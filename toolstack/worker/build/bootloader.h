/* SPDX-License-Identifier: MIT */
/* Bootloaders like pygrub: programs that take a guest's kernel out of its disk. */
#ifndef WORKER_BUILD_BOOTLOADER_H
#define WORKER_BUILD_BOOTLOADER_H

#include <stdint.h>

#include "worker/build/bootloader_output.h"
#include "lib/error.h"
#include "lib/json.h"

struct bootloader_choice {
	int directory; /* where kernel and ramdisk lie; -1: nothing was chosen */
	struct bootloader_output output;
};

/*
 * Runs the bootloader that the order describes (docs/design/worker.md), confined, for the domain.
 * What it chose is to be given to bootloader_free(): then its files are gone. They are a
 * stranger's: open them by openat() with O_NOFOLLOW.
 */
int bootloader_run(struct json_object *order, uint32_t domid, struct bootloader_choice *choice,
		   struct error **e);
void bootloader_free(struct bootloader_choice *choice);

#endif
