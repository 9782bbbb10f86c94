/* SPDX-License-Identifier: MIT */
/* Bootloaders like pygrub: a program that looks into a guest's disk and takes the kernel out of it. */
#ifndef XEND_BOOTLOADER_H
#define XEND_BOOTLOADER_H

#include "util/error.h"

struct domain;

/* What it found; all is the caller's to free by bootloader_free. NULL members: it said nothing of them. */
struct bootloader_choice {
	char *directory; /* where it put the files */
	char *kernel;
	char *ramdisk;
	char *cmdline;
};

#define BOOTLOADER_DIRECTORY "/run/xend/boot"

/*
 * Runs the bootloader of the domain's configuration on its first disk, in a task:
 * PROGRAM [bootargs] --quiet --output-format=simple --output-directory=DIRECTORY DISK. Its output has lines "kernel PATH",
 * "ramdisk PATH" and "args TEXT".
 */
int bootloader_run(struct domain *domain, struct bootloader_choice *choice, struct error **e);
/* Removes the files, too. */
void bootloader_free(struct bootloader_choice *choice);
/* Removes what a xend that was killed has left. */
void bootloader_sweep(void);

#endif
