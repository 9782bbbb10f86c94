/* SPDX-License-Identifier: MIT */
/*
 * Runs a function in a process without privilege. One fork(): the child gives up everything, runs
 * the function and sends a report through a pipe.
 */
#include "worker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "worker/limits.h"

#define NOBODY	   65534
#define REPORT_FD  3
#define OUTPUT_FD  4
#define REASON_MAX 200

/* The child's only message, through the pipe. */
struct report {
	int32_t rc;
	char why[REASON_MAX];
};

/* --- in the child --- */

static int set_limit(int resource, rlim_t value)
{
	struct rlimit limit = { value, value };

	return setrlimit(resource, &limit);
}

static int limit_resources(const struct sandbox_limits *limits)
{
	uint64_t now = limits_address_space();

	if (!LIMITS_SANITIZED && set_limit(RLIMIT_AS, now + limits->memory))
		return -1;
	/* RLIMIT_AS and not RLIMIT_DATA, which does not count mappings of files. */
	return set_limit(RLIMIT_CPU, limits->seconds) ||
			       set_limit(RLIMIT_FSIZE, limits->file_size) ||
			       set_limit(RLIMIT_CORE, 0) || set_limit(RLIMIT_NPROC, 0) ||
			       set_limit(RLIMIT_NOFILE, OUTPUT_FD + 1) ||
			       set_limit(RLIMIT_MEMLOCK, 0) ?
		       -1 :
		       0;
}

/* Drops user, groups and the ways to regain them. Without root there is nothing to drop. */
static int drop_privilege(void)
{
	if (prctl(PR_SET_DUMPABLE, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	if (geteuid() != 0)
		return 0;
	/*
	 * In fdinfo is nothing but this process's own descriptors. Without /proc there is no
	 * chroot; then the seccomp filter alone keeps the child from files.
	 */
	if (chroot("/proc/self/fdinfo") == 0 && chdir("/"))
		return -1;
	return setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
			       setresuid(NOBODY, NOBODY, NOBODY) ?
		       -1 :
		       0;
}

static int allow_only_needed_calls(void)
{
	static const struct limits_call allowed[] = {
		{ SCMP_SYS(read), LIMITS_ANY },		{ SCMP_SYS(pread64), LIMITS_ANY },
		{ SCMP_SYS(write), LIMITS_ANY },	{ SCMP_SYS(pwrite64), LIMITS_ANY },
		{ SCMP_SYS(lseek), LIMITS_ANY },	{ SCMP_SYS(fstat), LIMITS_ANY },
		{ SCMP_SYS(newfstatat), LIMITS_ANY },	{ SCMP_SYS(ftruncate), LIMITS_ANY },
		{ SCMP_SYS(brk), LIMITS_ANY },		{ SCMP_SYS(munmap), LIMITS_ANY },
		{ SCMP_SYS(mremap), LIMITS_ANY },	{ SCMP_SYS(madvise), LIMITS_ANY },
		{ SCMP_SYS(exit_group), LIMITS_ANY },	{ SCMP_SYS(rt_sigreturn), LIMITS_ANY },
		{ SCMP_SYS(futex), LIMITS_ANY },	{ SCMP_SYS(mmap), LIMITS_NO_CODE },
		{ SCMP_SYS(mprotect), LIMITS_NO_CODE },
	};

	return limits_allow_calls(SCMP_ACT_KILL_PROCESS, allowed,
				  sizeof(allowed) / sizeof(allowed[0]));
}

/* Closes all descriptors but REPORT_FD and OUTPUT_FD. */
static int keep_only(int report_fd, int output_fd)
{
	int report = dup2(report_fd, 100);
	int output = output_fd >= 0 ? dup2(output_fd, 101) : -1;

	if (report < 0 || (output_fd >= 0 && output < 0) || dup2(report, REPORT_FD) < 0)
		return -1;
	if (output >= 0 && dup2(output, OUTPUT_FD) < 0)
		return -1;
	for (int fd = 0; fd < REPORT_FD; fd++)
		close(fd);
	return close_range(output >= 0 ? OUTPUT_FD + 1 : OUTPUT_FD, ~0U, 0);
}

/*
 * Runs after drop_privilege(), because a change of user clears PR_SET_PDEATHSIG. The parent may
 * have died before the prctl(); getppid() tells.
 */
static int die_with_parent(pid_t parent)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent ? -1 : 0;
}

static _Noreturn void child(sandbox_fn *fn, void *context, int report_fd, int output_fd,
			    void *result, const struct sandbox_limits *limits, pid_t parent)
{
	struct report report = { 0 };
	const char *why = "it could not be looked at";

	signal(SIGTERM, SIG_DFL);
	signal(SIGXFSZ, SIG_IGN); /* a write past the limit fails instead */
	if (keep_only(report_fd, output_fd))
		syscall(SYS_exit_group, 2);
	if (limit_resources(limits) || drop_privilege() || die_with_parent(parent) ||
	    allow_only_needed_calls()) {
		report.rc = -EPERM;
		why = "a process without privilege could not be made for looking at it";
	} else {
		report.rc = fn(context, output_fd >= 0 ? OUTPUT_FD : -1, result, &why);
	}
	if (report.rc && why)
		strncpy(report.why, why, sizeof(report.why) - 1);
	/* Shorter than PIPE_BUF, so it is written as a whole or not at all. */
	syscall(SYS_exit_group,
		write(REPORT_FD, &report, sizeof(report)) == sizeof(report) ? 0 : 2);
	__builtin_unreachable();
}

/* --- in the parent --- */

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* 0 with the report, -ETIMEDOUT, or -EPIPE when the child died without a report. */
static int wait_report(int fd, unsigned int seconds, struct report *report)
{
	int64_t deadline = now_ms() + seconds * 1000LL;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = deadline - now_ms();
		ssize_t n;

		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		n = read(fd, report, sizeof(*report));
		if (n < 0 && errno == EINTR)
			continue;
		return n == sizeof(*report) ? 0 : -EPIPE;
	}
}

/*
 * Whether the limit of processor time ended the child. The kernel sends SIGKILL, not SIGXCPU, where
 * the hard limit is reached, too. It counts for the limit by another clock than for the usage that
 * it tells, which may be some milliseconds less.
 */
static bool used_its_time(int status, const struct rusage *usage, unsigned int seconds)
{
	int64_t used_ms = (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000LL +
			  (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1000;

	return WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU ||
				       (WTERMSIG(status) == SIGKILL && used_ms >= seconds * 900LL));
}

static int judge(int waited, int status, const struct rusage *usage, const struct report *report,
		 unsigned int seconds, const char *what, struct error **e)
{
	if (waited == -ETIMEDOUT || (waited && used_its_time(status, usage, seconds)))
		return error_set(e, ETIMEDOUT,
				 "%s is not usable: reading it took more than %u seconds.", what,
				 seconds);
	if (waited)
		return error_set(e, EINVAL,
				 "%s is not usable: the process that read it was stopped (%s).",
				 what,
				 WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "no answer");
	if (report->rc)
		return error_set(e, report->rc, "%s is not usable: %.*s.", what, REASON_MAX - 1,
				 report->why);
	return 0;
}

int sandbox_run(sandbox_fn *fn, void *context, int output_fd, void *result, size_t result_size,
		const struct sandbox_limits *limits, const char *what, struct error **e)
{
	void *shared =
		mmap(NULL, result_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct report report = { 0 };
	struct rusage usage = { 0 };
	int pipe_fds[2], status = 0, rc;
	pid_t parent = getpid(), pid;

	if (shared == MAP_FAILED)
		return error_set(e, errno, "%s could not be read: %s.", what, strerror(errno));
	if (pipe2(pipe_fds, O_CLOEXEC)) {
		munmap(shared, result_size);
		return error_set(e, errno, "%s could not be read: %s.", what, strerror(errno));
	}
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		child(fn, context, pipe_fds[1], output_fd, shared, limits, parent);
	close(pipe_fds[1]);
	if (pid < 0) {
		rc = error_set(e, errno, "%s could not be read: %s.", what, strerror(errno));
	} else {
		rc = wait_report(pipe_fds[0], limits->seconds, &report);
		/*
		 * The report is the last that a child does. One that was taken over may stay after
		 * it, for ever.
		 */
		kill(pid, SIGKILL);
		while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR)
			;
		rc = judge(rc, status, &usage, &report, limits->seconds, what, e);
	}
	close(pipe_fds[0]);
	memcpy(result, shared, result_size);
	munmap(shared, result_size);
	return rc;
}
