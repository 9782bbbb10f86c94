/* SPDX-License-Identifier: MIT */
/* Turns a forked process into a confined Python. What it confines holds for root too. */
#ifndef XM_PYTHON_CONFINE_H
#define XM_PYTHON_CONFINE_H

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	PYTHON_MEMORY_MIB = 512, /* the address space of each process */
	PYTHON_PROCESSES = 64,	 /* those that the program may start, in all */
	PYTHON_THREADS = 1024,	 /* the same for threads */
};

/* The descriptors of the new process. -1 is none of them. */
struct confine_files {
	int input;   /* becomes 0 */
	int output;  /* 1 and 2 */
	int request; /* 3 */
	int answer;  /* 4 */
	int program; /* 5: what Python runs */
	int control; /* a socket of the parent's: see confine_receive() */
};

/*
 * Runs the interpreter in the calling process, which a fork() has just made. `mask`: the signals
 * that it blocks.
 */
_Noreturn void confine_exec(const char *interpreter, const struct confine_files *files,
			    unsigned int seconds, pid_t parent, const sigset_t *mask);

/*
 * In the parent: waits until Python runs. Returns a descriptor for seccomp's notifications, one for
 * each process or thread that the program starts, and for each handler of SIGCHLD; or a negative
 * errno, with *step naming what failed.
 */
int confine_receive(int control, const char **step);

#endif
