/* SPDX-License-Identifier: MIT */
/*
 * What is done with a kernel's file in the sandbox: it is unpacked and described there. Both
 * functions are for sandbox_run(), and their result is a struct kernel_info.
 */
#ifndef WORKER_BUILD_KERNEL_SANDBOX_H
#define WORKER_BUILD_KERNEL_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

/*
 * The contents of the file, read once: the hash and the unpacked image are of the same bytes, even
 * if the file changes meanwhile.
 */
struct kernel_input {
	const uint8_t *data;
	size_t size;
};

/* Describes an ELF file as it is: output_fd is that file, open for reading. */
int kernel_describe(void *context, int output_fd, void *result, const char **why);
/*
 * Unpacks a struct kernel_input into output_fd, an empty file, and describes the result. The symbol
 * table of a kernel that wants it becomes one more segment, at the end of the file.
 */
int kernel_unpack(void *context, int output_fd, void *result, const char **why);

#endif
