/* SPDX-License-Identifier: MIT */
/* Has a domain's QEMU serve a device: starts it, and waits until it has taken the device. */
#include "xend/device/qemu.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xen/io/xenbus.h>

#include "lib/log.h"
#include "xend/device/device.h"
#include "xend/device/qemu_command.h"
#include "xend/device/qemu_log.h"
#include "xend/device/qemu_watch.h"
#include "xend/domain/domain.h"
#include "xend/runtime/store.h"
#include "xend/runtime/task.h"

/* Milliseconds to take a device. */
#define SERVE_PATIENCE 15000
/* Milliseconds after which a line in its log counts as its answer. */
#define COMPLAINT_PATIENCE 2000
/* Milliseconds between two looks whether it still lives while a device is waited for. */
#define ALIVE_INTERVAL 200

const char *const qemu_classes[] = { "qdisk", "vfb", "vkbd", NULL };

bool qemu_is_class(const char *class)
{
	for (size_t i = 0; qemu_classes[i]; i++)
		if (strcmp(class, qemu_classes[i]) == 0)
			return true;
	return false;
}

pid_t qemu_pid(int domid)
{
	struct qemu_process process;
	pid_t pid = qemu_process_find(domid, &process) == QEMU_RUNS ? process.pid : 0;

	qemu_process_close(&process);
	return pid;
}

int qemu_check_installed(const struct domain *domain, const char *name, struct error **e)
{
	if (access(QEMU_PROGRAM, X_OK) == 0)
		return 0;
	return error_set(
		e, ENOENT,
		"The device %s of domain '%s' needs QEMU for Xen, and there is no %s. Install "
		"Debian's package qemu-system-xen.",
		name, domain->name, QEMU_PROGRAM);
}

enum qemu_life qemu_find_own(const struct domain *domain, struct qemu_process *process)
{
	char uuid[UUID_TEXT];
	enum qemu_life life;

	*process = (struct qemu_process){ .pidfd = -1 };
	if (domain->domid < 0)
		return QEMU_NONE;
	life = qemu_process_find(domain->domid, process);
	uuid_to_text(domain->uuid, uuid);
	if (life != QEMU_RUNS || strcmp(uuid, process->uuid) == 0)
		return life;
	qemu_process_close(process);
	return QEMU_NONE;
}

static int ensure_runs(struct domain *domain, struct error **e)
{
	struct qemu_process process;
	int rc;

	if (qemu_find_own(domain, &process) != QEMU_RUNS) {
		qemu_process_close(&process);
		if (qemu_life(domain->domid) != QEMU_NONE)
			return error_set(
				e, EBUSY,
				"QEMU is not started for domain '%s': another one, which "
				"served an earlier domain with the number %d, may not have "
				"ended yet (%s/%d.pid).",
				domain->name, domain->domid, QEMU_RUN, domain->domid);
		rc = qemu_start(domain, e);
		if (rc)
			return rc;
		if (qemu_find_own(domain, &process) != QEMU_RUNS) {
			qemu_process_close(&process);
			return error_set(e, EIO, "The QEMU of domain '%s' ended as soon as it ran.",
					 domain->name);
		}
		log_info("Domain %s: QEMU runs as process %d.", domain->name, (int)process.pid);
	}
	qemu_watch(domain, &process);
	return 0;
}

/*
 * A device that QEMU does not have is closed: nobody waits for it to close. why: what happened,
 * unless QEMU itself has said more. log_size: from before it was asked.
 */
static int refused(const struct qemu_device *device, const char *back, const char *why,
		   int64_t log_size, struct error **e)
{
	char *log = qemu_log_path(device->domain), path[DEVICE_PATH_MAX + 8];
	bool has_said = qemu_log_size(device->domain) > log_size;
	char *said = has_said ? qemu_log_last_line(device->domain) : NULL;
	char *reason = store_read("/local/domain/0/error/backend/%s/%d/%u/error", device->class,
				  device->domain->domid, device->devid);
	int rc = error_set(e, EIO,
			   "QEMU does not take the device %s of domain '%s': %s. %s may say more.",
			   device->name, device->domain->name,
			   reason ? reason :
			   said	  ? said :
				    why,
			   log);

	snprintf(path, sizeof(path), "%s/state", back);
	if (store_read_number(XenbusStateReconfigured, 0, "%s", path) == XenbusStateInitialising)
		store_write(path, "%d", XenbusStateClosed);
	free(said);
	free(reason);
	free(log);
	return rc;
}

/* Why QEMU will not take a device that it has not taken yet; NULL: it may still do so. */
static const char *has_failed(const struct qemu_device *device, unsigned int state, uint64_t waited,
			      int64_t log_size)
{
	if (qemu_life(device->domain->domid) != QEMU_RUNS)
		return "it has died";
	if (state == XenbusStateClosed)
		return "it has closed the device";
	if (store_exists("/local/domain/0/error/backend/%s/%d/%u/error", device->class,
			 device->domain->domid, device->devid))
		return "it reports an error";
	if (waited >= COMPLAINT_PATIENCE && state == XenbusStateInitialising &&
	    qemu_log_size(device->domain) > log_size)
		return "it complains in its log";
	return waited >= SERVE_PATIENCE ? "no answer" : NULL;
}

int qemu_serve(const struct qemu_device *device, struct error **e)
{
	const unsigned int ready = 1u << XenbusStateInitWait | 1u << XenbusStateInitialised |
				   1u << XenbusStateConnected;
	int64_t log_size = qemu_is_watched(device->domain) ? qemu_log_size(device->domain) : 0;
	char back[DEVICE_PATH_MAX];
	const char *why = NULL;
	unsigned int state;
	uint64_t begin;
	int rc = ensure_runs(device->domain, e);

	if (rc)
		return rc;
	begin = task_now();
	snprintf(back, sizeof(back), "/local/domain/0/backend/%s/%d/%u", device->class,
		 device->domain->domid, device->devid);
	while (!why) {
		rc = device_wait_state(back, ready, task_deadline(ALIVE_INTERVAL), &state);
		if (rc == 0)
			return 0;
		if (rc == -ECANCELED)
			return error_set(e, ECANCELED, "Setting up the device %s was cancelled.",
					 device->name);
		why = has_failed(device, state, task_now() - begin, log_size);
	}
	return refused(device, back, why, log_size, e);
}
