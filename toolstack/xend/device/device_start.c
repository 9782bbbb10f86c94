/* SPDX-License-Identifier: MIT */
/* Attaching devices: prepare, write the nodes, wait for the backend. */
#include "xend/device/device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "xend/device/disk_late.h"
#include "xend/device/driver_domain.h"
#include "xend/device/qemu.h"
#include "xend/domain/domain.h"
#include "xend/domain/layout.h"

/* XenbusStateInitialising, as text. */
static const char initialising[] = "1";

void device_put_backend(const struct device *device, struct store_batch *batch, const char *state)
{
	unsigned int domid = (unsigned int)device->domain->domid;
	char back[DEVICE_PATH_MAX], front[DEVICE_PATH_MAX];

	device_back_path(device, back);
	device_front_path(device, front);
	store_put(batch, STORE_GUEST_READS, domid, NULL, "%s", back);
	store_put(batch, STORE_GUEST_READS, domid, front, "%s/frontend", back);
	store_put_number(batch, STORE_GUEST_READS, domid, domid, "%s/frontend-id", back);
	device->ops->put_back(device, batch, back);
	store_batch_later(batch, true);
	store_put(batch, STORE_GUEST_READS, domid, "1", "%s/online", back);
	store_batch_later(batch, false);
	store_put(batch, STORE_GUEST_READS, domid, state, "%s/state", back);
}

/*
 * The backend's directory stays if its script has written to it. `absent`: Domain-0 has none of
 * this domain.
 */
static void put_nodes(const struct device *device, struct store_batch *batch, bool absent)
{
	unsigned int domid = (unsigned int)device->domain->domid;
	char back[DEVICE_PATH_MAX], front[DEVICE_PATH_MAX];

	device_back_path(device, back);
	device_front_path(device, front);
	if (absent && !device->host && !device_has_script(device))
		store_absent(batch, "%s", back);
	else if (!device_has_script(device))
		store_drop(batch, "%s", back);
	if (device->host)
		driver_domain_put_index(device, batch);
	store_batch_serve(batch, (unsigned int)device->host);
	store_drop(batch, "%s", front);

	store_put(batch, STORE_GUEST_OWNS, domid, NULL, "%s", front);
	store_put(batch, STORE_GUEST_OWNS, domid, back, "%s/backend", front);
	store_put_number(batch, STORE_GUEST_OWNS, domid, (uint64_t)device->host, "%s/backend-id",
			 front);
	device->ops->put_front(device, batch, front);
	store_put(batch, STORE_GUEST_OWNS, domid, initialising, "%s/state", front);
	device_put_backend(device, batch, initialising);
	store_batch_serve(batch, 0);
}

/* It waits; after success the number is still the domain's, and nodes may be written under it. */
static int prepare(struct device *device, struct error **e)
{
	struct hv_domain_info info;
	int rc = driver_domain_find(device, e);

	if (rc || device->host)
		return rc;
	rc = device->ops->prepare(device, e);
	return rc ? rc : domain_info(device->domain, &info, e);
}

static int complete(struct device *device, struct error **e)
{
	return device->host ? driver_domain_wait(device, e) : device->ops->complete(device, e);
}

/*
 * Makes room under the domain's number: a dead domain's tools may have left nodes there, and
 * scripts will write there at once. Those that say what QEMU or a driver still has open must stay.
 * It waits; after success the number is still the domain's.
 */
static int clear_number(struct domain *domain, struct error **e)
{
	static const char *const classes[] = { "vbd", "qdisk", "vif" };
	struct store_batch *batch;
	struct hv_domain_info info;
	int rc;

	if (qemu_life(domain->domid) != QEMU_NONE)
		return error_set(e, EBUSY,
				 "Domain '%s' has got the number %d, and the QEMU of an earlier "
				 "domain with that number may not have ended yet (%s/%d.pid). Try "
				 "it again.",
				 domain->name, domain->domid, QEMU_RUN, domain->domid);
	rc = disk_late_leave_number(domain, e);
	if (rc == 0)
		rc = domain_info(domain, &info, e);
	if (rc)
		return rc;
	batch = store_begin();
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		store_drop(batch, "/local/domain/0/backend/%s/%d", classes[i], domain->domid);
	return store_commit_unseen(batch, e);
}

int devices_prepare(struct domain *domain, struct store_batch *batch, struct error **e)
{
	struct device *device;
	int rc = clear_number(domain, e);

	if (rc)
		return rc;
	TAILQ_FOREACH(device, &domain->devices, link) {
		rc = prepare(device, e);
		if (rc)
			return rc;
		put_nodes(device, batch, true);
	}
	return 0;
}

int devices_complete(struct domain *domain, struct error **e)
{
	struct hv_domain_info info;
	struct device *device;

	TAILQ_FOREACH(device, &domain->devices, link) {
		int rc = domain_info(domain, &info, e);

		if (rc == 0)
			rc = complete(device, e);
		if (rc)
			return rc;
	}
	return 0;
}

/*
 * Refuses a device whose predecessor the kernel still has. The predecessor may have its disk open,
 * and only its nodes, which an attach would replace, say which disk that is.
 */
static int check_gone(const struct device *device, struct error **e)
{
	char *name;
	int rc;

	if (!device_kernel_has(device->ops->class, device->domain->domid, device->devid)) {
		disk_late_make_room(device);
		return 0;
	}
	name = device->ops->name(device);
	rc = error_set(e, EBUSY,
		       "The device %s of domain '%s' was taken away, but the backend driver has "
		       "not let go of it yet. "
		       "Attach it later, or under another name.",
		       name, device->domain->name);
	free(name);
	return rc;
}

/* The kernel keeps its drivers' watches only until xenstored ends; it does not set them anew. */
const char *device_driver_silent(const char *class)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/bus/xen-backend/drivers/%s", class);
	return access(path, F_OK) == 0 ?
		       "it does not answer. If xenstored was started anew, Domain-0 "
		       "serves no new device until the host is restarted" :
		       "it is not there. Load the module";
}

int device_attach(struct device *device, struct error **e)
{
	struct hv_domain_info info;
	struct store_batch *batch;
	int rc = domain_info(device->domain, &info, e);

	if (rc == 0)
		rc = layout_check_known(device->domain, e);
	if (rc) {
		device_free(device);
		return rc;
	}
	rc = device_add(device, DEVICE_NO_ID, e);
	if (rc)
		return rc;
	rc = check_gone(device, e);
	if (rc) {
		device_forget(device);
		return rc;
	}
	rc = prepare(device, e);
	if (rc == 0) {
		batch = store_begin();
		put_nodes(device, batch, false);
		rc = store_commit(batch, e);
	}
	if (rc == 0)
		rc = complete(device, e);
	if (rc) {
		device_take_apart(device);
		device_forget(device);
	}
	return rc;
}
