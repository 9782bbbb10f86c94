/* SPDX-License-Identifier: MIT */
/*
 * A process of Domain-0 that asks for one port and uses it: the CMOS index at 0x70 keeps what is
 * written to its low bits. Exit status 0: the port it asked for works, and the one beside it ends a
 * child with SIGSEGV.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/io.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	int status;
	pid_t child;

	if (ioperm(0x70, 1, 1)) {
		perror("ioperm");
		return 1;
	}
	outb(0x0b, 0x70);
	child = fork();
	if (child == 0) {
		(void)inb(0x71);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFSIGNALED(status) ||
	    WTERMSIG(status) != SIGSEGV) {
		fprintf(stderr, "the neighbouring port is open, too\n");
		return 1;
	}
	return 0;
}
