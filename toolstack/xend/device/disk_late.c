/* SPDX-License-Identifier: MIT */
/* Undoes disks whose driver lets go of them late. */
#include "xend/device/disk_late.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/str.h"
#include "xend/device/device.h"
#include "xend/device/disk_script.h"
#include "xend/domain/domain.h"
#include "xend/runtime/store.h"
#include "xend/runtime/task.h"

/* Milliseconds between looks at what is late. */
#define INTERVAL 5000

#define BACKENDS "/local/domain/0/backend/vbd"

/* NULL: nothing is late, as far as this xend knows. */
static struct task *task;

/*
 * The dead domain's number for which a script runs; 0: none. A new domain that gets that number
 * waits for it, because the script works on what stands under the number.
 */
static struct {
	int domid;
	struct cond done;
	bool ready;
} at_work;

static bool is_marked(int domid, unsigned int devid)
{
	return store_exists(BACKENDS "/%d/%u/late", domid, devid);
}

static void undo(int domid, unsigned int devid)
{
	unsigned int left;

	disk_script_undo(domid, devid);
	/* The script may have taken its time, in which the number may have got another owner. */
	if (!is_marked(domid, devid))
		return;
	store_remove(BACKENDS "/%d/%u", domid, devid);
	store_remove("/libxl/%d/device/vbd/%u", domid, devid);
	free(store_list(&left, BACKENDS "/%d", domid));
	if (!left)
		store_remove(BACKENDS "/%d", domid);
	log_info("The disk %u of domain %d, which its driver held for long, is taken away.", devid,
		 domid);
}

static void prepare_to_wait(void)
{
	if (!at_work.ready)
		cond_init(&at_work.done);
	at_work.ready = true;
}

static void undo_of_dead(int domid, unsigned int devid)
{
	prepare_to_wait();
	at_work.domid = domid;
	undo(domid, devid);
	at_work.domid = 0;
	cond_wake(&at_work.done);
}

/* Nobody has the number, or a domain does that has given up this disk and has no work now. */
static void try_undo(int domid, unsigned int devid)
{
	struct domain *domain = domain_by_id(domid);
	struct hv_domain_info info;
	struct error *e = NULL;
	bool before;

	if (device_kernel_has("vbd", domid, devid))
		return;
	if (!domain) {
		if (hv_domain_info(domain_hv, (uint32_t)domid, &info, &e) == -ESRCH)
			undo_of_dead(domid, devid);
		error_free(&e);
		return;
	}
	if (!domain->ours || device_by_id(domain, "vbd", devid) ||
	    domain_lock_now(domain, "undo of a disk"))
		return;
	domain_ref(domain);
	before = task_shield(true);
	if (domain_may_touch(domain))
		undo(domid, devid);
	task_shield(before);
	domain_unlock(domain);
	domain_unref(domain);
}

/* Returns how many marks there are. */
static unsigned int each_mark(void (*found)(int domid, unsigned int devid))
{
	unsigned int nr_domains, nr_devices, total = 0;
	char **domids = store_list(&nr_domains, BACKENDS), **devids;
	uint64_t domid, devid;

	for (unsigned int i = 0; i < nr_domains; i++) {
		if (!str_to_u64(domids[i], 10, 0, DOMID_FIRST_RESERVED - 1, &domid))
			continue;
		devids = store_list(&nr_devices, BACKENDS "/%d", (int)domid);
		for (unsigned int j = 0; j < nr_devices; j++) {
			if (!str_to_u64(devids[j], 10, 0, UINT32_MAX, &devid) ||
			    !is_marked((int)domid, (unsigned int)devid))
				continue;
			total++;
			if (found)
				found((int)domid, (unsigned int)devid);
		}
		free(devids);
	}
	free(domids);
	return total;
}

static void run(void *arg)
{
	while (task_sleep(INTERVAL) == 0 && each_mark(try_undo))
		;
	task = NULL;
}

static void start(void)
{
	if (!task)
		task = task_start(run, NULL);
}

void disk_late_mark(int domid, unsigned int devid)
{
	char path[DEVICE_PATH_MAX];

	snprintf(path, sizeof(path), BACKENDS "/%d/%u", domid, devid);
	if (!store_exists("%s", path))
		return;
	strcat(path, "/late");
	store_write(path, "1");
	start();
}

void disk_late_go_on(void)
{
	if (each_mark(NULL))
		start();
}

void disk_late_stop(void)
{
	if (task)
		task_cancel(task);
}

void disk_late_make_room(const struct device *device)
{
	if (device->ops == &device_vbd_ops && is_marked(device->domain->domid, device->devid))
		undo(device->domain->domid, device->devid);
}

/* *e is set if that cannot be waited for. */
static int wait_for_script(const struct domain *domain, struct error **e)
{
	int rc = 0;

	prepare_to_wait();
	while (rc == 0 && at_work.domid == domain->domid)
		rc = cond_wait(&at_work.done, TASK_FOREVER);
	return rc == 0 ? 0 :
			 error_set(e, rc,
				   "Domain '%s' has got the number %d, and a disk of an earlier "
				   "domain with that number is just being taken away.",
				   domain->name, domain->domid);
}

int disk_late_leave_number(struct domain *domain, struct error **e)
{
	unsigned int count;
	char **devids;
	uint64_t devid;
	int rc = wait_for_script(domain, e);

	if (rc)
		return rc;
	devids = store_list(&count, BACKENDS "/%d", domain->domid);
	for (unsigned int i = 0; rc == 0 && i < count; i++) {
		if (!str_to_u64(devids[i], 10, 0, UINT32_MAX, &devid))
			continue;
		if (device_kernel_has("vbd", domain->domid, (unsigned int)devid))
			rc = error_set(
				e, EBUSY,
				"Domain '%s' has got the number %d, and the driver in "
				"Domain-0 has not let go of the disk %u of an earlier domain "
				"with that number. Try it again.",
				domain->name, domain->domid, (unsigned int)devid);
		else if (is_marked(domain->domid, (unsigned int)devid) && domain_may_touch(domain))
			undo(domain->domid, (unsigned int)devid);
	}
	free(devids);
	return rc;
}
