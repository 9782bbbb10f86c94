/* SPDX-License-Identifier: MIT */
/*
 * Time stamps for scripts.
 *
 *	ticks			prints the TSC
 *	as process 1		says "BENCH-FIRST TSC" on its console and becomes /init;
 *				with bench_mark= on the kernel's command line it first
 *				writes to MARK_PORT
 *	ticks mark COMMAND...	runs it between two writes to MARK_PORT, which stop the
 *				emulator; in Domain-0 only
 *	ticks COMMAND...	runs it, says on standard error how many microseconds it
 *				took; its exit status
 */
#include "ticks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/wait.h>

static int run(char **argv, int marks)
{
	uint64_t start;
	pid_t child;
	int status = -1;

	if (marks && mark()) {
		printf("BENCH-FAILED ticks: /dev/port: %s\n", strerror(errno));
		return 127;
	}
	start = ticks();
	child = fork();
	if (!child) {
		execvp(argv[0], argv);
		fprintf(stderr, "ticks: %s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child) {
		fprintf(stderr, "ticks: %s cannot be run: %s\n", argv[0], strerror(errno));
		return 127;
	}
	if (marks)
		mark();
	fprintf(stderr, "%llu\n", (unsigned long long)(ticks() - start) / 1000);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void say_first(unsigned long long now)
{
	int fd = open("/dev/console", O_WRONLY);
	char line[64];
	int n = snprintf(line, sizeof(line), "BENCH-FIRST %llu\n", now);

	if (fd >= 0 && write(fd, line, (size_t)n) == n)
		close(fd);
}

static void be_first(void)
{
	char *argv[] = { "/init", NULL };
	unsigned long long now = ticks();

	/* Nothing is mounted yet that has /dev/port. */
	if (getenv("bench_mark") && iopl(3) == 0)
		outb(1, MARK_PORT);
	say_first(now);
	execv(argv[0], argv);
}

int main(int argc, char **argv)
{
	if (getpid() == 1) {
		be_first();
		return 1;
	}
	if (argc > 2 && !strcmp(argv[1], "mark"))
		return run(argv + 2, 1);
	if (argc > 1)
		return run(argv + 1, 0);
	printf("%llu\n", (unsigned long long)ticks());
	return 0;
}
