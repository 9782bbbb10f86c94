/* SPDX-License-Identifier: MIT */
/*
 * Runs code over hostile data in a child process that can do nothing else. It has no privilege, no
 * file but one for its output, only the system calls that memory and that file need (seccomp), and
 * bounded memory, processor time and wall-clock time.
 */
#ifndef WORKER_SANDBOX_H
#define WORKER_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

struct sandbox_limits {
	uint64_t memory;    /* bytes of address space beyond those of this process */
	uint64_t file_size; /* bytes of the output file */
	unsigned int seconds;
};

/*
 * The function that runs inside. output_fd: the open output file, or -1. result: result_size zeroed
 * bytes of shared memory, to be filled in. Returns 0, or -errno with *why set to a constant string
 * that follows "WHAT is not usable: ".
 */
typedef int sandbox_fn(void *context, int output_fd, void *result, const char **why);

/*
 * Runs fn in a child that has a copy of this process's memory. Returns 0, or -errno with a sentence
 * that begins with `what`. The caller must check *result: a child that was taken over may have
 * written anything there.
 */
int sandbox_run(sandbox_fn *fn, void *context, int output_fd, void *result, size_t result_size,
		const struct sandbox_limits *limits, const char *what, struct error **e);

#endif
