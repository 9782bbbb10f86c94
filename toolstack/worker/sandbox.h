/* SPDX-License-Identifier: MIT */
/*
 * Runs code over hostile data in a process that can do nothing: no privilege, no files but one that
 * it may write to, no system calls but those that memory and that file need (seccomp), bounded
 * memory, processor time and wall-clock time.
 */
#ifndef WORKER_SANDBOX_H
#define WORKER_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

struct sandbox_limits {
	uint64_t memory;    /* bytes of address space beyond what the process has */
	uint64_t file_size; /* bytes of the output file */
	unsigned int seconds;
};

/*
 * What runs inside. output_fd: the open file, or -1. result: result_size zeroed bytes to fill in,
 * in shared memory. Returns 0 or -errno and then sets *why to a constant string: words that follow
 * "WHAT is not usable: ".
 */
typedef int sandbox_fn(void *context, int output_fd, void *result, const char **why);

/*
 * Runs fn in a child that has a copy of this process' memory. 0, or -errno with a sentence that
 * begins with `what`. What lies in *result afterwards was written by a process that may have been
 * taken over: check it.
 */
int sandbox_run(sandbox_fn *fn, void *context, int output_fd, void *result, size_t result_size,
		const struct sandbox_limits *limits, const char *what, struct error **e);

#endif
