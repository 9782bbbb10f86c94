/* SPDX-License-Identifier: MIT */
/* Network interfaces, through Linux's xen-netback, and a bridge or a vif script. */
#include "xend/device/device.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xen/io/xenbus.h>

#include "config/schema.h"
#include "lib/alloc.h"
#include "xend/device/bridge.h"
#include "xend/domain/domain.h"
#include "xend/device/hotplug.h"
#include "xend/runtime/files.h"
#include "xend/runtime/settings.h"

/* Milliseconds for the driver to create the interface. */
#define BACKEND_PATIENCE 10000
#define USUAL_MTU	 1500
#define HOOKS		 "/etc/xen/scripts/vif-post.d/*.hook"

static char *vif_name(const struct device *device)
{
	return xasprintf("%u", device->devid);
}

/* Whether the administrator has put something there that Debian's vif scripts run at their end. */
static bool has_hooks(void)
{
	glob_t found;
	bool any = glob(HOOKS, GLOB_NOSORT, NULL, &found) == 0;

	if (any)
		globfree(&found);
	return any;
}

/*
 * The path of the script that connects the interface, to be freed. NULL: none is asked for, and
 * xend puts the interface on its bridge itself. It leaves the addresses of `ip`, and the
 * administrator's hooks, to the script.
 */
static char *script_path(const struct device *device)
{
	const char *name = device->vif.script ? device->vif.script : settings->vif_script;
	char *usual;

	if (name)
		return hotplug_script_path(name);
	usual = hotplug_script_path("vif-bridge");
	/* xend has no hands in a driver domain. */
	if (device->host)
		return usual;
	if ((device->vif.ip || has_hooks()) && access(usual, X_OK) == 0)
		return usual;
	free(usual);
	return NULL;
}

static const char *bridge_name(const struct device *device)
{
	return device->vif.bridge ? device->vif.bridge : settings->default_bridge;
}

/* Whether `bridge` names a bridge of Linux. Other scripts have texts of their own. */
static bool uses_bridge(const char *script)
{
	return !script || strstr(script, "vif-bridge");
}

/*
 * Refuses a name that another interface has. Later would be too late: a vif script that fails takes
 * the interface of that name down, whosever it is.
 */
static int check_name(const struct device *device, struct error **e)
{
	const char *name = device->vif.vifname;
	struct domain *domain;
	struct device *other;

	if (!name)
		return 0;
	TAILQ_FOREACH(domain, &domains, link) {
		TAILQ_FOREACH(other, &domain->devices, link) {
			if (other == device || other->ops != &device_vif_ops || domain->domid < 0 ||
			    !other->vif.vifname || strcmp(other->vif.vifname, name) != 0)
				continue;
			return error_set(e, EEXIST,
					 "The interface %u of domain '%s' cannot be named %s: that "
					 "of domain '%s' has this name. Change vifname.",
					 device->devid, device->domain->name, name, domain->name);
		}
	}
	if (bridge_interface_exists(name))
		return error_set(e, EEXIST,
				 "The interface %u of domain '%s' cannot be named %s: Domain-0 has "
				 "an interface of this name. Change vifname.",
				 device->devid, device->domain->name, name);
	return 0;
}

static int check_bridge(const struct device *device, struct error **e)
{
	const char *name = bridge_name(device);
	char *bridge = bridge_find(name);
	int rc = 0;

	if (!bridge && device->vif.bridge)
		rc = error_set(e, ENOENT, "The bridge %s of a vif of domain '%s' does not exist.",
			       name, device->domain->name);
	else if (!bridge)
		rc = error_set(e, ENOENT,
			       "A vif of domain '%s' names no bridge, and the default, %s, does "
			       "not exist. Name one (bridge=...), set default-bridge in "
			       "xend-config.sxp, or make it: ip link add %s type bridge.",
			       device->domain->name, name, name);
	free(bridge);
	return rc;
}

static int vif_prepare(struct device *device, struct error **e)
{
	char *script = script_path(device);
	int rc = 0;

	if (script) {
		rc = files_check_program(script);
		if (rc)
			error_set(e, rc, "The script %s of a vif of domain '%s' cannot be run: %s.",
				  script, device->domain->name, files_error_text(rc));
	}
	if (rc == 0 && uses_bridge(script))
		rc = check_bridge(device, e);
	if (rc == 0)
		rc = check_name(device, e);
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
	/* A driver domain's script writes its bridge's MTU there. */
	if (device->host)
		store_put_number(batch, STORE_GUEST_SHARES, domid,
				 device->vif.mtu ? device->vif.mtu : USUAL_MTU, "%s/mtu", front);
}

static void vif_put_back(const struct device *device, struct store_batch *batch, const char *back)
{
	unsigned int domid = (unsigned int)device->domain->domid;
	char *script = script_path(device);
	char *bridge =
		uses_bridge(script) && !device->host ? bridge_find(bridge_name(device)) : NULL;
	uint64_t bytes, interval;

	/* xen-netback asks for these when it sees the device. An empty script undoes nothing. */
	store_put_number(batch, STORE_GUEST_READS, domid, device->devid, "%s/handle", back);
	store_put(batch, STORE_GUEST_READS, domid, script ? script : "", "%s/script", back);
	store_batch_later(batch, true);
	store_put(batch, STORE_GUEST_READS, domid, device->vif.mac, "%s/mac", back);
	store_put(batch, STORE_GUEST_READS, domid, "vif", "%s/type", back);
	if (script || device->host)
		store_put(batch, STORE_GUEST_READS, domid, "", "%s/hotplug-status", back);
	put_if(batch, domid, bridge ? bridge : bridge_name(device), back, "bridge");
	put_if(batch, domid, device->vif.ip, back, "ip");
	if (device->host || !device->vif.trusted)
		store_put(batch, STORE_GUEST_READS, domid, device->vif.trusted ? "1" : "0",
			  "%s/trusted", back);
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

/* Puts the interface on its bridge, and tells the driver, as the script would. */
static int put_on_bridge(const struct device *device, const char *back, struct error **e)
{
	char *bridge = bridge_find(bridge_name(device));
	char *interface = xasprintf("vif%d.%u", device->domain->domid, device->devid);
	char path[DEVICE_PATH_MAX + 24];
	uint64_t mtu = device->vif.mtu;
	int rc = bridge ? bridge_connect(bridge, interface, device->vif.vifname, &mtu, e) :
			  check_bridge(device, e);

	if (rc == 0) {
		device_front_path(device, path);
		strcat(path, "/mtu");
		store_write(path, "%llu", (unsigned long long)mtu);
		snprintf(path, sizeof(path), "%s/hotplug-status", back);
		rc = store_write(path, "connected");
		if (rc)
			error_set(e, rc, "Cannot write %s in xenstore: %s.", path, strerror(-rc));
	}
	free(interface);
	free(bridge);
	return rc;
}

/*
 * The driver creates the interface vifDOMID.DEVID and waits in state InitWait. Whoever connects the
 * interface then writes "connected" to hotplug-status.
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
				 "%u): %s.",
				 device->devid, device->domain->name, state,
				 device_driver_silent("vif"));
	rc = domain_info(device->domain, &info, e);
	if (rc)
		return rc;
	script = script_path(device);
	rc = script ? hotplug_vif(script, "online", device->domain->domid, device->devid, e) :
		      put_on_bridge(device, back, e);
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
