/* SPDX-License-Identifier: MIT */
/* What a bootloader says, which may have been taken over by the disk that it looked at. */
#ifndef WORKER_BUILD_BOOTLOADER_OUTPUT_H
#define WORKER_BUILD_BOOTLOADER_OUTPUT_H

#include <stddef.h>

/* Of a PV guest's command line, the NUL among them (MAX_GUEST_CMDLINE of the public xen.h). */
#define BOOTLOADER_ARGS_MAX 1024
#define BOOTLOADER_NAME_MAX 256

struct bootloader_output {
	/* Names of files in its directory, without a slash; "" when it named none. */
	char kernel[BOOTLOADER_NAME_MAX];
	char ramdisk[BOOTLOADER_NAME_MAX];
	char args[BOOTLOADER_ARGS_MAX]; /* "" when it said none */
};

/*
 * text: lines "kernel PATH", "ramdisk PATH" and "args TEXT", each at most once, ended by a newline
 * or a NUL (pygrub's formats simple and simple0); others are passed over. Paths must lie in
 * `directory` itself. 0, or -EBADMSG with *why, words that follow "the bootloader ". Pure.
 */
int bootloader_output_parse(const char *text, size_t length, const char *directory,
			    struct bootloader_output *output, const char **why);

#endif
