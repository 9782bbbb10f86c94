/* SPDX-License-Identifier: MIT */
/*
 * First QEMU's main loop must answer (a greeting is not enough: another thread sends it). Then it
 * is not within a call that opens or closes an image, and what /proc lists is all that it has open.
 * Protocol: QEMU's docs/interop/qmp-spec.txt.
 */
#include "xend/device/qemu_image.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "xend/device/device.h"
#include "xend/device/disk_ask.h"
#include "xend/device/disk_fd.h"
#include "xend/device/qemu.h"
#include "xend/device/qemu_process.h"
#include "xend/domain/domain.h"
#include "xend/runtime/offload.h"
#include "xend/runtime/task.h"

/* Milliseconds: for all of it, for one look, for QEMU to answer, and between two looks. */
#define PATIENCE       10000
#define LOOK_PATIENCE  8000
#define ANSWER_SECONDS 4
#define INTERVAL       100

/* A thread's order. */
struct look {
	pid_t pid;
	char control[QEMU_PATH_MAX];
	char *path;
	struct disk_node node; /* {0, 0}: where the path leads */
	bool held;	       /* the result */
};

static void look_free(void *arg)
{
	struct look *look = arg;

	free(look->path);
	free(look);
}

static int connect_to(const char *path)
{
	const struct timeval patience = { .tv_sec = ANSWER_SECONDS };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0 &&
		       setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0 &&
		       connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0))
		return fd;
	close(fd);
	return -1;
}

/* Reads until the text has come. What comes is QEMU's own, and short. */
static bool comes(int fd, const char *text)
{
	char got[4096];
	size_t length = 0;

	while (length < sizeof(got) - 1) {
		ssize_t n = read(fd, got + length, sizeof(got) - 1 - length);

		if (n <= 0)
			return false;
		length += (size_t)n;
		got[length] = '\0';
		if (strstr(got, text))
			return true;
	}
	return false;
}

static bool main_loop_answers(const char *control)
{
	static const char order[] = "{\"execute\":\"qmp_capabilities\"}\n";
	int fd = connect_to(control);
	bool answers = fd >= 0 && comes(fd, "\"QMP\"") &&
		       send(fd, order, sizeof(order) - 1, MSG_NOSIGNAL) == sizeof(order) - 1 &&
		       comes(fd, "\"return\"");

	if (fd >= 0)
		close(fd);
	return answers;
}

/* Whether one of the process's descriptors is the file. It always has some, if it can be asked. */
static bool has_open(pid_t pid, struct disk_node file)
{
	char *path = xasprintf("/proc/%d/fd", (int)pid);
	DIR *directory = opendir(path);
	struct dirent *entry;
	bool found = false, any = false;

	free(path);
	while (directory && !found && (entry = readdir(directory))) {
		struct disk_node node;

		if (*entry->d_name == '.')
			continue;
		any = true;
		found = disk_fd_is_file(&disk_sources_host, pid, entry->d_name) &&
			(disk_ask_descriptor(&disk_sources_host, pid, entry->d_name, &node) ||
			 disk_node_equal(node, file));
	}
	if (directory)
		closedir(directory);
	return found || !any;
}

static void look_run(void *arg)
{
	struct look *look = arg;
	int rc = 0;

	if (!look->node.device)
		rc = disk_sources_patient.identify(look->path, &look->node);
	/* An image that was removed is nobody's any more: no claim can meet it. */
	look->held = rc != -ENOENT &&
		     (rc || !main_loop_answers(look->control) || has_open(look->pid, look->node));
}

/* Whether another disk of the domain is the same image, as one that is shared may be. */
static bool is_used_beside(const struct device *device)
{
	const struct device *other;

	TAILQ_FOREACH(other, &device->domain->devices, link) {
		if (other == device || strcmp(device_back_class(other), "qdisk") != 0)
			continue;
		if (device->claim.nr && other->claim.nr ?
			    disk_node_equal(device->claim.links->node, other->claim.links->node) :
			    strcmp(device->disk.target, other->disk.target) == 0)
			return true;
	}
	return false;
}

/* One look. */
static bool may_be_open(const struct device *device)
{
	struct qemu_process process;
	enum qemu_life life = qemu_process_find(device->domain->domid, &process);
	struct look *look;
	bool held;

	qemu_process_close(&process);
	if (life != QEMU_RUNS)
		return life == QEMU_UNKNOWN;
	look = xcalloc(1, sizeof(*look));
	look->pid = process.pid;
	qemu_control_path(device->domain->domid, look->control);
	look->path = xstrdup(device->disk.target);
	if (device->claim.nr)
		look->node = device->claim.links->node;
	if (offload(look_run, look_free, look, task_deadline(LOOK_PATIENCE)))
		return true;
	held = look->held;
	look_free(look);
	return held;
}

bool qemu_image_is_held(const struct device *device)
{
	uint64_t deadline = task_deadline(PATIENCE);

	if (is_used_beside(device))
		return false;
	while (may_be_open(device)) {
		if (task_now() >= deadline) {
			log_warning("The QEMU of domain %s does not close the image %s.",
				    device->domain->name, device->disk.target);
			return true;
		}
		task_sleep(INTERVAL);
	}
	return false;
}
