/* SPDX-License-Identifier: MIT */
/*
 * Disks: a block device, or a file with a loop device over it, through Linux's xen-blkback; an
 * image in a format of QEMU's through QEMU (qemu.h).
 */
#include "xend/device/device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <xen/io/xenbus.h>

#include "config/schema.h"
#include "lib/alloc.h"
#include "xend/device/disk_image.h"
#include "xend/device/disk_use.h"
#include "xend/device/disk_script.h"
#include "xend/domain/domain.h"
#include "xend/device/hotplug.h"
#include "xend/device/loopdev.h"
#include "xend/device/qemu.h"
#include "xend/runtime/files.h"
#include "xend/runtime/offload.h"

/* Milliseconds for the driver to open a disk. */
#define BACKEND_PATIENCE 10000
/* Milliseconds to make a loop device over a file, whose server may be slow to answer. */
#define LOOP_PATIENCE 30000
#define POLL_INTERVAL 1

/* XenbusStateInitWait, as text. */
static const char init_wait[] = "2";

static char *vbd_name(const struct device *device)
{
	int number = config_vdev_number(device->disk.vdev);
	char *name = number < 0 ? NULL : config_vdev_name((unsigned int)number);

	/* A disk that was given by its number has a name, too. */
	return name ? name : xstrdup(device->disk.vdev);
}

static bool is_readonly(const struct device *device)
{
	return device->disk.mode == CONFIG_DISK_READ || device->disk.cdrom;
}

/* The mode as all of Xen's tools write it: with "!" for a shared disk. */
static const char *mode_of(const struct device *device)
{
	return is_readonly(device) ? "r" : device->disk.shared ? "w!" : "w";
}

/* A thread's order to put a loop device over a file. */
struct loop_order {
	char *name;
	bool readonly;
	int file, fd;
	dev_t number;
	struct error *e;
};

static void loop_order_run(void *arg)
{
	struct loop_order *order = arg;

	loopdev_make(order->file, order->name, order->readonly, &order->fd, &order->number,
		     &order->e);
}

static void loop_order_free(void *arg)
{
	struct loop_order *order = arg;

	files_close(order->file);
	files_close(order->fd);
	error_free(&order->e);
	free(order->name);
	free(order);
}

/* Makes the loop device over `file`, and closes `file` in any case. */
static int make_loop(struct device *device, int file, struct error **e)
{
	struct loop_order *order = xcalloc(1, sizeof(*order));
	int rc;

	order->name = xstrdup(device->disk.target);
	order->readonly = is_readonly(device);
	order->file = file;
	order->fd = -1;
	rc = offload(loop_order_run, loop_order_free, order, task_deadline(LOOP_PATIENCE));
	if (rc)
		return error_set(e, rc, "Cannot make a loop device for %s: %s.",
				 device->disk.target, strerror(-rc));
	rc = error_move(e, &order->e);
	device->loop_fd = order->fd;
	device->block_device = order->number;
	order->fd = -1;
	loop_order_free(order);
	return rc;
}

static bool is_qdisk(const struct device *device)
{
	return device->disk.type == CONFIG_DISK_QDISK;
}

/* Whether the disk is of a kind that this file can set up. */
static int check_served(const struct device *device, struct error **e)
{
	const struct config_disk *disk = &device->disk;
	const char *what = disk->script && is_qdisk(device) ?
				   "a script for an image that QEMU serves" :
			   !disk->target ? "a drive without a medium" :
					   NULL;

	return what ? error_set(e, EOPNOTSUPP,
				"The disk %s of domain '%s' needs %s, which xend "
				"does not support.",
				disk->vdev, device->domain->name, what) :
		      0;
}

/* Has the disk's script make a block device, and claims that device. */
static int prepare_script(struct device *device, struct error **e)
{
	struct store_batch *batch = store_begin();
	dev_t number;
	int file, rc;

	device_put_backend(device, batch, init_wait);
	rc = disk_script_add(device, batch, e);
	if (rc)
		return rc;
	number = device->block_device;
	rc = disk_use_claim(device, &file, e);
	if (rc)
		return rc;
	files_close(file);
	if (device->block_device && (!number || number == device->block_device))
		return 0;
	return error_set(e, EIO,
			 "The script %s says that the disk %s of domain '%s' is %s, which is not "
			 "the block device %x:%x.",
			 device->disk.script, device->disk.vdev, device->domain->name,
			 device->served, major(number), minor(number));
}

static int vbd_prepare(struct device *device, struct error **e)
{
	int file, rc = check_served(device, e);

	if (rc == 0 && device->disk.script)
		return prepare_script(device, e);
	if (rc == 0 && is_qdisk(device))
		rc = qemu_check_installed(device->domain, device->disk.vdev, e);
	if (rc == 0)
		rc = disk_use_claim(device, &file, e);
	if (rc)
		return rc;
	if (!device->block_device && !is_qdisk(device))
		return make_loop(device, file, e);
	files_close(file);
	return 0;
}

/* What xen-blkback opens. */
static void put_block_device(const struct device *device, struct store_batch *batch,
			     const char *back)
{
	unsigned int domid = (unsigned int)device->domain->domid;
	char number[32];
	bool is_file =
		device->loop_fd >= 0 || (device->host && device->disk.type == CONFIG_DISK_FILE);

	store_put(batch, STORE_GUEST_READS, domid, is_file ? "file" : "phy", "%s/type", back);
	store_put(batch, STORE_GUEST_READS, domid, device->disk.target ? device->disk.target : "",
		  "%s/params", back);
	if (device->host)
		store_put(batch, STORE_GUEST_READS, domid, "", "%s/hotplug-status", back);
	if (!device->block_device)
		return;
	snprintf(number, sizeof(number), "%x:%x", major(device->block_device),
		 minor(device->block_device));
	store_put(batch, STORE_GUEST_READS, domid, number, "%s/physical-device", back);
}

/* What QEMU opens: "FORMAT:PATH". */
static void put_image(const struct device *device, struct store_batch *batch, const char *back)
{
	unsigned int domid = (unsigned int)device->domain->domid;
	char *params =
		xasprintf("%s:%s",
			  device->disk.format == CONFIG_FORMAT_RAW ?
				  "aio" :
				  disk_image_driver((enum config_disk_format)device->disk.format),
			  device->disk.target);

	store_put(batch, STORE_GUEST_READS, domid, "qdisk", "%s/type", back);
	store_put(batch, STORE_GUEST_READS, domid, params, "%s/params", back);
	store_put(batch, STORE_GUEST_READS, domid, device->disk.direct_io_safe ? "1" : "0",
		  "%s/direct-io-safe", back);
	free(params);
}

static void vbd_put_front(const struct device *device, struct store_batch *batch, const char *front)
{
	unsigned int domid = (unsigned int)device->domain->domid;

	store_put_number(batch, STORE_GUEST_OWNS, domid, device->devid, "%s/virtual-device", front);
	store_put(batch, STORE_GUEST_OWNS, domid, device->disk.cdrom ? "cdrom" : "disk",
		  "%s/device-type", front);
}

/* Each node of a backend costs two requests of Linux's xenbus: what Linux assumes is left out. */
static void put_choices(const struct device *device, struct store_batch *batch, const char *back)
{
	unsigned int domid = (unsigned int)device->domain->domid;

	if (is_qdisk(device) || device->host || !device->disk.discard || is_readonly(device))
		store_put(batch, STORE_GUEST_READS, domid,
			  device->disk.discard && !is_readonly(device) ? "1" : "0",
			  "%s/discard-enable", back);
	if (device->host || !device->disk.trusted)
		store_put(batch, STORE_GUEST_READS, domid, device->disk.trusted ? "1" : "0",
			  "%s/trusted", back);
}

/*
 * The script and its orders come before the block device, which the script makes. xen-blkback waits
 * for physical-device, which comes last, and reads no other of these nodes before.
 */
static void vbd_put_back(const struct device *device, struct store_batch *batch, const char *back)
{
	unsigned int domid = (unsigned int)device->domain->domid;
	char *script;

	store_batch_later(batch, true);
	/* In a driver domain, the script "block" serves files and devices. */
	if (device->disk.script || device->host) {
		script = hotplug_script_path(device->disk.script ? device->disk.script : "block");
		store_put(batch, STORE_GUEST_READS, domid, script, "%s/script", back);
		free(script);
	}
	store_put(batch, STORE_GUEST_READS, domid, device->disk.vdev, "%s/dev", back);
	store_put(batch, STORE_GUEST_READS, domid, mode_of(device), "%s/mode", back);
	store_put(batch, STORE_GUEST_READS, domid, device->disk.cdrom ? "cdrom" : "disk",
		  "%s/device-type", back);
	store_put(batch, STORE_GUEST_READS, domid, device->disk.cdrom ? "1" : "0", "%s/removable",
		  back);
	put_choices(device, batch, back);
	if (is_qdisk(device))
		put_image(device, batch, back);
	else
		put_block_device(device, batch, back);
}

/*
 * Waits until blkback has opened the disk. State InitWait says only that the driver has seen the
 * device; its file physical_device in sysfs appears once the disk is open. From then on blkback
 * keeps the loop device alive, so xend closes its own descriptor.
 */
static int wait_until_opened(struct device *device, struct error **e)
{
	uint64_t deadline = task_deadline(BACKEND_PATIENCE);
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/xen-backend/devices/vbd-%d-%u/physical_device",
		 device->domain->domid, device->devid);
	while (access(path, F_OK)) {
		if (task_now() >= deadline)
			return error_set(
				e, ETIMEDOUT,
				"xen-blkback does not open the disk %s (%s) of domain '%s'.",
				device->disk.vdev, device->disk.target, device->domain->name);
		if (task_sleep(POLL_INTERVAL))
			return error_set(e, ECANCELED, "Setting up the disk %s was cancelled.",
					 device->disk.vdev);
	}
	files_close(device->loop_fd);
	device->loop_fd = -1;
	return 0;
}

static int serve_image(const struct device *device, struct error **e)
{
	struct qemu_device served = { device->domain, device_back_class(device), device->devid,
				      device->disk.vdev };

	return qemu_serve(&served, e);
}

static int vbd_complete(struct device *device, struct error **e)
{
	const unsigned int ready = 1u << XenbusStateInitWait | 1u << XenbusStateInitialised |
				   1u << XenbusStateConnected;
	const unsigned int bad =
		1u << XenbusStateClosing | 1u << XenbusStateClosed | 1u << XenbusStateUnknown;
	char back[DEVICE_PATH_MAX], *reason;
	unsigned int state;
	int rc;

	if (is_qdisk(device))
		return serve_image(device, e);
	device_back_path(device, back);
	rc = device_wait_state(back, ready | bad, task_deadline(BACKEND_PATIENCE), &state);
	if (rc == -ECANCELED)
		return error_set(e, ECANCELED, "Setting up the disk %s was cancelled.",
				 device->disk.vdev);
	if (rc == 0 && (ready & (1u << state)))
		return wait_until_opened(device, e);
	reason = store_read("/local/domain/0/error/backend/vbd/%d/%u/error", device->domain->domid,
			    device->devid);
	rc = error_set(e, EIO, "xen-blkback does not take the disk %s (%s) of domain '%s': %s.",
		       device->disk.vdev, device->disk.target, device->domain->name,
		       reason ? reason : device_driver_silent("vbd"));
	free(reason);
	return rc;
}

static void vbd_undo(struct device *device)
{
	store_remove("/local/domain/0/error/backend/%s/%d/%u", device_back_class(device),
		     device->domain->domid, device->devid);
}

const struct device_ops device_vbd_ops = {
	.class = "vbd",
	.schema = &config_disk_schema,
	.name = vbd_name,
	.prepare = vbd_prepare,
	.put_back = vbd_put_back,
	.put_front = vbd_put_front,
	.complete = vbd_complete,
	.undo = vbd_undo,
};
