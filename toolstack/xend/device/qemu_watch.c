/* SPDX-License-Identifier: MIT */
/* The loop hears of a process's end through its pidfd. */
#include "xend/device/qemu_watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include <uv.h>

#include <xen/io/xenbus.h>

#include "config/config.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/str.h"
#include "xend/device/device.h"
#include "xend/device/qemu.h"
#include "xend/device/qemu_log.h"
#include "xend/device/qemu_process.h"
#include "xend/domain/domain.h"
#include "xend/runtime/store.h"

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

	for (size_t c = 0; qemu_classes[c] && domain_may_touch(domain); c++) {
		char **ids = store_list(&count, "/local/domain/0/backend/%s/%d", qemu_classes[c],
					domain->domid);
		uint64_t devid;

		for (unsigned int i = 0; i < count; i++) {
			if (!str_to_u64(ids[i], 10, 0, UINT32_MAX, &devid))
				continue;
			snprintf(path, sizeof(path), "/local/domain/0/backend/%s/%d/%u/state",
				 qemu_classes[c], domain->domid, (unsigned int)devid);
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

void qemu_watch(struct domain *domain, struct qemu_process *process)
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

bool qemu_is_watched(const struct domain *domain)
{
	return find_watched(domain->domid) != NULL;
}

void qemu_unwatch(const struct domain *domain)
{
	struct watched *watched = find_watched(domain->domid);

	if (watched && watched->domain == domain)
		forget(watched);
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
	enum qemu_life life = qemu_find_own(domain, &process);

	/* One that is about to end is watched until it has. */
	if (process.pidfd >= 0)
		qemu_watch(domain, &process);
	else if (life == QEMU_UNKNOWN)
		log_error("Whether the QEMU of domain %s still runs is not known: %s may say. Its "
			  "disks count as in use.",
			  domain->name, QEMU_RUN);
	else if (needs_qemu(domain))
		say_died(domain);
}
