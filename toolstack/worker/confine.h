/* SPDX-License-Identifier: MIT */
/*
 * Runs a program that reads hostile data, such as a bootloader that parses a guest's file systems.
 * An attacker who takes the program over gains nothing: it has a user of its own, no privilege, a
 * small file tree of its own and no network; its memory, files, processes and time are bounded. No
 * process of it outlives confine_run() or this process.
 */
#ifndef WORKER_CONFINE_H
#define WORKER_CONFINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/error.h"
#include "lib/str.h"

/* Paths in a restricted program's tree, which also has /usr and the libraries. */
#define CONFINE_DISK   "/disk"
#define CONFINE_OUTPUT "/output"
/* The path of an unrestricted program's output directory; no other process sees it there. */
#define CONFINE_OUTPUT_UNRESTRICTED "/run/xend/boot"

/* Bytes of standard output, or of CONFINE_SAID, that a program may write. */
#define CONFINE_SAID_MAX (64 * 1024)
/* In the output directory. No kernel has such a name: bootloader_output.c refuses the dot. */
#define CONFINE_SAID	    ".said"
#define CONFINE_KEY_SECONDS 600

struct confine_spec {
	const char *program; /* an absolute path without links */
	const char *const *argv;
	bool restricted;      /* false: it keeps root and sees the host, and the directory */
	uint32_t id;	      /* restricted: its user and group */
	dev_t disk;	      /* restricted: the block device that it may read */
	uint64_t output_size; /* bytes that the output directory can hold */
	unsigned int seconds;
	/*
	 * 0: the program reads nothing, and its standard output is the result. Else a socket: the
	 * program has a terminal that is shown there, and the result is what it writes to the file
	 * CONFINE_SAID of its directory. Each key that is typed gives it its time anew, and no less
	 * than CONFINE_KEY_SECONDS.
	 */
	int console;
};

enum confine_end { CONFINE_ENDED, CONFINE_TOOK_TOO_LONG, CONFINE_SAID_TOO_MUCH };

struct confine_result {
	enum confine_end end;
	/* 0: nobody has typed anything. Else the time in seconds that each key has given it. */
	unsigned int key_seconds;
	int status;	      /* as from waitpid(), for CONFINE_ENDED */
	int output;	      /* the output directory, for openat(); closing it deletes it */
	struct str said;      /* standard output, or the file */
	struct str complaint; /* the last bytes of standard error, or of the terminal */
};

/*
 * Runs the program to its end. Returns 0 when it ran, however it ended, or -errno with a sentence
 * when it could not be started. In both cases all processes of the program are dead afterwards, so
 * its directory does not change any more, and the caller calls confine_free().
 */
int confine_run(const struct confine_spec *spec, struct confine_result *result, struct error **e);
void confine_free(struct confine_result *result);

/*
 * For confine.c, in the parent. Reads the program's output, and joins its terminal to the console.
 * `pid`: a pidfd. out, err: pipes; with a console, out is the terminal, and err is -1. Returns when
 * the program has ended and all of its output is read, or when it must be killed.
 */
enum confine_end confine_watch(const struct confine_spec *spec, int pid, int out, int err,
			       struct confine_result *result);

/*
 * For confine.c, in the new process. Both return 0, or -1 with errno and with *what set to what was
 * attempted.
 *
 * confine_enter_tree() enters the program's file tree; output is the mount of its output directory.
 * confine_drop() sets the limits, and drops privilege and system calls.
 */
int confine_enter_tree(const struct confine_spec *spec, int output, const char **what);
int confine_drop(const struct confine_spec *spec, const char **what);

#endif
