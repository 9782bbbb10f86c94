/* SPDX-License-Identifier: MIT */
/*
 * Runs a confined program: the parent's side, and the program's init process, which is a process of
 * ours in new namespaces, so everything inside dies with it.
 */
#include "worker/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/file.h"

#define COMPLAINT_MAX 1024

/* The message through the pipe at the end: why the program could not run, or how it ended. */
struct report {
	int errnum; /* 0: it ran */
	char what[60];
	int status; /* as waitpid's */
};

/* --- in the child --- */

#define REPORT_FD 3

/*
 * Makes descriptors 0 to 2 the program's, REPORT_FD ours, *directory the one behind, and closes all
 * others.
 */
static int take_descriptors(int out, int err, int report, int *directory)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int moved[4] = { fcntl(null, F_DUPFD_CLOEXEC, 10), fcntl(out, F_DUPFD_CLOEXEC, 10),
			 fcntl(err, F_DUPFD_CLOEXEC, 10), fcntl(report, F_DUPFD_CLOEXEC, 10) };

	*directory = fcntl(*directory, F_DUPFD_CLOEXEC, 10);
	for (int i = 0; i < 4; i++)
		if (moved[i] < 0 || dup3(moved[i], i, i == REPORT_FD ? O_CLOEXEC : 0) < 0)
			return -1;
	if (*directory < 0 || dup3(*directory, REPORT_FD + 1, O_CLOEXEC) < 0)
		return -1;
	*directory = REPORT_FD + 1;
	return close_range(REPORT_FD + 2, ~0U, 0);
}

/*
 * The parent may have died before the prctl(): then its end of the pipe is closed, and poll() says
 * so.
 */
static int die_with_parent(void)
{
	struct pollfd p = { .fd = REPORT_FD };

	return prctl(PR_SET_PDEATHSIG, SIGKILL) || poll(&p, 1, 0) != 0 ? -1 : 0;
}

/* Returns only when the program cannot run: what was attempted. */
static const char *run_program(const struct confine_spec *spec)
{
	static const char *const env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C", NULL };
	static const char *const env_restricted[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
						      "LANG=C", "HOME=" CONFINE_OUTPUT,
						      "TMPDIR=" CONFINE_OUTPUT, NULL };
	const char *what = "give it its directory";

	if (chdir("/") == 0 && (!spec->restricted || confine_drop(spec, &what) == 0)) {
		what = "run it";
		execve(spec->program, (char *const *)spec->argv,
		       (char *const *)(spec->restricted ? env_restricted : env));
	}
	return what;
}

static _Noreturn void send_report(struct report *report, int errnum, const char *what)
{
	report->errnum = errnum;
	snprintf(report->what, sizeof(report->what), "%s", what);
	/* Shorter than PIPE_BUF, so it is written as a whole or not at all. */
	_exit(write(REPORT_FD, report, sizeof(*report)) == sizeof(*report) ? 0 : 1);
}

/*
 * The first process of the namespace. It stays ours while the program runs, so that the namespace
 * has a process with a PR_SET_PDEATHSIG that works: the program could lose its own (by prctl(), by
 * a change of user, or by an execve() in a thread), but it cannot touch this process.
 */
static _Noreturn void child(const struct confine_spec *spec, int out, int err, int report_fd,
			    int directory)
{
	struct report report = { 0 };
	const char *what = "give it its descriptors";
	bool ok = take_descriptors(out, err, report_fd, &directory) == 0;
	pid_t program, ended;

	signal(SIGPIPE, SIG_DFL);
	setsid();
	ok = ok && confine_enter_tree(spec, directory, &what) == 0;
	close(directory);
	if (ok) {
		what = "have it end with its parent";
		ok = die_with_parent() == 0;
	}
	if (!ok)
		send_report(&report, errno, what);
	program = fork();
	if (program == 0) {
		what = run_program(spec);
		send_report(&report, errno, what);
	}
	if (program < 0)
		send_report(&report, errno, "make a process for it");
	/* Other children are what the program left behind; they die with this process. */
	do
		ended = waitpid(-1, &report.status, 0);
	while (ended != program && (ended > 0 || errno == EINTR));
	send_report(&report, 0, "");
}

/* --- in the parent --- */

static int set_number(int fs, const char *key, unsigned long long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", value);
	return fsconfig(fs, FSCONFIG_SET_STRING, key, text, 0);
}

/*
 * Makes a small tmpfs for the output, attached nowhere; it is gone when its last descriptor is
 * closed. Returns a descriptor, or -1.
 */
static int make_directory(const struct confine_spec *spec)
{
	const unsigned int attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	uint32_t owner = spec->restricted ? spec->id : 0;
	int fs = fsopen("tmpfs", FSOPEN_CLOEXEC), directory = -1;

	if (fs < 0)
		return -1;
	if (set_number(fs, "size", spec->output_size) == 0 &&
	    set_number(fs, "nr_inodes", 256) == 0 &&
	    fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0700", 0) == 0 &&
	    set_number(fs, "uid", owner) == 0 && set_number(fs, "gid", owner) == 0 &&
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		directory = fsmount(fs, FSMOUNT_CLOEXEC, attributes);
	close(fs);
	return directory;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Reads from a pipe that is ready. */
static void read_pipe(int fd, struct str *text)
{
	char chunk[4096];
	ssize_t n = read(fd, chunk, sizeof(chunk));

	if (n > 0)
		str_add_bytes(text, chunk, (size_t)n);
}

static void read_complaint(int fd, struct str *complaint)
{
	read_pipe(fd, complaint);
	if (complaint->len > COMPLAINT_MAX)
		str_drop(complaint, complaint->len - COMPLAINT_MAX);
}

/* Returns when the program has ended and all of its output is read, or when it must be killed. */
static enum confine_end watch(int pidfd, int out, int err, unsigned int seconds,
			      struct confine_result *result)
{
	struct pollfd p[3] = { { pidfd, POLLIN, 0 }, { out, POLLIN, 0 }, { err, POLLIN, 0 } };
	int64_t deadline = now_ms() + seconds * 1000LL;

	for (;;) {
		int64_t left = deadline - now_ms();

		if (left <= 0)
			return CONFINE_TOOK_TOO_LONG;
		if (poll(p, 3, (int)left) <= 0)
			continue;
		if (p[1].revents & POLLIN)
			read_pipe(out, &result->said);
		if (p[2].revents & POLLIN)
			read_complaint(err, &result->complaint);
		if (result->said.len > CONFINE_SAID_MAX)
			return CONFINE_SAID_TOO_MUCH;
		if (p[0].revents && !((p[1].revents | p[2].revents) & POLLIN))
			return CONFINE_ENDED;
		/* poll() reports a closed pipe forever: stop watching it. */
		for (int i = 1; i < 3; i++)
			if (p[i].revents && !(p[i].revents & POLLIN))
				p[i].fd = -1;
	}
}

static int judge_start(int report_fd, const char *program, int *status, struct error **e)
{
	struct report report;

	/* A child that was killed sends no report. */
	if (read(report_fd, &report, sizeof(report)) != sizeof(report))
		return 0;
	*status = report.status;
	if (!report.errnum)
		return 0;
	report.what[sizeof(report.what) - 1] = '\0';
	return error_set(e, report.errnum, "%s cannot be run: xend-worker could not %s: %s.",
			 program, report.what, strerror(report.errnum));
}

struct pipes {
	int out[2], err[2], report[2];
};

static void close_pair(int pair[2])
{
	for (int i = 0; i < 2; i++)
		if (pair[i] >= 0)
			close(pair[i]);
}

static void close_pipes(struct pipes *pipes)
{
	close_pair(pipes->out);
	close_pair(pipes->err);
	close_pair(pipes->report);
}

static void close_write_ends(struct pipes *pipes)
{
	int *const ends[] = { &pipes->out[1], &pipes->err[1], &pipes->report[1] };

	for (size_t i = 0; i < 3; i++) {
		close(*ends[i]);
		*ends[i] = -1;
	}
}

/*
 * fork() into new namespaces. The child is the first process of its PID namespace: when it dies,
 * the kernel kills all others there.
 */
static pid_t fork_apart(bool restricted)
{
	unsigned long flags = SIGCHLD | CLONE_NEWPID | CLONE_NEWNS;

	if (restricted)
		flags |= CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
	fflush(NULL);
	return (pid_t)syscall(SYS_clone, flags, 0, 0, 0, 0);
}

static int run(const struct confine_spec *spec, struct pipes *pipes, struct confine_result *result,
	       struct error **e)
{
	pid_t pid = fork_apart(spec->restricted);
	int pidfd, rc;

	if (pid == 0)
		child(spec, pipes->out[1], pipes->err[1], pipes->report[1], result->output);
	if (pid < 0)
		return error_set(e, errno, "%s cannot be run: no process could be made for it: %s.",
				 spec->program, strerror(errno));
	close_write_ends(pipes);
	pidfd = pidfd_open(pid, 0);
	rc = pidfd < 0 ? error_set(e, errno, "%s cannot be watched: %s.", spec->program,
				   strerror(errno)) :
			 0;
	if (rc == 0)
		result->end = watch(pidfd, pipes->out[0], pipes->err[0], spec->seconds, result);
	kill(pid, SIGKILL);
	while (waitpid(pid, &result->status, 0) < 0 && errno == EINTR)
		;
	if (pidfd >= 0)
		close(pidfd);
	return rc ? rc : judge_start(pipes->report[0], spec->program, &result->status, e);
}

int confine_run(const struct confine_spec *spec, struct confine_result *result, struct error **e)
{
	struct pipes pipes = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
	int rc = 0;

	*result = (struct confine_result){ .output = -1 };
	if (!spec->restricted)
		rc = file_make_dirs(CONFINE_OUTPUT_UNRESTRICTED, 0700, e);
	if (rc)
		return rc;
	result->output = make_directory(spec);
	if (result->output < 0)
		return error_set(e, errno,
				 "%s cannot be run: its directory (a tmpfs) could not be made: %s.",
				 spec->program, strerror(errno));
	if (pipe2(pipes.out, O_CLOEXEC) || pipe2(pipes.err, O_CLOEXEC) ||
	    pipe2(pipes.report, O_CLOEXEC))
		rc = error_set(e, errno, "%s cannot be run: %s.", spec->program, strerror(errno));
	else
		rc = run(spec, &pipes, result, e);
	close_pipes(&pipes);
	return rc;
}

void confine_free(struct confine_result *result)
{
	if (result->output >= 0)
		close(result->output);
	result->output = -1;
	str_free(&result->said);
	str_free(&result->complaint);
}
