/* SPDX-License-Identifier: MIT */
/* The life of a domain's QEMU: start, watch, end. */
#include "xend/device/qemu.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include <xen/io/xenbus.h>

#include "config/config.h"
#include "config/schema.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/str.h"
#include "xend/device/device.h"
#include "xend/device/qemu_command.h"
#include "xend/device/qemu_process.h"
#include "xend/domain/domain.h"
#include "xend/runtime/store.h"
#include "xend/runtime/task.h"

/* Milliseconds: to take a device; to write its images and end; to be ended by the kernel. */
#define SERVE_PATIENCE 15000
/* Milliseconds after which a line in its log counts as its answer. */
#define COMPLAINT_PATIENCE 2000
#define END_PATIENCE	   15000
#define KILL_PATIENCE	   5000
#define POLL_INTERVAL	   20
/* Milliseconds between two looks whether it still lives while a device is waited for. */
#define ALIVE_INTERVAL 200
/* Milliseconds between two looks at the sizes of the logs. */
#define LOG_INTERVAL 5000

/* A process that this xend watches. */
struct watched {
	LIST_ENTRY(watched) link;
	struct qemu_process process;
	struct domain *domain; /* a reference */
	int domid;
	uv_poll_t end;
};

static LIST_HEAD(, watched) all = LIST_HEAD_INITIALIZER(all);
static uv_timer_t log_timer;

static const char *const classes[] = { "qdisk", "vfb", "vkbd" };
#define CLASSES (sizeof(classes) / sizeof(classes[0]))

bool qemu_is_class(const char *class)
{
	for (size_t i = 0; i < CLASSES; i++)
		if (strcmp(class, classes[i]) == 0)
			return true;
	return false;
}

pid_t qemu_pid(int domid)
{
	struct qemu_process process;
	pid_t pid = qemu_process_find(domid, &process) ? process.pid : 0;

	qemu_process_close(&process);
	return pid;
}

bool qemu_holds(const char *class, int domid, unsigned int devid)
{
	unsigned int state =
		(unsigned int)store_read_number(XenbusStateReconfigured, XenbusStateUnknown,
						"/local/domain/0/backend/%s/%d/%u/state", class,
						domid, devid);

	return state != XenbusStateClosed && state != XenbusStateUnknown && qemu_pid(domid) != 0;
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

/* --- watching --- */

static void on_closed(uv_handle_t *handle)
{
	struct watched *watched = handle->data;

	qemu_process_close(&watched->process);
	domain_unref(watched->domain);
	free(watched);
}

static void bound_logs(uv_timer_t *timer)
{
	struct watched *watched;

	LIST_FOREACH(watched, &all, link)
		qemu_log_bound(watched->domain);
}

/* The timer runs while there is a process. */
static void set_log_timer(void)
{
	if (!log_timer.data) {
		uv_timer_init(uv_default_loop(), &log_timer);
		uv_unref((uv_handle_t *)&log_timer);
		log_timer.data = &all;
	}
	if (LIST_EMPTY(&all))
		uv_timer_stop(&log_timer);
	else if (!uv_is_active((uv_handle_t *)&log_timer))
		uv_timer_start(&log_timer, bound_logs, LOG_INTERVAL, LOG_INTERVAL);
}

static void forget(struct watched *watched)
{
	LIST_REMOVE(watched, link);
	set_log_timer();
	uv_close((uv_handle_t *)&watched->end, on_closed);
}

static struct watched *find_watched(int domid)
{
	struct watched *watched;

	LIST_FOREACH(watched, &all, link)
		if (watched->domid == domid)
			return watched;
	return NULL;
}

/* Says Closed for the devices of a QEMU that has died, so that their guest gets errors. */
static void close_devices(struct domain *domain)
{
	char path[DEVICE_PATH_MAX + 8];
	unsigned int count;

	for (size_t c = 0; c < CLASSES && domain_may_touch(domain); c++) {
		char **ids = store_list(&count, "/local/domain/0/backend/%s/%d", classes[c],
					domain->domid);
		uint64_t devid;

		for (unsigned int i = 0; i < count; i++) {
			if (!str_to_u64(ids[i], 10, 0, UINT32_MAX, &devid))
				continue;
			snprintf(path, sizeof(path), "/local/domain/0/backend/%s/%d/%u/state",
				 classes[c], domain->domid, (unsigned int)devid);
			store_write(path, "%d", XenbusStateClosed);
		}
		free(ids);
	}
}

static void say_died(struct domain *domain)
{
	bool screen = domain->config && domain->config->nr_vfb;
	char *path = qemu_log_path(domain);

	log_error("The QEMU of domain %s has died; %s may say why. The devices that it served are "
		  "closed, and the guest gets errors from them. Nothing else of the guest is "
		  "affected: %s.",
		  domain->name, path,
		  screen ? "reboot it, as nothing else brings its screen back; disks can also be "
			   "detached and attached again" :
			   "detach and attach them again, or reboot it");
	free(path);
	close_devices(domain);
}

static void on_end(uv_poll_t *handle, int status, int events)
{
	struct watched *watched = handle->data;

	if (watched->domain->domid == watched->domid)
		say_died(watched->domain);
	forget(watched);
}

/* Watches the process, and takes its handle. */
static void watch(struct domain *domain, struct qemu_process *process)
{
	struct watched *watched;

	if (find_watched(domain->domid)) {
		qemu_process_close(process);
		return;
	}
	watched = xcalloc(1, sizeof(*watched));
	watched->process = *process;
	watched->domain = domain_ref(domain);
	watched->domid = domain->domid;
	watched->end.data = watched;
	uv_poll_init(uv_default_loop(), &watched->end, process->pidfd);
	uv_poll_start(&watched->end, UV_READABLE, on_end);
	LIST_INSERT_HEAD(&all, watched, link);
	set_log_timer();
}

static bool find_own(const struct domain *domain, struct qemu_process *process)
{
	char uuid[UUID_TEXT];

	if (domain->domid < 0 || !qemu_process_find(domain->domid, process))
		return false;
	uuid_to_text(domain->uuid, uuid);
	if (strcmp(uuid, process->uuid) == 0)
		return true;
	qemu_process_close(process);
	return false;
}

static bool needs_qemu(const struct domain *domain)
{
	const struct device *device;

	TAILQ_FOREACH(device, &domain->devices, link)
		if (qemu_is_class(device_back_class(device)))
			return true;
	return domain->config && domain->config->nr_vfb;
}

void qemu_adopt(struct domain *domain)
{
	struct qemu_process process;

	if (find_own(domain, &process))
		watch(domain, &process);
	else if (needs_qemu(domain))
		say_died(domain);
}

/* --- starting --- */

static int ensure_runs(struct domain *domain, struct error **e)
{
	struct qemu_process process;
	int rc;

	if (!find_own(domain, &process)) {
		rc = qemu_start(domain, e);
		if (rc)
			return rc;
		if (!find_own(domain, &process))
			return error_set(e, EIO, "The QEMU of domain '%s' ended as soon as it ran.",
					 domain->name);
		log_info("Domain %s: QEMU runs as process %d.", domain->name, (int)process.pid);
	}
	watch(domain, &process);
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
	if (!qemu_pid(device->domain->domid))
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
	int64_t log_size = find_watched(device->domain->domid) ? qemu_log_size(device->domain) : 0;
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

/* --- ending --- */

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

bool qemu_stop(struct domain *domain)
{
	bool before = task_shield(true), gone = true;
	struct watched *watched = find_watched(domain->domid);
	struct qemu_process process;

	if (watched && watched->domain == domain)
		forget(watched);
	if (find_own(domain, &process)) {
		gone = end(&process, domain->domid);
		qemu_process_close(&process);
	}
	/* Also those of one that ended by itself: it does so if xend is killed while it starts. */
	if (domain->domid >= 0 && !qemu_pid(domain->domid))
		remove_traces(domain->domid);
	task_shield(before);
	return gone;
}

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
	return strcmp(uuid, process->uuid) != 0;
}

static void stop_if_stray(int domid)
{
	struct qemu_process process;

	if (!qemu_process_find(domid, &process)) {
		remove_traces(domid);
		return;
	}
	if (is_stray(domid, &process)) {
		log_info("The QEMU of domain %d, which is gone, is ended.", domid);
		if (end(&process, domid))
			remove_traces(domid);
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
