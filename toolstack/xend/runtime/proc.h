/* SPDX-License-Identifier: MIT */
/*
 * Child processes: the worker of a long job, a hotplug script. PR_SET_PDEATHSIG kills them with
 * xend, so a killed xend leaves none behind. xend reads their standard output as lines; their
 * standard error is xend's own or a file. A child of the child is not killed: QEMU puts itself
 * into the background that way.
 */
#ifndef XEND_RUNTIME_PROC_H
#define XEND_RUNTIME_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "lib/error.h"

struct proc;

struct proc_spec {
	const char *const *argv; /* argv[0] is the program's path */
	const char *const *env;	 /* NULL: only PATH and LANG=C */
	int fd;			 /* the child's descriptor 3; -1: none */
	int error_fd;		 /* its standard error; 0: xend's own */
	/*
	 * Root with hardly a capability: it may open any file, and gains nothing by a program that
	 * it starts.
	 */
	bool few_rights;
	/* Gets each line of output, without its newline; may be NULL. */
	void (*on_line)(void *arg, char *line);
	void *arg;
};

/*
 * The longest line of output in bytes. A child that writes a longer one is killed; no program of
 * ours does.
 */
#define PROC_MAX_LINE (64 * 1024)

int proc_setup(uv_loop_t *loop);
void proc_teardown(void);

int proc_start(const struct proc_spec *spec, struct proc **out, struct error **e);
/*
 * proc_send queues bytes for the child's standard input; proc_end_input closes it after the last of
 * them.
 */
void proc_send(struct proc *proc, const void *data, size_t length);
void proc_end_input(struct proc *proc);
/* Sends the signal to the child and to all that it has started (its process group). */
void proc_kill(struct proc *proc, int signal);
/*
 * In a task: waits until the child has ended and its output was delivered. The child's own end
 * counts: what a process that it has left behind writes is not waited for. *status is as waitpid's.
 * 0, -ETIMEDOUT or -ECANCELED; after either error the child still runs.
 */
int proc_wait(struct proc *proc, uint64_t deadline, int *status);
/* From on_line: proc_wait returns -EINTR, now or when it is called next. The child runs on. */
void proc_interrupt_wait(struct proc *proc);
/*
 * Kills the child if it still runs, with all that it has started, and delivers no more lines. What
 * a child that has ended has left behind runs on.
 */
void proc_free(struct proc *proc);

#endif
