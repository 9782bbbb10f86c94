/* SPDX-License-Identifier: MIT */
/* Raw mode, and a signal handler that restores the terminal's settings. */
#include "xm/raw_terminal.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <termios.h>
#include <unistd.h>

static const int deadly[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

static struct termios before;
static volatile sig_atomic_t raw_fd = -1;
static bool taken[sizeof(deadly) / sizeof(deadly[0])]; /* signals that end in die() */

void raw_terminal_leave(void)
{
	int fd = raw_fd;

	raw_fd = -1;
	if (fd < 0)
		return;
	tcsetattr(fd, TCSADRAIN, &before);
	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		if (taken[i])
			signal(deadly[i], SIG_DFL);
}

/* A signal handler: calls only async-signal-safe functions. */
static void die(int number)
{
	raw_terminal_leave();
	signal(number, SIG_DFL);
	raise(number);
}

/* A signal that somebody else handles, or that is ignored, does not end the process. */
static void take(size_t i)
{
	struct sigaction former;

	taken[i] = sigaction(deadly[i], NULL, &former) == 0 && former.sa_handler == SIG_DFL;
	if (taken[i])
		signal(deadly[i], die);
}

void raw_terminal_enter(int fd)
{
	struct termios raw;

	if (tcgetattr(fd, &before))
		return;
	raw = before;
	cfmakeraw(&raw);
	raw_fd = fd;
	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		take(i);
	tcsetattr(fd, TCSADRAIN, &raw);
}
