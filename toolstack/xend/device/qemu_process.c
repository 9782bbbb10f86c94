/* SPDX-License-Identifier: MIT */
/* Finds a QEMU process by its pid file and its command line, and holds it by a pidfd. */
#include "xend/device/qemu_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/str.h"
#include "xend/device/qemu.h"

/* Bytes of a command line that are looked at; ours is shorter. */
#define CMDLINE_MAX 16384
/* The name of such a process: the first 15 bytes of its program's. */
#define QEMU_COMM "xen-qemu-system"

void qemu_pid_path(int domid, char path[QEMU_PATH_MAX])
{
	snprintf(path, QEMU_PATH_MAX, QEMU_RUN "/%d.pid", domid);
}

void qemu_control_path(int domid, char path[QEMU_PATH_MAX])
{
	snprintf(path, QEMU_PATH_MAX, QEMU_RUN "/%d.qmp", domid);
}

void qemu_screen_path(int domid, bool socket, char path[QEMU_PATH_MAX])
{
	snprintf(path, QEMU_PATH_MAX, QEMU_SCREENS "/%d%s", domid, socket ? "/socket" : "");
}

/* The word after `option`; NULL: the command line lacks the option. Each word ends with a NUL. */
static const char *word_after(const char *cmdline, size_t length, const char *option)
{
	const char *end = cmdline + length;

	for (const char *word = cmdline; word < end; word += strlen(word) + 1) {
		const char *next = word + strlen(word) + 1;

		if (strcmp(word, option) == 0)
			return next < end ? next : NULL;
	}
	return NULL;
}

bool qemu_cmdline_matches(const char *cmdline, size_t length, const char *program,
			  const char *pid_path, char uuid[QEMU_UUID_SIZE])
{
	const char *path, *id;

	if (!length || cmdline[length - 1] || strcmp(cmdline, program) != 0)
		return false;
	path = word_after(cmdline, length, "-pidfile");
	id = word_after(cmdline, length, "-uuid");
	if (!path || strcmp(path, pid_path) != 0 || !id || strlen(id) != QEMU_UUID_SIZE - 1)
		return false;
	memcpy(uuid, id, QEMU_UUID_SIZE);
	return true;
}

/* Reads /proc/PID/`name`. 0 or -errno; -ENOENT, -ESRCH: there is no such process. */
static int read_proc(pid_t pid, const char *name, struct str *out)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return file_read(path, CMDLINE_MAX, out, NULL);
}

/* A process without a command line is about to end, if it is not the kernel's own. */
static enum qemu_life judge_by_name(pid_t pid)
{
	struct str name = STR_INIT;
	enum qemu_life life = QEMU_UNKNOWN;
	int rc = read_proc(pid, "comm", &name);

	if (rc == -ENOENT || rc == -ESRCH ||
	    (name.len && strcmp(str_trim(name.text), QEMU_COMM) != 0))
		life = QEMU_NONE;
	str_free(&name);
	return life;
}

static enum qemu_life judge(pid_t pid, const char *pid_path, char uuid[QEMU_UUID_SIZE])
{
	struct str cmdline = STR_INIT;
	enum qemu_life life = QEMU_NONE;
	int rc = read_proc(pid, "cmdline", &cmdline);

	/* A longer one is somebody else's. */
	if (rc)
		life = rc == -ENOENT || rc == -ESRCH || rc == -EFBIG ? QEMU_NONE : QEMU_UNKNOWN;
	else if (!cmdline.len)
		life = judge_by_name(pid);
	else if (qemu_cmdline_matches(str_text(&cmdline), cmdline.len, QEMU_PROGRAM, pid_path,
				      uuid))
		life = QEMU_RUNS;
	str_free(&cmdline);
	return life;
}

/* 0: the file names no process, -errno: it cannot be read. */
static pid_t read_pid(const char *path)
{
	struct str text = STR_INIT;
	uint64_t pid = 0;
	int rc = file_read(path, 32, &text, NULL);

	if (rc == 0 && text.len)
		str_to_u64(str_trim(text.text), 10, 1, INT32_MAX, &pid);
	str_free(&text);
	return rc && rc != -ENOENT && rc != -EFBIG ? rc : (pid_t)pid;
}

enum qemu_life qemu_process_find(int domid, struct qemu_process *process)
{
	char path[QEMU_PATH_MAX];
	enum qemu_life life;
	pid_t pid;

	*process = (struct qemu_process){ .pidfd = -1 };
	qemu_pid_path(domid, path);
	pid = read_pid(path);
	if (pid <= 0)
		return pid ? QEMU_UNKNOWN : QEMU_NONE;
	process->pid = pid;
	process->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (process->pidfd < 0)
		return errno == ESRCH ? QEMU_NONE : QEMU_UNKNOWN;
	fcntl(process->pidfd, F_SETFD, FD_CLOEXEC);
	life = judge(pid, path, process->uuid);
	if (life != QEMU_NONE && !qemu_process_ended(process))
		return life;
	qemu_process_close(process);
	return QEMU_NONE;
}

enum qemu_life qemu_life(int domid)
{
	struct qemu_process process;
	enum qemu_life life = qemu_process_find(domid, &process);

	qemu_process_close(&process);
	return life;
}

bool qemu_process_ended(const struct qemu_process *process)
{
	struct pollfd poll_fd = { .fd = process->pidfd, .events = POLLIN };

	return process->pidfd >= 0 && poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & POLLIN);
}

void qemu_process_signal(const struct qemu_process *process, int signal)
{
	if (process->pidfd < 0)
		return;
	syscall(SYS_pidfd_send_signal, process->pidfd, signal, NULL, 0);
}

void qemu_process_close(struct qemu_process *process)
{
	if (process->pidfd >= 0)
		close(process->pidfd);
	process->pidfd = -1;
}
