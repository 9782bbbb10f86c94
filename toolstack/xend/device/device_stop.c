/* SPDX-License-Identifier: MIT */
/*
 * Removing devices. A backend closes when its frontend asks for it or when the frontend's directory
 * is gone. Its driver then removes its device (the interface disappears, the disk is closed). Only
 * then is the name free again.
 */
#include "xend/device/device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xen/io/xenbus.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/str.h"
#include "xend/domain/domain.h"
#include "xend/device/disk_late.h"
#include "xend/device/disk_script.h"
#include "xend/device/driver_domain.h"
#include "xend/device/guest_end.h"
#include "xend/runtime/files.h"
#include "xend/device/hotplug.h"
#include "xend/device/qemu.h"
#include "xend/device/qemu_end.h"
#include "xend/device/qemu_image.h"
#include "xend/domain/layout.h"

/*
 * Milliseconds: for a backend's driver to close, which normally takes no time, and for a guest to
 * give a device back.
 */
#define BACKEND_PATIENCE 10000
#define GUEST_PATIENCE	 30000
#define POLL_INTERVAL	 20
/* Milliseconds between checks whether a driver still has a device that does not report Closed. */
#define DRIVER_INTERVAL 100

/* XenbusStateClosed, as text. */
static const char closed[] = "6";

#define CLOSED_OR_GONE (1u << XenbusStateClosed | 1u << XenbusStateUnknown)
#define OPEN	       (1u << XenbusStateInitWait | 1u << XenbusStateInitialised | 1u << XenbusStateConnected)

static void wake(void *arg)
{
	task_wake(arg);
}

int device_wait_state(const char *back, unsigned int mask, uint64_t deadline, unsigned int *state)
{
	struct store_watch *watch = NULL;
	int rc = 0;

	for (;;) {
		*state = (unsigned int)store_read_number(XenbusStateReconfigured,
							 XenbusStateUnknown, "%s/state", back);
		if (mask & (1u << *state))
			break;
		if (!watch)
			watch = store_watch(wake, task_current(), "%s/state", back);
		rc = task_wait(deadline);
		if (rc)
			break;
	}
	store_unwatch(watch);
	return rc;
}

/* Whether sysfs has the entry CLASS-DOMID-DEVID`what` in a directory. */
static bool sysfs_has(const char *directory, const char *class, int domid, unsigned int devid,
		      const char *what)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s-%d-%u%s", directory, class, domid, devid, what);
	return access(path, F_OK) == 0;
}

bool device_kernel_has(const char *class, int domid, unsigned int devid)
{
	return sysfs_has("/sys/devices", class, domid, devid, "");
}

/*
 * Whether a driver has the device. Linux's device_del() takes a device off its bus, then calls the
 * driver's remove(), which waits for input and output, and deletes it from /sys/devices last. So a
 * device that is there but on no bus still has its driver.
 */
static bool driver_has(const char *class, int domid, unsigned int devid)
{
	static const char bus[] = "/sys/bus/xen-backend/devices";

	return device_kernel_has(class, domid, devid) &&
	       (!sysfs_has(bus, class, domid, devid, "") ||
		sysfs_has(bus, class, domid, devid, "/driver"));
}

/*
 * Whether a driver has the device and does not report it closed, or QEMU has not ended. The driver
 * may then still read and write its disk. Removing the backend's nodes would not stop it; it would
 * only hide which disk is in use.
 */
static bool driver_holds(const char *class, int domid, unsigned int devid)
{
	if (qemu_is_class(class))
		return qemu_life(domid) != QEMU_NONE;
	return driver_has(class, domid, devid) &&
	       !(CLOSED_OR_GONE &
		 (1u << store_read_number(XenbusStateReconfigured, XenbusStateUnknown,
					  "/local/domain/0/backend/%s/%d/%u/state", class, domid,
					  devid)));
}

/*
 * Whether a taken-away device must keep its nodes: its driver holds it, or the kernel still has it,
 * and so what its script has set up cannot be undone yet.
 */
static bool is_held(const char *class, int domid, unsigned int devid)
{
	return driver_holds(class, domid, devid) ||
	       (strcmp(class, "vbd") == 0 && device_kernel_has(class, domid, devid) &&
		store_exists("/local/domain/0/backend/vbd/%d/%u/script", domid, devid));
}

/* Waits until the kernel's device is gone, because the next device needs its name. */
static void wait_for_driver(const char *class, int domid, unsigned int devid)
{
	uint64_t deadline = task_deadline(BACKEND_PATIENCE);

	while (device_kernel_has(class, domid, devid)) {
		if (task_now() >= deadline) {
			log_warning("The backend driver does not let go of %s %u of domain %d.",
				    class, devid, domid);
			return;
		}
		task_sleep(POLL_INTERVAL);
	}
}

static void remove_nodes(const char *class, int domid, unsigned int devid)
{
	const char *front = device_class_of_backend(class);

	store_remove("/local/domain/%d/device/%s/%u", domid, front, devid);
	store_remove("/local/domain/0/backend/%s/%d/%u", class, domid, devid);
	store_remove("/libxl/%d/device/%s/%u", domid, front, devid);
	wait_for_driver(class, domid, devid);
}

/*
 * Makes a backend close. It closes and removes its device once it is not online and its frontend's
 * directory is gone. xen-blkback reports Closed only if its own state told it to close, so set
 * that, too.
 */
static void start_closing(const char *class, int domid, unsigned int devid)
{
	char path[DEVICE_PATH_MAX];

	snprintf(path, sizeof(path), "/local/domain/0/backend/%s/%d/%u/online", class, domid,
		 devid);
	if (store_exists("%s", path))
		store_write(path, "0");
	snprintf(path, sizeof(path), "/local/domain/0/backend/%s/%d/%u/state", class, domid, devid);
	if (!(CLOSED_OR_GONE &
	      (1u << store_read_number(XenbusStateReconfigured, XenbusStateUnknown, "%s", path))))
		store_write(path, "%d", XenbusStateClosing);
	store_remove("/local/domain/%d/device/%s/%u", domid, device_class_of_backend(class), devid);
}

/*
 * Waits until a backend has closed. A backend without a driver has nothing to close, whatever its
 * state says, and never reports Closed:
 *
 *	- Linux binds no driver to a backend that was told to close before probe.
 *	- The probe of a backend without a frontend fails.
 *	- A backend whose frontend disappears during probe is unbound in its first state.
 *	- QEMU does not run.
 */
static void finish_closing(const char *class, int domid, unsigned int devid)
{
	uint64_t deadline = task_deadline(BACKEND_PATIENCE);
	char back[DEVICE_PATH_MAX];
	unsigned int state;

	snprintf(back, sizeof(back), "/local/domain/0/backend/%s/%d/%u", class, domid, devid);
	while (device_wait_state(back, CLOSED_OR_GONE, task_deadline(DRIVER_INTERVAL), &state)) {
		if (qemu_is_class(class) ? qemu_life(domid) == QEMU_NONE :
					   !driver_has(class, domid, devid))
			return;
		if (task_now() >= deadline) {
			log_warning("The backend %s does not close: state %u.", back, state);
			return;
		}
	}
}

/*
 * The directory of a backend says which script has set it up, whoever made it, and whether or not a
 * record knows it.
 */
static void undo_setup(const char *class, int domid, unsigned int devid)
{
	if (strcmp(class, "vif") == 0)
		hotplug_vif_undo(domid, devid);
	else if (strcmp(class, "vbd") == 0 && !device_kernel_has(class, domid, devid))
		disk_script_undo(domid, devid);
}

/* A script cannot undo a disk that its driver still has open. */
static void wait_for_script(const char *class, int domid, unsigned int devid)
{
	if (strcmp(class, "vbd") == 0 && !driver_holds(class, domid, devid) &&
	    store_exists("/local/domain/0/backend/vbd/%d/%u/script", domid, devid))
		wait_for_driver(class, domid, devid);
}

static void mark_late(const char *class, int domid, unsigned int devid)
{
	if (strcmp(class, "vbd") == 0)
		disk_late_mark(domid, devid);
}

/*
 * Whether the driver of a closed device of a running domain may still use its disk. QEMU serves the
 * domain's other devices too, so it must be asked; of a device that is in no list only the
 * survey of a claim can tell (disk_qemu.c).
 */
static bool is_held_yet(const struct domain *domain, const char *class, unsigned int devid,
			const struct device *device)
{
	if (!qemu_is_class(class))
		return is_held(class, domain->domid, devid);
	return device && strcmp(class, "qdisk") == 0 && qemu_image_is_held(device);
}

/*
 * Each of the steps waits, and after each wait the number may be another domain's. False: the
 * driver holds the device.
 */
static bool take_apart(struct domain *domain, const char *class, unsigned int devid,
		       struct device *device)
{
	if (domain_may_touch(domain))
		start_closing(class, domain->domid, devid);
	if (domain_may_touch(domain))
		finish_closing(class, domain->domid, devid);
	if (device && domain_may_touch(domain))
		device->ops->undo(device);
	if (domain_may_touch(domain))
		wait_for_script(class, domain->domid, devid);
	if (domain_may_touch(domain))
		undo_setup(class, domain->domid, devid);
	if (!domain_may_touch(domain))
		return true;
	if (is_held_yet(domain, class, devid, device)) {
		mark_late(class, domain->domid, devid);
		return false;
	}
	if (domain_may_touch(domain))
		remove_nodes(class, domain->domid, devid);
	return true;
}

bool device_take_apart(struct device *device)
{
	bool before = task_shield(true), gone = true;

	if (device->host)
		driver_domain_take_apart(device->domain, device->host, device->ops->class,
					 device->devid);
	else
		gone = take_apart(device->domain, device_back_class(device), device->devid, device);

	task_shield(before);
	return gone;
}

/* The backends in Domain-0 that serve a domain, whoever made them. */
struct backends {
	struct backend {
		char *class;
		unsigned int devid;
	} * list;
	size_t count;
};

static struct backends backends_of(const struct domain *domain)
{
	unsigned int nr_classes, nr_devices;
	char **names = store_list(&nr_classes, "/local/domain/0/backend");
	struct backends all = { 0 };
	uint64_t devid;

	for (unsigned int i = 0; i < nr_classes; i++) {
		char **ids = store_list(&nr_devices, "/local/domain/0/backend/%s/%d", names[i],
					domain->domid);

		for (unsigned int j = 0; j < nr_devices; j++) {
			if (!str_to_u64(ids[j], 10, 0, UINT32_MAX, &devid))
				continue;
			all.list = xreallocarray(all.list, all.count + 1, sizeof(*all.list));
			all.list[all.count++] = (struct backend){ .class = xstrdup(names[i]),
								  .devid = (unsigned int)devid };
		}
		free(ids);
	}
	free(names);
	return all;
}

static void backends_free(struct backends *all)
{
	for (size_t i = 0; i < all->count; i++)
		free(all->list[i].class);
	free(all->list);
}

/*
 * Calls do_one(class, domid, devid) for each, until the number becomes another domain's. Some may
 * be gone by then.
 */
static void each_backend(struct domain *domain, const struct backends *all,
			 void (*do_one)(const char *class, int domid, unsigned int devid))
{
	for (size_t i = 0; i < all->count && domain_may_touch(domain); i++)
		do_one(all->list[i].class, domain->domid, all->list[i].devid);
}

static void finish_one(const char *class, int domid, unsigned int devid)
{
	/*
	 * Backends outside the kernel (xenconsoled, another toolstack's QEMU) do not close when
	 * their guest dies.
	 */
	if (strcmp(class, "vbd") == 0 || strcmp(class, "vif") == 0)
		finish_closing(class, domid, devid);
}

static void remove_one(const char *class, int domid, unsigned int devid)
{
	if (is_held(class, domid, devid))
		mark_late(class, domid, devid);
	else
		remove_nodes(class, domid, devid);
}

/* Also those whose devices were detached, or which QEMU has emptied. */
static void remove_empty_directories(const struct domain *domain)
{
	unsigned int nr_classes, nr_devices;
	char **names = store_list(&nr_classes, "/local/domain/0/backend");

	for (unsigned int i = 0; i < nr_classes && domain_may_touch(domain); i++) {
		free(store_list(&nr_devices, "/local/domain/0/backend/%s/%d", names[i],
				domain->domid));
		if (!nr_devices)
			store_remove("/local/domain/0/backend/%s/%d", names[i], domain->domid);
	}
	free(names);
}

/*
 * QEMU removes the nodes of a backend before it closes the image. If it does not end, they are put
 * back: they say which images it may have open.
 */
static void restore_nodes(struct domain *domain)
{
	struct store_batch *batch = NULL;
	char back[DEVICE_PATH_MAX];
	struct error *e = NULL;
	struct device *device;

	TAILQ_FOREACH(device, &domain->devices, link) {
		device_back_path(device, back);
		if (strcmp(device_back_class(device), "qdisk") != 0 || device->host ||
		    !domain_may_touch(domain) || store_exists("%s/params", back))
			continue;
		batch = batch ? batch : store_begin();
		device_put_backend(device, batch, closed);
	}
	if (batch && store_commit(batch, &e))
		log_error("What the QEMU of domain %s has open cannot be noted: %s", domain->name,
			  error_text(e));
	error_free(&e);
}

void devices_stop(struct domain *domain)
{
	bool before = task_shield(true);
	struct backends all = backends_of(domain);
	struct device *device;

	/* All start to close before xend waits for the first one. */
	each_backend(domain, &all, start_closing);
	if (!qemu_stop(domain))
		restore_nodes(domain);
	driver_domain_stop(domain);
	each_backend(domain, &all, finish_one);
	each_backend(domain, &all, wait_for_script);
	each_backend(domain, &all, undo_setup);
	TAILQ_FOREACH(device, &domain->devices, link)
		if (domain_may_touch(domain))
			device->ops->undo(device);
	each_backend(domain, &all, remove_one);
	remove_empty_directories(domain);
	TAILQ_FOREACH(device, &domain->devices, link) {
		if (domain_may_touch(domain) &&
		    !is_held(device_back_class(device), domain->domid, device->devid))
			wait_for_driver(device_back_class(device), domain->domid, device->devid);
		files_close(device->loop_fd);
		device->loop_fd = -1;
	}
	backends_free(&all);
	task_shield(before);
}

/* --- after an interruption --- */

static bool is_online(const struct device *device)
{
	char back[DEVICE_PATH_MAX];

	/*
	 * A driver domain may write there what it likes, or be gone; its guest keeps the device.
	 * One whose detach was interrupted is to be detached again.
	 */
	if (device->host)
		return true;
	device_back_path(device, back);
	return store_read_number(1, 0, "%s/online", back) == 1;
}

/*
 * Calls stray(domain, class, devid) for each backend that belongs to no device in the record: an
 * interrupted attach leaves such a one. Returns how many there are. `stray` may be NULL.
 */
static unsigned int each_stray(struct domain *domain,
			       void (*stray)(struct domain *domain, const char *class,
					     unsigned int devid))
{
	static const char *const classes[] = { "vbd", "qdisk", "vif" };
	unsigned int found = 0, count;
	uint64_t devid;

	for (size_t c = 0; c < sizeof(classes) / sizeof(classes[0]); c++) {
		char **ids = store_list(&count, "/local/domain/0/backend/%s/%d", classes[c],
					domain->domid);

		for (unsigned int i = 0; i < count; i++) {
			if (!str_to_u64(ids[i], 10, 0, UINT32_MAX, &devid) ||
			    device_by_backend(domain, classes[c], devid))
				continue;
			found++;
			if (stray)
				stray(domain, classes[c], (unsigned int)devid);
		}
		free(ids);
	}
	return found;
}

bool devices_agree(struct domain *domain)
{
	struct device *device;

	TAILQ_FOREACH(device, &domain->devices, link)
		if (!is_online(device))
			return false;
	return each_stray(domain, NULL) == 0 && driver_domain_each_stray(domain, NULL) == 0;
}

static void take_stray_apart(struct domain *domain, const char *class, unsigned int devid)
{
	log_info("Domain %s: the half-attached %s %u is taken away.", domain->name, class, devid);
	take_apart(domain, class, devid, NULL);
}

static void take_strange_stray_apart(struct domain *domain, int host, const char *class,
				     unsigned int devid)
{
	log_info("Domain %s: the half-attached %s %u, which domain %d serves, is taken away.",
		 domain->name, class, devid, host);
	driver_domain_take_apart(domain, host, class, devid);
}

void devices_reconcile(struct domain *domain)
{
	bool before = task_shield(true);
	struct device *device, *next;

	each_stray(domain, take_stray_apart);
	driver_domain_each_stray(domain, take_strange_stray_apart);
	for (device = TAILQ_FIRST(&domain->devices); device; device = next) {
		next = TAILQ_NEXT(device, link);
		if (is_online(device))
			continue;
		log_info("Domain %s: the half-detached %s %u is taken away.", domain->name,
			 device->ops->class, device->devid);
		if (device_take_apart(device))
			device_forget(device);
	}
	devices_to_config(domain);
	task_shield(before);
}

/* --- hot unplugging --- */

/*
 * Asks the guest to give a device back, and waits for up to GUEST_PATIENCE. When the domain is gone
 * that serves the device, nobody can take it back, and nothing is in use.
 */
static int ask_to_close(struct device *device, struct error **e)
{
	uint64_t deadline = task_deadline(GUEST_PATIENCE);
	char back[DEVICE_PATH_MAX], path[DEVICE_PATH_MAX + 8], *name;
	unsigned int state;
	int rc;

	if (device->host && !driver_domain_runs(device->host))
		return 0;
	device_back_path(device, back);
	/*
	 * What an interrupted detach has begun, the guest and a driver domain have finished by
	 * themselves. A write would make the nodes anew, and nobody would answer to them.
	 */
	if (CLOSED_OR_GONE & (1u << store_read_number(XenbusStateReconfigured, XenbusStateUnknown,
						      "%s/state", back)))
		return 0;
	snprintf(path, sizeof(path), "%s/online", back);
	store_write(path, "0");
	snprintf(path, sizeof(path), "%s/state", back);
	for (;;) {
		store_write(path, "%d", XenbusStateClosing);
		rc = device_wait_state(back, CLOSED_OR_GONE | OPEN, deadline, &state);
		if (rc || !(OPEN & (1u << state)) || task_now() >= deadline)
			break;
		/* A driver that was just connecting has put its own state over ours. */
		rc = task_sleep(POLL_INTERVAL);
		if (rc)
			break;
	}
	if (rc == 0 && (OPEN & (1u << state)))
		rc = -ETIMEDOUT;
	if (rc != -ETIMEDOUT)
		return rc;
	name = device->ops->name(device);
	rc = error_set(e, ETIMEDOUT,
		       "Domain '%s' does not give the device %s back: it is in use there. With "
		       "force it is taken away.",
		       device->domain->name, name);
	free(name);
	return rc;
}

int device_detach(struct domain *domain, const struct device_ops *ops, const char *which,
		  bool force, struct error **e)
{
	struct device *device = device_find(domain, ops, which);
	uint32_t port = 0;
	char *name;
	int rc;

	if (!device)
		return error_set(e, ENODEV, "Domain '%s' has no device %s of class %s.",
				 domain->name, which, ops->class);
	/*
	 * If xenstore has lost the domain, its backend looks closed but is not, and removing its
	 * directory would not close it.
	 */
	rc = layout_check_known(domain, e);
	if (rc == 0 && !force)
		rc = ask_to_close(device, e);
	if (rc)
		return rc;
	if (!force)
		port = guest_end_port(device);
	if (!device_take_apart(device)) {
		name = ops->name(device);
		rc = error_set(e, EBUSY,
			       "The backend driver does not let go of the device %s of domain "
			       "'%s', which keeps it "
			       "therefore. Detach it again when its input and output are through.",
			       name, domain->name);
		free(name);
		return rc;
	}
	guest_end_wait(device, port);
	device_forget(device);
	return 0;
}
