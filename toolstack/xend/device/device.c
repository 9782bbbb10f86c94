/* SPDX-License-Identifier: MIT */
/*
 * The list of a domain's devices, and its forms in the configuration and in the record. No function
 * here waits.
 */
#include "xend/device/device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/schema.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include "xend/runtime/files.h"
#include "xend/domain/domain.h"
#include "protocol.h"

static const struct device_ops *const classes[] = { &device_vbd_ops, &device_vif_ops };
#define CLASSES (sizeof(classes) / sizeof(classes[0]))

/* More vifs than any domain needs. The id becomes part of paths and of the interface's name. */
#define MAX_VIFS 64

const char *device_back_class(const struct device *device)
{
	return device->ops == &device_vbd_ops && device->disk.type == CONFIG_DISK_QDISK ?
		       "qdisk" :
		       device->ops->class;
}

const char *device_class_of_backend(const char *back_class)
{
	return strcmp(back_class, "qdisk") == 0 ? "vbd" : back_class;
}

void device_back_path(const struct device *device, char path[DEVICE_PATH_MAX])
{
	snprintf(path, DEVICE_PATH_MAX, "/local/domain/%d/backend/%s/%d/%u", device->host,
		 device_back_class(device), device->domain->domid, device->devid);
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

struct device *device_by_backend(struct domain *domain, const char *back_class, uint64_t devid)
{
	struct device *device = device_by_id(domain, device_class_of_backend(back_class), devid);

	return device && strcmp(device_back_class(device), back_class) == 0 ? device : NULL;
}

/* Its configuration: a record of ops->schema. */
static void *record_of(struct device *device)
{
	return &device->disk;
}

struct device *device_new(struct domain *domain, const struct device_ops *ops, const void *config)
{
	struct device *device = xcalloc(1, sizeof(*device));

	device->domain = domain;
	device->ops = ops;
	device->loop_fd = -1;
	if (config)
		schema_copy(ops->schema, record_of(device), config);
	return device;
}

int device_from_json(struct domain *domain, const struct device_ops *ops,
		     struct json_object *element, struct device **out, struct error **e)
{
	struct device *device = device_new(domain, ops, NULL);
	int rc = schema_from_json(ops->schema, record_of(device), element, e);

	if (rc) {
		device_free(device);
		return rc;
	}
	if (ops == &device_vif_ops)
		config_vif_generate(&device->vif);
	*out = device;
	return 0;
}

struct json_object *device_to_json(const struct device *device)
{
	return schema_to_json(device->ops->schema, &device->disk);
}

void device_free(struct device *device)
{
	files_close(device->loop_fd);
	free(device->served);
	disk_chain_free(&device->claim);
	for (size_t i = 0; i < device->nr_below; i++)
		disk_chain_free(&device->below[i]);
	free(device->below);
	schema_clear(device->ops->schema, record_of(device));
	free(device);
}

const char *device_backend_name(const struct device *device)
{
	const char *name = device->ops == &device_vbd_ops ? device->disk.backend :
			   device->ops == &device_vif_ops ? device->vif.backend :
							    NULL;

	return name && strcmp(name, "Domain-0") != 0 ? name : "0";
}

bool device_has_script(const struct device *device)
{
	return device->ops == &device_vbd_ops && device->disk.script &&
	       strcmp(device_backend_name(device), "0") == 0;
}

bool devices_have_scripts(const struct domain *domain)
{
	const struct device *device;

	TAILQ_FOREACH(device, &domain->devices, link)
		if (device_has_script(device))
			return true;
	return false;
}

void device_forget(struct device *device)
{
	TAILQ_REMOVE(&device->domain->devices, device, link);
	/* Its backend may stay, if the driver does not let go of it. */
	device->domain->backends_known = false;
	device_free(device);
}

void devices_forget(struct domain *domain)
{
	while (!TAILQ_EMPTY(&domain->devices))
		device_forget(TAILQ_FIRST(&domain->devices));
}

static unsigned int choose_id(const struct device *device)
{
	unsigned int devid = 0;

	if (device->ops == &device_vbd_ops)
		return (unsigned int)config_vdev_number(device->disk.vdev);
	while (device_by_id(device->domain, device->ops->class, devid))
		devid++;
	return devid;
}

static int refuse_twin(const struct device *device, struct error **e)
{
	char *name = device->ops->name(device);

	error_set(e, EEXIST, "Domain '%s' has a device %s already.", device->domain->name, name);
	free(name);
	return -EEXIST;
}

/* Whether the domain with this device is one that its record can describe. */
static int check_fits(const struct device *device, struct error **e)
{
	bool is_vif = device->ops == &device_vif_ops;
	const struct device *other;
	size_t count = 0;

	TAILQ_FOREACH(other, &device->domain->devices, link) {
		if (other->ops != device->ops)
			continue;
		if (other->devid == device->devid)
			return refuse_twin(device, e);
		if (is_vif && strcmp(other->vif.mac, device->vif.mac) == 0)
			return error_set(e, EEXIST,
					 "Domain '%s' has an interface with the MAC %s already, "
					 "its interface %u.",
					 device->domain->name, device->vif.mac, other->devid);
		count++;
	}
	if (device->devid <= UINT32_MAX / 2 && (!is_vif || device->devid < MAX_VIFS) &&
	    count < SCHEMA_MAX_ITEMS)
		return 0;
	return error_set(e, EEXIST,
			 "Domain '%s' has as many devices of the class %s as it may: %zu.",
			 device->domain->name, device->ops->class, count);
}

int device_add(struct device *device, unsigned int devid, struct error **e)
{
	int rc;

	device->devid = devid == DEVICE_NO_ID ? choose_id(device) : devid;
	rc = check_fits(device, e);
	if (rc) {
		device_free(device);
		return rc;
	}
	TAILQ_INSERT_TAIL(&device->domain->devices, device, link);
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
		if (ops == &device_vif_ops && strcasecmp(device->vif.mac, which) == 0)
			return device;
		if (ops == &device_vbd_ops && config_vdev_number(which) == (int)device->devid)
			return device;
	}
	return NULL;
}

/* --- configuration and record --- */

/* A drive without a medium: a paravirtualized guest has no use for it. */
static bool is_empty_drive(const struct config_disk *disk)
{
	return !disk->target && !disk->script;
}

int devices_from_config(struct domain *domain, struct error **e)
{
	const struct config *config = domain->config;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < config->nr_disk; i++)
		if (!is_empty_drive(&config->disk[i]))
			rc = device_add(device_new(domain, &device_vbd_ops, &config->disk[i]),
					DEVICE_NO_ID, e);
	for (size_t i = 0; rc == 0 && i < config->nr_vif; i++)
		rc = device_add(device_new(domain, &device_vif_ops, &config->vif[i]), DEVICE_NO_ID,
				e);
	return rc;
}

void devices_to_config(struct domain *domain)
{
	struct config *before = config_copy(domain->config);
	struct device *device;

	config_remove_devices(domain->config);
	/* Drives without a medium are no devices, but they stay in the configuration. */
	for (size_t i = 0; i < before->nr_disk; i++)
		if (is_empty_drive(&before->disk[i]) &&
		    !device_find(domain, &device_vbd_ops, before->disk[i].vdev))
			config_add_disk(domain->config, &before->disk[i]);
	config_free(before);
	TAILQ_FOREACH(device, &domain->devices, link) {
		if (device->ops == &device_vbd_ops)
			config_add_disk(domain->config, &device->disk);
		else
			config_add_vif(domain->config, &device->vif);
	}
}

struct json_object *devices_to_json(const struct domain *domain)
{
	struct json_object *array = json_new_array();
	struct device *device;

	TAILQ_FOREACH(device, &domain->devices, link) {
		struct json_object *o = json_new_object();

		json_set_string(o, "class", device->ops->class);
		json_set_int(o, "devid", device->devid);
		json_set_int(o, "host", device->host);
		json_set(o, "config", device_to_json(device));
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
		int64_t devid, host;

		if (json_get_string(o, "class", &class, e) ||
		    json_get_int(o, "devid", 0, INT32_MAX, &devid, e) ||
		    json_opt_int(o, "host", 0, DOMID_FIRST_RESERVED - 1, 0, &host, e) ||
		    json_get_typed(o, "config", json_type_object, &element, e))
			return -EINVAL;
		ops = device_class(class);
		if (!ops)
			return error_set(e, EINVAL, "There is no class '%.20s' of devices.", class);
		if (device_from_json(domain, ops, element, &device, e))
			return -EINVAL;
		device->host = (int)host;
		if (device_add(device, (unsigned int)devid, e))
			return -EINVAL;
	}
	return 0;
}
