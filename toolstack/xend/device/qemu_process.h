/* SPDX-License-Identifier: MIT */
/*
 * A QEMU process as the kernel knows it, found by its pid file. Nothing here waits.
 *
 * A pid alone may be anybody's by now. So a process counts only if its command line says that it is
 * the QEMU of this pid file, and the handle (pidfd) was taken before that was read.
 */
#ifndef XEND_DEVICE_QEMU_PROCESS_H
#define XEND_DEVICE_QEMU_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define QEMU_UUID_SIZE 37

struct qemu_process {
	pid_t pid;
	int pidfd;
	char uuid[QEMU_UUID_SIZE]; /* its domain's */
};

/* The paths of its pid file and of its control socket (QMP). */
#define QEMU_PATH_MAX 64
void qemu_pid_path(int domid, char path[QEMU_PATH_MAX]);
void qemu_control_path(int domid, char path[QEMU_PATH_MAX]);
/* The directory of the socket at which it listens for VNC, or that socket. */
void qemu_screen_path(int domid, bool socket, char path[QEMU_PATH_MAX]);

/*
 * Whether a process serves a domain's number. Unknown is an answer of its own, which nobody may
 * take for "none": somebody's disks could get a second writer. It is the answer of a host without
 * descriptors, and about a process that was killed and waits for its disks: that has lost its
 * command line already, but not its files.
 */
enum qemu_life { QEMU_NONE, QEMU_RUNS, QEMU_UNKNOWN };
enum qemu_life qemu_life(int domid);
/*
 * The same, with the process, which is to be closed (qemu_process_close) whatever the answer is. If
 * unknown, its pidfd may be -1, and its uuid is empty.
 */
enum qemu_life qemu_process_find(int domid, struct qemu_process *process);
/* Whether it has certainly ended. */
bool qemu_process_ended(const struct qemu_process *process);
void qemu_process_signal(const struct qemu_process *process, int signal);
void qemu_process_close(struct qemu_process *process);

/*
 * Whether a command line, as in /proc/PID/cmdline, is that of the program with that pid file.
 * Copies the UUID that it names. For tests.
 */
bool qemu_cmdline_matches(const char *cmdline, size_t length, const char *program,
			  const char *pid_path, char uuid[QEMU_UUID_SIZE]);

#endif
