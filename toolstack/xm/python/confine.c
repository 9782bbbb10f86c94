/* SPDX-License-Identifier: MIT */
/*
 * The limits of a process with a domain's Python file. A rlimit does not stop root from making
 * processes, and a network namespace needs root; a seccomp filter works for everybody.
 */
#include "xm/python/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/alloc.h"

enum { CONTROL_FD = 6 };

/* What the child says last. Python's start closes the socket, and then nothing was said. */
struct failure {
	int32_t errnum;
	char step[60];
};

/* --- in the child --- */

static _Noreturn void fail(int control, int errnum, const char *step)
{
	struct failure failure = { .errnum = errnum };

	snprintf(failure.step, sizeof(failure.step), "%s", step);
	if (send(control, &failure, sizeof(failure), MSG_NOSIGNAL) < 0)
		_exit(126);
	_exit(127);
}

/* Moves the descriptors out of the way first, because one may have another's place. */
static int place_files(const struct confine_files *files)
{
	const int from[] = { files->input,  files->output,  files->output, files->request,
			     files->answer, files->program, files->control };
	enum { count = sizeof(from) / sizeof(from[0]) };
	int aside[count];

	for (int i = 0; i < count; i++) {
		aside[i] = fcntl(from[i], F_DUPFD, count);
		if (aside[i] < 0)
			return -1;
	}
	for (int i = 0; i < count; i++)
		if (dup2(aside[i], i) < 0)
			return -1;
	return close_range(CONTROL_FD + 1, ~0U, 0) || fcntl(CONTROL_FD, F_SETFD, FD_CLOEXEC) ? -1 :
											       0;
}

/*
 * No sockets but unix ones. New processes and threads only with the parent's consent. clone3()
 * passes its flags in memory, which a filter cannot see: without it libc takes clone().
 */
static int filter_calls(int *notify)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int rc = filter ? 0 : -ENOMEM;

	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socket), 1,
				      SCMP_A0(SCMP_CMP_NE, AF_UNIX));
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(io_uring_setup), 0);
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_NOTIFY, SCMP_SYS(fork), 0);
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_NOTIFY, SCMP_SYS(vfork), 0);
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_NOTIFY, SCMP_SYS(clone), 0);
	/* watch.c has the reason. */
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_NOTIFY, SCMP_SYS(rt_sigaction), 2,
				      SCMP_A0(SCMP_CMP_EQ, SIGCHLD), SCMP_A1(SCMP_CMP_NE, 0));
	if (rc == 0)
		rc = seccomp_load(filter);
	if (rc == 0)
		*notify = fcntl(seccomp_notify_fd(filter), F_DUPFD_CLOEXEC, CONTROL_FD + 1);
	if (filter)
		seccomp_release(filter);
	return rc;
}

static int send_fd(int control, int fd)
{
	char byte = 0, room[CMSG_SPACE(sizeof(int))] = "";
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = room,
				  .msg_controllen = sizeof(room) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(int));
	return sendmsg(control, &message, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

/* A lower limit that the caller already has stays. */
static int set_limit(int resource, rlim_t value)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit))
		return -1;
	if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > value)
		limit.rlim_max = value;
	if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	return setrlimit(resource, &limit);
}

/* If memory runs out all the same, the kernel ends this process before any other. */
static void go_first(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "1000", 4) < 0)
		errno = 0;
	close(fd);
}

/* Only what a program needs to know of the caller; no variable can lead it elsewhere. */
static char **environment(void)
{
	static const char *const kept[] = { "HOME", "USER", "LOGNAME", "TZ" };
	enum { fixed = 2, count = sizeof(kept) / sizeof(kept[0]) };
	char **list = xcalloc(fixed + count + 1, sizeof(*list));
	int nr = 0;

	list[nr++] = xstrdup("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	list[nr++] = xstrdup("LC_ALL=C.UTF-8");
	for (int i = 0; i < count; i++)
		if (getenv(kept[i]))
			list[nr++] = xasprintf("%s=%s", kept[i], getenv(kept[i]));
	return list;
}

void confine_exec(const char *interpreter, const struct confine_files *files, unsigned int seconds,
		  pid_t parent, const sigset_t *mask)
{
	/* -I: no PYTHON variables, no directories of the user's. -B: no files beside modules. */
	const char *argv[] = { interpreter, "-I", "-B", "-X", "utf8", "/proc/self/fd/5", NULL };
	char **envp = environment();
	int notify = -1, rc;

	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	if (place_files(files))
		_exit(126);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(126);
	go_first();
	rc = filter_calls(&notify);
	if (rc)
		fail(CONTROL_FD, -rc, "to limit its system calls (seccomp)");
	if (notify < 0 || send_fd(CONTROL_FD, notify))
		fail(CONTROL_FD, errno, "to watch the processes that it starts");
	close(notify);
	/* The address space last: the memory of a sanitized xm is larger. */
	if (set_limit(RLIMIT_CORE, 0) || set_limit(RLIMIT_CPU, 2 * (rlim_t)seconds + 1) ||
	    set_limit(RLIMIT_AS, (rlim_t)PYTHON_MEMORY_MIB << 20))
		fail(CONTROL_FD, errno, "to limit its memory and time");
	execve(interpreter, (char *const *)(uintptr_t)argv, envp);
	fail(CONTROL_FD, errno, "to start it");
}

/* --- in the parent --- */

/* Returns the descriptor in the child's first message, -1 when it holds none. */
static int fd_of(struct msghdr *message)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	int fd = -1;

	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

int confine_receive(int control, const char **step)
{
	static struct failure failure;
	char room[CMSG_SPACE(sizeof(int))];
	struct iovec part = { &failure, sizeof(failure) };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = room,
				  .msg_controllen = sizeof(room) };
	ssize_t length = recvmsg(control, &message, MSG_CMSG_CLOEXEC);
	int notify = length > 0 ? fd_of(&message) : -1;

	if (notify >= 0) {
		length = recv(control, &failure, sizeof(failure), 0);
		if (!length)
			return notify;
		close(notify);
	}
	if (length != sizeof(failure)) {
		*step = "to start it";
		return -EIO;
	}
	failure.step[sizeof(failure.step) - 1] = '\0';
	*step = failure.step;
	return failure.errnum > 0 ? -failure.errnum : -EIO;
}
