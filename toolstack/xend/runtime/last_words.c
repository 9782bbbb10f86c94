/* SPDX-License-Identifier: MIT */
/* Everything here may have been interrupted anywhere: only calls that a handler may make. */
#include "xend/runtime/last_words.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* A task's stack may be what is used up. */
static char stack[16 * 1024];
static const char *log_path;

static void add_text(char *line, size_t size, const char *text)
{
	size_t length = strlen(line);

	while (*text && length < size - 1)
		line[length++] = *text++;
	line[length] = '\0';
}

static void add_number(char *line, size_t size, unsigned long number, unsigned int base)
{
	char digits[24], *at = digits + sizeof(digits) - 1;

	*at = '\0';
	do {
		*--at = "0123456789abcdef"[number % base];
		number /= base;
	} while (number);
	add_text(line, size, at);
}

static void say(int signal, const siginfo_t *info)
{
	/* A log that is a FIFO, or whose disk hangs, must not keep a dead process. */
	int fd = open(log_path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	char line[256] = "";

	if (fd < 0)
		return;
	add_text(line, sizeof(line), "ERROR xend ends by signal ");
	add_number(line, sizeof(line), (unsigned long)signal, 10);
	if (info->si_code > 0) {
		add_text(line, sizeof(line), ", at the address 0x");
		add_number(line, sizeof(line), (unsigned long)info->si_addr, 16);
	} else {
		add_text(line, sizeof(line), ", from process ");
		add_number(line, sizeof(line), (unsigned long)info->si_pid, 10);
	}
	add_text(line, sizeof(line),
		 ": a fault of xend or of the machine. Domains run on. Start xend again.\n");
	if (write(fd, line, strlen(line)) < 0)
		line[0] = '\0';
	close(fd);
}

/* The signal comes again, from the same instruction if it was one, and finds its usual effect. */
static void on_fault(int signal, siginfo_t *info, void *context)
{
	say(signal, info);
	if (info->si_code <= 0)
		raise(signal);
}

void last_words_setup(const char *path)
{
	static const int faults[] = { SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV };
	const stack_t its_stack = { .ss_sp = stack, .ss_size = sizeof(stack) };
	const struct sigaction action = { .sa_sigaction = on_fault,
					  .sa_flags = (int)(SA_SIGINFO | SA_ONSTACK | SA_NODEFER |
							    SA_RESETHAND) };
	struct sigaction before;

	log_path = path;
	if (sigaltstack(&its_stack, NULL))
		return;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (sigaction(faults[i], NULL, &before) == 0 && !(before.sa_flags & SA_SIGINFO) &&
		    before.sa_handler == SIG_DFL)
			sigaction(faults[i], &action, NULL);
}
