/* SPDX-License-Identifier: MIT */
/* The output of a bootloader, which the guest's disk may have taken over: parsed as hostile. */
#ifndef WORKER_BUILD_BOOTLOADER_OUTPUT_H
#define WORKER_BUILD_BOOTLOADER_OUTPUT_H

#include <stddef.h>

/* Bytes of a PV guest's command line, with its NUL (MAX_GUEST_CMDLINE in the public xen.h). */
#define BOOTLOADER_ARGS_MAX 1024
#define BOOTLOADER_NAME_MAX 256

struct bootloader_output {
	/* Names of files in the output directory, without a slash; "" when there was none. */
	char kernel[BOOTLOADER_NAME_MAX];
	char ramdisk[BOOTLOADER_NAME_MAX];
	char args[BOOTLOADER_ARGS_MAX]; /* "" when there were none */
};

/*
 * Parses lines "kernel PATH", "ramdisk PATH" and "args TEXT", each at most once and ended by a
 * newline or a NUL (pygrub's formats simple and simple0). Other lines are skipped. Each PATH must
 * be directly in `directory`. Returns 0, or -EBADMSG with *why set to words that follow "the
 * bootloader
 * ". Pure.
 */
int bootloader_output_parse(const char *text, size_t length, const char *directory,
			    struct bootloader_output *output, const char **why);

#endif
