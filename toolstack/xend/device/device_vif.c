/* SPDX-License-Identifier: MIT */
/* Network interfaces, through Linux's xen-netback and the vif scripts. */
#include "xend/device/device.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xen/io/xenbus.h>

#include "config/schema.h"
#include "lib/alloc.h"
#include "xend/domain/domain.h"
#include "xend/device/hotplug.h"
#include "xend/runtime/files.h"
#include "xend/runtime/settings.h"

/* Milliseconds for the driver to create the interface. */
#define BACKEND_PATIENCE 10000

static char *vif_name(const struct device *device)
{
	return xasprintf("%u", device->devid);
}

/* The script's path. A bare name is looked up in /etc/xen/scripts. */
static char *script_path(const struct device *device)
{
	return hotplug_script_path(device->vif.script ? device->vif.script : settings->vif_script);
}

/*
 * The bridge of a vif that names none: xenbr0, else the first by name. To be freed; NULL: no
 * bridge.
 */
static char *default_bridge(void)
{
	DIR *directory = opendir("/sys/class/net");
	struct dirent *entry;
	char *best = NULL;

	while (directory && (entry = readdir(directory))) {
		char path[300];

		snprintf(path, sizeof(path), "/sys/class/net/%s/bridge", entry->d_name);
		if (entry->d_name[0] == '.' || access(path, F_OK))
			continue;
		if (!best || strcmp(entry->d_name, "xenbr0") == 0 ||
		    (strcmp(best, "xenbr0") != 0 && strcmp(entry->d_name, best) < 0)) {
			free(best);
			best = xstrdup(entry->d_name);
		}
	}
	if (directory)
		closedir(directory);
	return best;
}

static bool uses_bridge(const char *script)
{
	return strstr(script, "vif-bridge") != NULL;
}

static int vif_prepare(struct device *device, struct error **e)
{
	char *script = script_path(device), *bridge = NULL, *path = NULL;
	int rc = 0;

	if (strcmp(device->vif.backend, "0") != 0) {
		rc = error_set(e, EOPNOTSUPP,
			       "A vif of domain '%s' needs a backend outside Domain-0, which xend "
			       "does not support.",
			       device->domain->name);
		goto out;
	}
	rc = files_check_program(script);
	if (rc) {
		error_set(e, rc, "The script %s of a vif of domain '%s' cannot be run: %s.", script,
			  device->domain->name, files_error_text(rc));
		goto out;
	}
	if (!uses_bridge(script))
		goto out;
	bridge = device->vif.bridge ? xstrdup(device->vif.bridge) : default_bridge();
	if (!bridge) {
		rc = error_set(e, ENOENT,
			       "A vif of domain '%s' names no bridge, and there is none. Make one: "
			       "ip link add xenbr0 "
			       "type bridge.",
			       device->domain->name);
		goto out;
	}
	path = xasprintf("/sys/class/net/%s/bridge", bridge);
	if (access(path, F_OK))
		rc = error_set(e, ENOENT, "The bridge %s of a vif of domain '%s' does not exist.",
			       bridge, device->domain->name);
out:
	free(path);
	free(bridge);
	free(script);
	return rc;
}

static void put_if(struct store_batch *batch, unsigned int domid, const char *value,
		   const char *back, const char *key)
{
	if (value)
		store_put(batch, STORE_GUEST_READS, domid, value, "%s/%s", back, key);
}

static void vif_put_front(const struct device *device, struct store_batch *batch, const char *front)
{
	unsigned int domid = (unsigned int)device->domain->domid;

	store_put_number(batch, STORE_GUEST_OWNS, domid, device->devid, "%s/handle", front);
	store_put(batch, STORE_GUEST_OWNS, domid, device->vif.mac, "%s/mac", front);
}

static void vif_put_back(const struct device *device, struct store_batch *batch, const char *back)
{
	unsigned int domid = (unsigned int)device->domain->domid;
	char *script = script_path(device),
	     *bridge = device->vif.bridge ? xstrdup(device->vif.bridge) : default_bridge();
	uint64_t bytes, interval;

	store_put_number(batch, STORE_GUEST_READS, domid, device->devid, "%s/handle", back);
	store_put(batch, STORE_GUEST_READS, domid, device->vif.mac, "%s/mac", back);
	store_put(batch, STORE_GUEST_READS, domid, script, "%s/script", back);
	store_put(batch, STORE_GUEST_READS, domid, "vif", "%s/type", back);
	store_put(batch, STORE_GUEST_READS, domid, "", "%s/hotplug-status", back);
	if (uses_bridge(script))
		put_if(batch, domid, bridge, back, "bridge");
	put_if(batch, domid, device->vif.ip, back, "ip");
	store_put(batch, STORE_GUEST_READS, domid, device->vif.trusted ? "1" : "0", "%s/trusted",
		  back);
	put_if(batch, domid, device->vif.vifname, back, "vifname");
	put_if(batch, domid, device->vif.gatewaydev, back, "gatewaydev");
	if (device->vif.mtu)
		store_put_number(batch, STORE_GUEST_READS, domid, device->vif.mtu, "%s/mtu", back);
	if (device->vif.rate && config_rate_parse(device->vif.rate, &bytes, &interval, NULL) == 0) {
		char text[48];

		snprintf(text, sizeof(text), "%llu,%llu", (unsigned long long)bytes,
			 (unsigned long long)interval);
		store_put(batch, STORE_GUEST_READS, domid, text, "%s/rate", back);
	}
	free(bridge);
	free(script);
}

/*
 * The driver creates the interface vifDOMID.DEVID and waits in state InitWait. The script then adds
 * it to its bridge and writes "connected" to hotplug-status.
 */
static int vif_complete(struct device *device, struct error **e)
{
	const unsigned int ready = 1u << XenbusStateInitWait | 1u << XenbusStateConnected;
	char back[DEVICE_PATH_MAX], *script;
	struct hv_domain_info info;
	unsigned int state;
	int rc;

	device_back_path(device, back);
	rc = device_wait_state(back, ready, task_deadline(BACKEND_PATIENCE), &state);
	if (rc)
		return error_set(e, rc,
				 "xen-netback does not take the interface %u of domain '%s' (state "
				 "%u). Is the module loaded?",
				 device->devid, device->domain->name, state);
	rc = domain_info(device->domain, &info, e);
	if (rc)
		return rc;
	script = script_path(device);
	rc = hotplug_vif(script, "online", device->domain->domid, device->devid, e);
	free(script);
	return rc;
}

static void vif_undo(struct device *device)
{
	store_remove("/local/domain/0/error/backend/vif/%d/%u", device->domain->domid,
		     device->devid);
}

const struct device_ops device_vif_ops = {
	.class = "vif",
	.schema = &config_vif_schema,
	.name = vif_name,
	.prepare = vif_prepare,
	.put_back = vif_put_back,
	.put_front = vif_put_front,
	.complete = vif_complete,
	.undo = vif_undo,
};
