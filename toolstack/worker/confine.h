/* SPDX-License-Identifier: MIT */
/*
 * Runs a program that reads hostile data, such as a bootloader that parses a guest's file systems,
 * so that taking it over gains nothing: it has a user of its own, no privilege, its own small file
 * tree, and no network; its memory, files, processes and time are bounded. Nothing of it outlives
 * confine_run() or this process.
 */
#ifndef WORKER_CONFINE_H
#define WORKER_CONFINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/error.h"
#include "lib/str.h"

/* What a restricted program finds in its tree, beside /usr and the libraries. */
#define CONFINE_DISK   "/disk"
#define CONFINE_OUTPUT "/output"
/* Where an unrestricted program's directory appears to it, and to nobody else. */
#define CONFINE_OUTPUT_UNRESTRICTED "/run/xend/boot"

/* Bytes of standard output. */
#define CONFINE_SAID_MAX (64 * 1024)

struct confine_spec {
	const char *program; /* an absolute path without links */
	const char *const *argv;
	bool restricted;      /* false: it keeps root and sees the host, but for its directory */
	uint32_t id;	      /* the user and group of a restricted one */
	dev_t disk;	      /* the block device that a restricted one may read */
	uint64_t output_size; /* bytes that its directory can hold */
	unsigned int seconds;
};

enum confine_end { CONFINE_ENDED, CONFINE_TOOK_TOO_LONG, CONFINE_SAID_TOO_MUCH };

struct confine_result {
	enum confine_end end;
	int status;	      /* as waitpid's, when it ended by itself */
	int output;	      /* its directory, for openat(); gone when it is closed */
	struct str said;      /* standard output */
	struct str complaint; /* the last bytes of standard error */
};

/*
 * Runs the program to its end. Returns 0 when it ran, whatever came of that, and -errno with a
 * sentence when it could not be started. The caller gives the result to confine_free() in both
 * cases. All processes of the program are dead then: its directory does not change.
 */
int confine_run(const struct confine_spec *spec, struct confine_result *result, struct error **e);
void confine_free(struct confine_result *result);

/*
 * For confine.c, in the new process. 0, or -1 with errno and what was attempted in *what.
 *
 * confine_enter_tree: the file tree. output: the mount of its directory.
 *
 * confine_drop: limits, privilege, system calls.
 */
int confine_enter_tree(const struct confine_spec *spec, int output, const char **what);
int confine_drop(const struct confine_spec *spec, const char **what);

#endif
