/* SPDX-License-Identifier: MIT */
/*
 * Runs a confined program: the parent's side, and the program's init process, which is a process of
 * ours in new namespaces, so everything inside dies with it.
 */
#include "worker/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/file.h"

/* The message through the pipe at the end: why the program could not run, or how it ended. */
struct report {
	int errnum; /* 0: it ran */
	char what[60];
	int status; /* as waitpid's */
};

/* --- in the child --- */

#define REPORT_FD 3

/* With a console, `out` is a terminal, whose second end is the program's, and there is no `err`. */
struct pipes {
	int out[2], err[2], report[2];
};

/*
 * Makes descriptors 0 to 2 the program's, REPORT_FD ours, *directory the one behind, and closes all
 * others.
 */
static int take_descriptors(const struct confine_spec *spec, const struct pipes *pipes,
			    int *directory)
{
	const int terminal = pipes->out[1];
	const int in = spec->console ? terminal : open("/dev/null", O_RDONLY | O_CLOEXEC);
	const int files[4] = { in, pipes->out[1], spec->console ? terminal : pipes->err[1],
			       pipes->report[1] };
	int moved[4];

	for (int i = 0; i < 4; i++)
		moved[i] = fcntl(files[i], F_DUPFD_CLOEXEC, 10);
	*directory = fcntl(*directory, F_DUPFD_CLOEXEC, 10);
	for (int i = 0; i < 4; i++)
		if (moved[i] < 0 || dup3(moved[i], i, i == REPORT_FD ? O_CLOEXEC : 0) < 0)
			return -1;
	if (*directory < 0 || dup3(*directory, REPORT_FD + 1, O_CLOEXEC) < 0)
		return -1;
	*directory = REPORT_FD + 1;
	return close_range(REPORT_FD + 2, ~0U, 0);
}

/* A session of its own: without a terminal, or with the program's, which no other process has. */
static int begin_session(const struct confine_spec *spec)
{
	setsid();
	return spec->console ? ioctl(STDIN_FILENO, TIOCSCTTY, 0) : 0;
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
	/* All terminals that people have understand what a vt100 does. */
	static const char *const env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C",
					   "TERM=vt100", NULL };
	static const char *const env_restricted[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
						      "LANG=C",
						      "TERM=vt100",
						      "HOME=" CONFINE_OUTPUT,
						      "TMPDIR=" CONFINE_OUTPUT,
						      NULL };
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
static _Noreturn void child(const struct confine_spec *spec, const struct pipes *pipes,
			    int directory)
{
	struct report report = { 0 };
	const char *what = "give it its descriptors";
	bool ok = take_descriptors(spec, pipes, &directory) == 0;
	pid_t program, ended;

	signal(SIGPIPE, SIG_DFL);
	ok = ok && begin_session(spec) == 0;
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
		if (*ends[i] >= 0)
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
		child(spec, pipes, result->output);
	if (pid < 0)
		return error_set(e, errno, "%s cannot be run: no process could be made for it: %s.",
				 spec->program, strerror(errno));
	close_write_ends(pipes);
	pidfd = pidfd_open(pid, 0);
	rc = pidfd < 0 ? error_set(e, errno, "%s cannot be watched: %s.", spec->program,
				   strerror(errno)) :
			 0;
	if (rc == 0)
		result->end = confine_watch(spec, pidfd, pipes->out[0], pipes->err[0], result);
	kill(pid, SIGKILL);
	while (waitpid(pid, &result->status, 0) < 0 && errno == EINTR)
		;
	if (pidfd >= 0)
		close(pidfd);
	return rc ? rc : judge_start(pipes->report[0], spec->program, &result->status, e);
}

/* A terminal of the usual size. */
static int make_terminal(int out[2])
{
	const struct winsize size = { .ws_row = 24, .ws_col = 80 };

	if (openpty(&out[0], &out[1], NULL, NULL, &size))
		return -1;
	fcntl(out[0], F_SETFD, FD_CLOEXEC);
	fcntl(out[1], F_SETFD, FD_CLOEXEC);
	return fcntl(out[0], F_SETFL, O_NONBLOCK);
}

/* The file that a program with a terminal writes its result to. */
static int make_said(const struct confine_spec *spec, int directory)
{
	int fd = openat(directory, CONFINE_SAID, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int rc = fd < 0 ? -1 : 0;

	if (rc == 0 && spec->restricted)
		rc = fchown(fd, spec->id, spec->id);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* The program owns the directory: it may have put anything there. */
static void read_said(struct confine_result *result)
{
	int fd = openat(result->output, CONFINE_SAID,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	ssize_t n = -1;
	char *room;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		room = str_reserve(&result->said, CONFINE_SAID_MAX + 1);
		n = read(fd, room, CONFINE_SAID_MAX + 1);
		result->said.len = n < 0 ? 0 : (size_t)n;
		room[result->said.len] = '\0';
	}
	if (fd >= 0)
		close(fd);
	if (n > CONFINE_SAID_MAX)
		result->end = CONFINE_SAID_TOO_MUCH;
}

static int make_pipes(const struct confine_spec *spec, struct pipes *pipes, int directory)
{
	int rc = pipe2(pipes->report, O_CLOEXEC);

	if (rc == 0 && spec->console)
		rc = make_terminal(pipes->out) || make_said(spec, directory) ? -1 : 0;
	else if (rc == 0)
		rc = pipe2(pipes->out, O_CLOEXEC) || pipe2(pipes->err, O_CLOEXEC) ? -1 : 0;
	return rc;
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
	if (make_pipes(spec, &pipes, result->output))
		rc = error_set(e, errno, "%s cannot be run: %s.", spec->program, strerror(errno));
	else
		rc = run(spec, &pipes, result, e);
	if (rc == 0 && spec->console && result->end == CONFINE_ENDED)
		read_said(result);
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
