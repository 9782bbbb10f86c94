/* SPDX-License-Identifier: MIT */
/* The list of a domain's devices, and its forms in the configuration and in the record. No function
 * here waits. */
#include "xend/device/device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/str.h"
#include "xend/domain/domain.h"
#include "protocol.h"

static const struct device_ops *const classes[] = { &device_vbd_ops, &device_vif_ops };
#define CLASSES (sizeof(classes) / sizeof(classes[0]))

/* More vifs than any domain needs. The id becomes part of paths and of the interface's name. */
#define MAX_VIFS 64

void device_back_path(const struct device *device, char path[DEVICE_PATH_MAX])
{
	snprintf(path, DEVICE_PATH_MAX, "/local/domain/0/backend/%s/%d/%u", device->ops->class,
		 device->domain->domid, device->devid);
}

void device_front_path(const struct device *device, char path[DEVICE_PATH_MAX])
{
	snprintf(path, DEVICE_PATH_MAX, "/local/domain/%d/device/%s/%u", device->domain->domid,
		 device->ops->class, device->devid);
}

const struct device_ops *device_class(const char *name)
{
	for (size_t i = 0; i < CLASSES; i++)
		if (strcmp(classes[i]->class, name) == 0)
			return classes[i];
	return NULL;
}

struct device *device_by_id(struct domain *domain, const char *class, uint64_t devid)
{
	struct device *device;

	TAILQ_FOREACH(device, &domain->devices, link)
		if (device->devid == devid && strcmp(device->ops->class, class) == 0)
			return device;
	return NULL;
}

static void free_device(struct device *device)
{
	if (device->loop_fd >= 0)
		close(device->loop_fd);
	device->ops->free(device);
	free(device);
}

void device_forget(struct device *device)
{
	TAILQ_REMOVE(&device->domain->devices, device, link);
	free_device(device);
}

void devices_forget(struct domain *domain)
{
	while (!TAILQ_EMPTY(&domain->devices))
		device_forget(TAILQ_FIRST(&domain->devices));
}

int device_add(struct domain *domain, const struct device_ops *ops, struct json_object *element,
	       unsigned int devid, struct device **out, struct error **e)
{
	struct device *device = xcalloc(1, sizeof(*device));
	int rc;

	device->domain = domain;
	device->ops = ops;
	device->devid = devid;
	device->loop_fd = -1;
	rc = ops->parse(device, element, e);
	if (rc) {
		free(device);
		return rc;
	}
	if (device->devid == DEVICE_NO_ID) {
		device->devid = 0;
		while (device_by_id(domain, ops->class, device->devid))
			device->devid++;
	}
	if (device->devid > UINT32_MAX / 2 || device_by_id(domain, ops->class, device->devid) ||
	    (ops == &device_vif_ops && device->devid >= MAX_VIFS)) {
		char *name = ops->name(device);

		rc = error_set(e, EEXIST,
			       "Domain '%s' has a device %s already, or too many of them.",
			       domain->name, name);
		free(name);
		free_device(device);
		return rc;
	}
	TAILQ_INSERT_TAIL(&domain->devices, device, link);
	*out = device;
	return 0;
}

struct device *device_find(struct domain *domain, const struct device_ops *ops, const char *which)
{
	struct device *device;

	TAILQ_FOREACH(device, &domain->devices, link) {
		char *name = ops == device->ops ? ops->name(device) : NULL;
		bool found = name && strcmp(name, which) == 0;
		uint64_t number;

		free(name);
		if (device->ops != ops)
			continue;
		if (found ||
		    (str_to_u64(which, 10, 0, UINT32_MAX, &number) && number == device->devid))
			return device;
		if (ops == &device_vif_ops && device->vif.mac &&
		    strcasecmp(device->vif.mac, which) == 0)
			return device;
		if (ops == &device_vbd_ops && config_vdev_number(which) == (int)device->devid)
			return device;
	}
	return NULL;
}

/* --- configuration and record --- */

int devices_from_config(struct domain *domain, struct error **e)
{
	struct device *device;

	for (size_t i = 0; i < domain->config->nr_disk + domain->config->nr_vif; i++) {
		bool is_disk = i < domain->config->nr_disk;
		struct json_object *element =
			is_disk ? config_disk_to_json(&domain->config->disk[i]) :
				  config_vif_to_json(
					  &domain->config->vif[i - domain->config->nr_disk]);
		int rc = device_add(domain, is_disk ? &device_vbd_ops : &device_vif_ops, element,
				    DEVICE_NO_ID, &device, e);

		json_object_put(element);
		if (rc)
			return rc;
	}
	return 0;
}

void devices_to_config(struct domain *domain)
{
	struct json_object *o = config_to_json(domain->config), *disks = json_new_array(),
			   *vifs = json_new_array();
	struct config *config;
	struct device *device;
	struct error *e = NULL;

	TAILQ_FOREACH(device, &domain->devices, link)
		json_append(device->ops == &device_vbd_ops ? disks : vifs,
			    device->ops->to_json(device));
	json_set(o, "disk", disks);
	json_set(o, "vif", vifs);
	config = config_from_json(o, &e);
	json_object_put(o);
	if (!config) {
		/* Each part was accepted before, so this is a bug. Keep the old configuration. */
		log_error("The devices of domain %s do not fit its configuration: %s", domain->name,
			  error_text(e));
		error_free(&e);
		return;
	}
	config_free(domain->config);
	domain->config = config;
}

struct json_object *devices_to_json(const struct domain *domain)
{
	struct json_object *array = json_new_array();
	struct device *device;

	TAILQ_FOREACH(device, &domain->devices, link) {
		struct json_object *o = json_new_object();

		json_set_string(o, "class", device->ops->class);
		json_set_int(o, "devid", device->devid);
		json_set(o, "config", device->ops->to_json(device));
		json_append(array, o);
	}
	return array;
}

int devices_from_json(struct domain *domain, struct json_object *array, struct error **e)
{
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		struct json_object *o = json_object_array_get_idx(array, i), *element;
		const struct device_ops *ops;
		struct device *device;
		const char *class;
		int64_t devid;

		if (json_get_string(o, "class", &class, e) ||
		    json_get_int(o, "devid", 0, INT32_MAX, &devid, e) ||
		    json_get_typed(o, "config", json_type_object, &element, e))
			return -EINVAL;
		ops = device_class(class);
		if (!ops)
			return error_set(e, EINVAL, "There is no class '%.20s' of devices.", class);
		if (device_add(domain, ops, element, (unsigned int)devid, &device, e))
			return -EINVAL;
	}
	return 0;
}
