/* SPDX-License-Identifier: MIT */
/*
 * Child processes: the worker of a long job, a hotplug script. They die with xend
 * (PR_SET_PDEATHSIG), so that a killed xend leaves none behind. Their standard output comes as
 * lines; standard error is xend's own.
 */
#ifndef XEND_RUNTIME_PROC_H
#define XEND_RUNTIME_PROC_H

#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "lib/error.h"

struct proc;

struct proc_spec {
	const char *const *argv; /* argv[0] is the program's path */
	const char *const *env;	 /* NULL: a short environment with a PATH */
	int fd;			 /* becomes descriptor 3 of the child; -1: none */
	void (*on_line)(void *arg,
			char *line); /* each line of output, without its newline; may be NULL */
	void *arg;
};

/* Lines of output longer than that are cut off, and the child is killed: none of ours writes such.
 */
#define PROC_MAX_LINE (64 * 1024)

int proc_setup(uv_loop_t *loop);
void proc_teardown(void);

int proc_start(const struct proc_spec *spec, struct proc **out, struct error **e);
/* Sends bytes to its standard input, in the end (nothing more follows) closing it. */
void proc_send(struct proc *proc, const void *data, size_t length);
void proc_end_input(struct proc *proc);
void proc_kill(struct proc *proc, int signal);
/*
 * Waits, in a task, until it has ended and all its output was delivered. *status as waitpid's. 0,
 * -ETIMEDOUT, -ECANCELED; in the latter two cases it still runs.
 */
int proc_wait(struct proc *proc, uint64_t deadline, int *status);
/* Kills it if it still runs. No more lines are delivered. */
void proc_free(struct proc *proc);

#endif
