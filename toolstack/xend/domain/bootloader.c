/* SPDX-License-Identifier: MIT */
/* Finds the bootloader's program and the first disk, and describes both to the worker. */
#include "xend/domain/bootloader.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "config/config.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include "xend/device/device.h"
#include "xend/domain/domain.h"
#include "xend/runtime/settings.h"

/* Finds a bootloader that is given by its name alone. */
static char *find_program(const char *name, struct error **e)
{
	static const char *const places[] = { "/usr/lib/xenolith/%s", "/usr/lib/xen-*/bin/%s",
					      "/usr/bin/%s" };
	char *found = NULL;

	if (name[0] == '/')
		return xstrdup(name);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && !found && !strchr(name, '/');
	     i++) {
		const char *percent = strstr(places[i], "%s");
		char *pattern = xasprintf("%.*s%s", (int)(percent - places[i]), places[i], name);
		glob_t matches;

		if (glob(pattern, 0, NULL, &matches) == 0) {
			found = xstrdup(matches.gl_pathv[matches.gl_pathc - 1]);
			globfree(&matches);
		}
		free(pattern);
	}
	if (!found)
		error_set(e, ENOENT, "The bootloader '%s' is not installed.", name);
	return found;
}

/* The block device of the first disk; for a file, the loop device that the guest gets. 0: none. */
static dev_t first_disk(const struct domain *domain)
{
	const struct device *device;

	TAILQ_FOREACH(device, &domain->devices, link)
		if (device->ops == &device_vbd_ops &&
		    strcmp(device->disk.vdev, domain->config->disk[0].vdev) == 0)
			return device->block_device;
	return 0;
}

int bootloader_put(const struct domain *domain, struct json_object *order, struct error **e)
{
	const struct config *config = domain->config;
	struct json_object *what, *args;
	char *program;
	dev_t disk;

	if (!config->nr_disk)
		return error_set(e, EBADMSG,
				 "Domain '%s' has a bootloader, but no disk for it to look into.",
				 domain->name);
	if (config->disk[0].type == CONFIG_DISK_QDISK)
		return error_set(
			e, EOPNOTSUPP,
			"The bootloader of domain '%s' cannot look into %s, which QEMU "
			"serves. Name the guest's kernel and ramdisk instead, or convert the "
			"image to a raw one: qemu-img convert -O raw.",
			domain->name, config->disk[0].target);
	disk = first_disk(domain);
	program = find_program(config->bootloader, e);
	if (!program)
		return -ENOENT;
	what = json_new_object();
	args = json_new_array();
	for (size_t i = 0; i < config->nr_bootargs; i++)
		json_append(args, json_new_string(config->bootargs[i]));
	json_set_string(what, "program", program);
	json_set(what, "args", args);
	json_set_string(what, "disk", config->disk[0].target);
	json_set_int(what, "major", major(disk));
	json_set_int(what, "minor", minor(disk));
	json_set_bool(what, "restricted", settings->bootloader_restrict);
	json_set_int(what, "seconds", (int64_t)settings->bootloader_timeout);
	json_set_int(what, "mib", (int64_t)settings->bootloader_max_size);
	json_set(order, "bootloader", what);
	free(program);
	return 0;
}
