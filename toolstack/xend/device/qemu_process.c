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

static bool is_ours(pid_t pid, const char *pid_path, char uuid[QEMU_UUID_SIZE])
{
	struct str cmdline = STR_INIT;
	char path[64];
	bool ours;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	ours = file_read(path, CMDLINE_MAX, &cmdline, NULL) == 0 &&
	       qemu_cmdline_matches(str_text(&cmdline), cmdline.len, QEMU_PROGRAM, pid_path, uuid);
	str_free(&cmdline);
	return ours;
}

bool qemu_process_find(int domid, struct qemu_process *process)
{
	struct str text = STR_INIT;
	char path[QEMU_PATH_MAX];
	uint64_t pid = 0;

	process->pidfd = -1;
	qemu_pid_path(domid, path);
	if (file_read(path, 32, &text, NULL) == 0 && text.len)
		str_to_u64(str_trim(text.text), 10, 1, INT32_MAX, &pid);
	str_free(&text);
	if (!pid)
		return false;
	process->pid = (pid_t)pid;
	process->pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	if (process->pidfd < 0)
		return false;
	fcntl(process->pidfd, F_SETFD, FD_CLOEXEC);
	if (is_ours(process->pid, path, process->uuid) && !qemu_process_ended(process))
		return true;
	qemu_process_close(process);
	return false;
}

bool qemu_process_ended(const struct qemu_process *process)
{
	struct pollfd poll_fd = { .fd = process->pidfd, .events = POLLIN };

	return poll(&poll_fd, 1, 0) != 0;
}

void qemu_process_signal(const struct qemu_process *process, int signal)
{
	syscall(SYS_pidfd_send_signal, process->pidfd, signal, NULL, 0);
}

void qemu_process_close(struct qemu_process *process)
{
	if (process->pidfd >= 0)
		close(process->pidfd);
	process->pidfd = -1;
}
