/* SPDX-License-Identifier: MIT */
/* First a signal that QEMU obeys, then one that the kernel does; some wait for their disks even
 * then. */
#include "xend/device/qemu_end.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/str.h"
#include "xend/device/qemu.h"
#include "xend/device/qemu_process.h"
#include "xend/device/qemu_watch.h"
#include "xend/domain/domain.h"
#include "xend/runtime/store.h"
#include "xend/runtime/task.h"

/* Milliseconds: to write its images and end; to be ended by the kernel. */
#define END_PATIENCE  15000
#define KILL_PATIENCE 5000
#define POLL_INTERVAL 20

static bool wait_for_end(const struct qemu_process *process, uint64_t deadline)
{
	while (!qemu_process_ended(process)) {
		if (task_now() >= deadline)
			return false;
		task_sleep(POLL_INTERVAL);
	}
	return true;
}

/* SIGTERM makes QEMU close its images in order. */
static bool end(const struct qemu_process *process, int domid)
{
	qemu_process_signal(process, SIGTERM);
	if (wait_for_end(process, task_deadline(END_PATIENCE)))
		return true;
	log_warning("The QEMU of domain %d (process %d) does not end in %d s, and is killed.",
		    domid, (int)process->pid, END_PATIENCE / 1000);
	qemu_process_signal(process, SIGKILL);
	if (wait_for_end(process, task_deadline(KILL_PATIENCE)))
		return true;
	log_error("The kernel does not end the QEMU of domain %d (process %d), which waits for its "
		  "disks. Until it does, they count as in use.",
		  domid, (int)process->pid);
	return false;
}

static void remove_traces(int domid)
{
	char path[QEMU_PATH_MAX];

	qemu_pid_path(domid, path);
	unlink(path);
	qemu_control_path(domid, path);
	unlink(path);
	qemu_screen_path(domid, true, path);
	unlink(path);
	qemu_screen_path(domid, false, path);
	rmdir(path);
}

/* --- one that the kernel does not end --- */

struct lingering {
	struct qemu_process process;
	int domid;
	uv_poll_t end;
};

/* The nodes of its backends, which say what it has open, if the number is nobody's now. */
static void remove_leftovers(int domid)
{
	struct hv_domain_info info;
	int rc = hv_domain_info(domain_hv, (uint32_t)domid, &info, NULL);

	if (qemu_life(domid) == QEMU_NONE)
		remove_traces(domid);
	/* A process that maps its memory keeps a domain that is gone in the list. */
	if (rc ? rc != -ESRCH : !info.dying)
		return;
	for (size_t i = 0; qemu_classes[i]; i++)
		store_remove("/local/domain/0/backend/%s/%d", qemu_classes[i], domid);
}

static void on_closed(uv_handle_t *handle)
{
	struct lingering *lingering = handle->data;

	qemu_process_close(&lingering->process);
	free(lingering);
}

static void on_end(uv_poll_t *handle, int status, int events)
{
	struct lingering *lingering = handle->data;

	log_info("The QEMU of domain %d (process %d) has ended at last. Its disks are free.",
		 lingering->domid, (int)lingering->process.pid);
	remove_leftovers(lingering->domid);
	uv_close((uv_handle_t *)handle, on_closed);
}

/* Takes the process's handle. */
static void linger(int domid, struct qemu_process *process)
{
	struct lingering *lingering;

	if (process->pidfd < 0)
		return;
	lingering = xcalloc(1, sizeof(*lingering));
	lingering->process = *process;
	lingering->domid = domid;
	lingering->end.data = lingering;
	process->pidfd = -1;
	uv_poll_init(uv_default_loop(), &lingering->end, lingering->process.pidfd);
	uv_poll_start(&lingering->end, UV_READABLE, on_end);
	uv_unref((uv_handle_t *)&lingering->end);
}

/* --- a domain's --- */

bool qemu_stop(struct domain *domain)
{
	bool before = task_shield(true), gone = true;
	struct qemu_process process;
	enum qemu_life life;

	qemu_unwatch(domain);
	life = qemu_find_own(domain, &process);
	if (life != QEMU_NONE)
		gone = process.pidfd >= 0 && end(&process, domain->domid);
	if (!gone)
		linger(domain->domid, &process);
	qemu_process_close(&process);
	/* Also those of one that ended by itself: it does so if xend is killed while it starts. */
	if (domain->domid >= 0 && qemu_life(domain->domid) == QEMU_NONE)
		remove_traces(domain->domid);
	task_shield(before);
	return gone;
}

/* --- those of nobody --- */

/* An unanswered question keeps it. One that is about to end does not say whose it was. */
static bool is_stray(int domid, const struct qemu_process *process)
{
	struct hv_domain_info info;
	char uuid[UUID_TEXT];
	struct error *e = NULL;
	int rc = hv_domain_info(domain_hv, (uint32_t)domid, &info, &e);

	error_free(&e);
	if (rc)
		return rc == -ESRCH;
	uuid_to_text(info.uuid, uuid);
	return info.dying || (*process->uuid && strcmp(uuid, process->uuid) != 0);
}

static void stop_if_stray(int domid)
{
	struct qemu_process process;
	enum qemu_life life = qemu_process_find(domid, &process);

	if (life == QEMU_NONE) {
		remove_leftovers(domid);
	} else if (process.pidfd >= 0 && is_stray(domid, &process)) {
		log_info("The QEMU of domain %d, which is gone, is ended.", domid);
		if (end(&process, domid))
			remove_leftovers(domid);
		else
			linger(domid, &process);
	}
	qemu_process_close(&process);
}

void qemu_stop_strays(void)
{
	DIR *directory = opendir(QEMU_RUN);
	struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		char *dot = strchr(entry->d_name, '.');
		uint64_t domid;

		if (!dot || dot == entry->d_name)
			continue;
		*dot = '\0';
		if (str_to_u64(entry->d_name, 10, 1, DOMID_FIRST_RESERVED - 1, &domid))
			stop_if_stray((int)domid);
	}
	if (directory)
		closedir(directory);
}
