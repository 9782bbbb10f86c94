/* SPDX-License-Identifier: MIT */
/* Watches the process of a Python file: its output, its answer, its children, its time. */
#ifndef XM_PYTHON_WATCH_H
#define XM_PYTHON_WATCH_H

#include <json.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "lib/error.h"

/* Descriptors are -1 when they are not open. */
struct watch {
	const char *path; /* of the file, for messages */
	unsigned int seconds;
	pid_t pid;  /* -1: no process */
	int output; /* what the program prints */
	int answer;
	int notify;  /* seccomp's: a process wants to start another */
	int process; /* a pidfd */
	bool interrupted;
	int signals;   /* a signalfd, for those that end xm */
	sigset_t mask; /* the signals that were blocked before */
};

/*
 * Blocks the signals that would end this process, sets *before to the mask until now, and returns a
 * signalfd for them; -1 with errno.
 */
int watch_hold_signals(sigset_t *before);

/*
 * From here to watch_end(), a signal that would end xm waits, so that nothing is left behind.
 */
int watch_begin(struct watch *watch, struct error **e);

/* Waits for the end of the process, and reads the answer. */
int watch_run(struct watch *watch, struct json_object **answer, struct error **e);

/* Ends the process and all that it started, whatever state they are in. */
void watch_end(struct watch *watch);

#endif
