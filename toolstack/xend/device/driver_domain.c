/* SPDX-License-Identifier: MIT */
/* Devices that another domain serves: finding it, waiting for it, and doing without it. */
#include "xend/device/driver_domain.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xen/io/xenbus.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/str.h"
#include "xend/device/device.h"
#include "xend/domain/domain.h"
#include "xend/runtime/task.h"

/* Milliseconds for the kernel of a driver domain to see the device, and for its scripts. */
#define KERNEL_PATIENCE 10000
#define SCRIPT_PATIENCE 60000
/* Milliseconds for it to close, and then to undo its setup and remove its nodes. */
#define CLOSE_PATIENCE 10000
#define UNDO_PATIENCE  20000
/* Milliseconds to undo the setup of a device that its kernel does not close. */
#define UNCLOSED_PATIENCE 4000
/*
 * Milliseconds for a device of a driver domain that has just let such a wait pass, and how long it
 * counts as silent: its other devices are to cost next to nothing.
 */
#define SILENT_PATIENCE 100
#define SILENCE		60000
/* Milliseconds between looks whether it still runs. */
#define LIFE_INTERVAL 1000

#define CLASS_MAX      32
#define CLOSED_OR_GONE (1u << XenbusStateClosed | 1u << XenbusStateUnknown)
#define READY \
	(1u << XenbusStateInitWait | 1u << XenbusStateInitialised | 1u << XenbusStateConnected)

bool driver_domain_runs(int host)
{
	struct hv_domain_info info;

	return hv_domain_info(domain_hv, (uint32_t)host, &info, NULL) == 0 && !info.dying &&
	       !info.shutdown;
}

int driver_domain_find(struct device *device, struct error **e)
{
	const char *name = device_backend_name(device), *why = NULL;
	struct domain *domain;
	uint64_t number;

	device->host = 0;
	if (strcmp(name, "0") == 0)
		return 0;
	domains_refresh();
	domain = domain_by_name(name);
	if (!domain && str_to_u64(name, 10, 0, DOMID_FIRST_RESERVED - 1, &number))
		domain = domain_by_id((int)number);
	if (!domain)
		why = "does not exist";
	else if (domain == device->domain)
		why = "is the domain itself";
	else if (domain->domid && device->ops == &device_vbd_ops &&
		 device->disk.type == CONFIG_DISK_QDISK)
		why = "can serve raw disks only";
	else if (domain->domid && (domain->domid < 0 || !driver_domain_runs(domain->domid)))
		why = "does not run: start it first";
	if (why)
		return error_set(e, ENODEV,
				 "The domain '%.64s', which is to serve a %s of domain '%s', %s.",
				 name, device->ops == &device_vbd_ops ? "disk" : "vif",
				 device->domain->name, why);
	device->host = domain->domid;
	return 0;
}

void driver_domain_put_index(const struct device *device, struct store_batch *batch)
{
	char back[DEVICE_PATH_MAX];

	device_back_path(device, back);
	store_put(batch, STORE_PRIVATE, 0, back, "/libxl/%d/device/%s/%u/backend",
		  device->domain->domid, device->ops->class, device->devid);
}

/* --- waiting for it --- */

/* What the driver domain wrote, fit for a person's terminal. To be freed; NULL: nothing. */
static char *read_words(const char *back, const char *key)
{
	char *text = store_read("%s/%s", back, key);

	for (char *c = text; c && *c; c++) {
		if (c - text >= 200)
			*c = '\0';
		else if (!isprint((unsigned char)*c))
			*c = '?';
	}
	return text;
}

static void wake(void *arg)
{
	task_wake(arg);
}

/* 1: the driver domain has connected the device; 0: not yet; or an error that it reports. */
static int look(const char *back, bool is_disk, struct error **e)
{
	char *said = read_words(back, "hotplug-error"),
	     *status = read_words(back, "hotplug-status");
	unsigned int state = (unsigned int)store_read_number(XenbusStateReconfigured,
							     XenbusStateUnknown, "%s/state", back);
	int rc;

	if (said || (status && (strcmp(status, "error") == 0 || strcmp(status, "busy") == 0)))
		rc = error_set(e, EIO, "it reports: %s", said ? said : status);
	else if (state == XenbusStateClosing || state == XenbusStateClosed)
		rc = error_set(e, EIO, "it has closed the device");
	else if (state == XenbusStateUnknown)
		rc = error_set(e, EIO, "its directory in xenstore is gone");
	else if (!status || strcmp(status, "connected") != 0 || !(READY & (1u << state)))
		rc = 0;
	else if (is_disk && !store_exists("%s/physical-device", back))
		rc = error_set(e, EIO, "its script has found no such block device or file");
	else
		rc = 1;
	free(status);
	free(said);
	return rc;
}

static bool is_seen(const char *back)
{
	return READY & (1u << store_read_number(XenbusStateReconfigured, XenbusStateUnknown,
						"%s/state", back));
}

static int wait_for(const struct device *device, const char *back, struct error **e)
{
	uint64_t seen_by = task_deadline(KERNEL_PATIENCE),
		 deadline = task_deadline(SCRIPT_PATIENCE);
	const char *module = device->ops == &device_vbd_ops ? "xen-blkback" : "xen-netback";
	int rc;

	for (;;) {
		uint64_t next = task_deadline(LIFE_INTERVAL);

		if (!driver_domain_runs(device->host))
			return error_set(e, ESRCH, "it has ended");
		rc = look(back, device->ops == &device_vbd_ops, e);
		if (rc)
			return rc < 0 ? rc : 0;
		if (task_now() >= seen_by && !is_seen(back))
			return error_set(e, ETIMEDOUT,
					 "its kernel does not answer. Has it the module %s?",
					 module);
		if (task_now() >= deadline)
			return error_set(e, ETIMEDOUT,
					 "nobody connects the device there. Does `xl devd' run?");
		rc = task_wait(next < deadline ? next : deadline);
		if (rc && rc != -ETIMEDOUT)
			return error_set(e, rc, "the wait was cancelled");
	}
}

int driver_domain_wait(struct device *device, struct error **e)
{
	char back[DEVICE_PATH_MAX], *name = device->ops->name(device);
	struct store_watch *watch;
	struct error *why = NULL;
	int rc;

	device_back_path(device, back);
	watch = store_watch(wake, task_current(), "%s", back);
	rc = wait_for(device, back, &why);
	store_unwatch(watch);
	if (rc)
		error_set(e, rc,
			  "The domain '%s' does not serve the device %s of domain '%s': %s%s",
			  device_backend_name(device), name, device->domain->name, error_text(why),
			  strchr("?.", error_text(why)[strlen(error_text(why)) - 1]) ? "" : ".");
	error_free(&why);
	free(name);
	return rc;
}

/* --- without it --- */

static void start_closing(int domid, int host, const char *class, unsigned int devid)
{
	char path[DEVICE_PATH_MAX];

	snprintf(path, sizeof(path), "/local/domain/%d/backend/%s/%d/%u", host, class, domid,
		 devid);
	if (store_exists("%s", path)) {
		strcat(path, "/online");
		store_write(path, "0");
		strcpy(strrchr(path, '/'), "/state");
		if (!(CLOSED_OR_GONE & (1u << store_read_number(XenbusStateReconfigured,
								XenbusStateUnknown, "%s", path))))
			store_write(path, "%d", XenbusStateClosing);
	}
	store_remove("/local/domain/%d/device/%s/%u", domid, class, devid);
}

/* A domain that has another number than when it was silent has been started anew. */
static bool is_silent(int host)
{
	const struct domain *server = domain_by_id(host);

	return server && server->silent_domid == host && task_now() < server->silent_until;
}

static void note_silence(int host)
{
	struct domain *server = domain_by_id(host);

	if (!server)
		return;
	server->silent_domid = host;
	server->silent_until = task_deadline(SILENCE);
}

/*
 * Waits for one of the states in `mask`. False: the driver domain has ended or is silent. Who
 * waited for one device of it in vain does not wait for the next ones.
 */
static bool wait_for_state(int host, const char *back, unsigned int mask, uint64_t patience,
			   bool silent, unsigned int *state)
{
	uint64_t deadline = task_deadline(silent ? SILENT_PATIENCE : patience);

	for (;;) {
		uint64_t next = task_deadline(LIFE_INTERVAL);

		if (device_wait_state(back, mask, next < deadline ? next : deadline, state) == 0)
			break;
		if (!driver_domain_runs(host))
			return false;
		if (task_now() < deadline)
			continue;
		if (!silent)
			note_silence(host);
		return false;
	}
	return true;
}

/*
 * Waits until the backend is closed, then until the driver domain has undone its setup: it needs
 * the nodes for that, and removes them at the end. No node tells whether `xl devd' has begun to
 * connect the device. If it has, and the nodes go before it looks at them again, it believes for
 * ever that it has the device, and connects none of the same number. It goes by the state Closed,
 * which a kernel that has no driver at a device does not write: then xend does.
 */
static void finish_closing(struct domain *domain, int host, const char *class, unsigned int devid)
{
	uint64_t patience = UNDO_PATIENCE;
	bool silent = is_silent(host);
	char back[DEVICE_PATH_MAX], path[DEVICE_PATH_MAX + 8];
	unsigned int state;

	snprintf(back, sizeof(back), "/local/domain/%d/backend/%s/%d/%u", host, class,
		 domain->domid, devid);
	if (!wait_for_state(host, back, CLOSED_OR_GONE, CLOSE_PATIENCE, silent, &state)) {
		if (!driver_domain_runs(host) || !domain_may_touch(domain))
			return;
		log_warning("The backend %s in domain %d does not close: state %u.", back, host,
			    state);
		snprintf(path, sizeof(path), "%s/state", back);
		if (store_exists("%s", path))
			store_write(path, "%d", XenbusStateClosed);
		patience = UNCLOSED_PATIENCE;
	}
	if (!wait_for_state(host, back, 1u << XenbusStateUnknown, patience, silent, &state) &&
	    driver_domain_runs(host))
		log_warning("Nobody in domain %d undoes the setup of %s.", host, back);
}

static void remove_nodes(int domid, int host, const char *class, unsigned int devid)
{
	store_remove("/local/domain/%d/device/%s/%u", domid, class, devid);
	store_remove("/local/domain/%d/backend/%s/%d/%u", host, class, domid, devid);
	store_remove("/libxl/%d/device/%s/%u", domid, class, devid);
}

void driver_domain_take_apart(struct domain *domain, int host, const char *class,
			      unsigned int devid)
{
	if (domain_may_touch(domain))
		start_closing(domain->domid, host, class, devid);
	if (domain_may_touch(domain))
		finish_closing(domain, host, class, devid);
	if (domain_may_touch(domain))
		remove_nodes(domain->domid, host, class, devid);
}

/* Reads one index node: true, with the host, if another domain serves the device. */
static bool read_index(int domid, const char *class, const char *devid_text, int *host,
		       unsigned int *devid)
{
	char *path = store_read("/libxl/%d/device/%s/%s/backend", domid, class, devid_text);
	char in_path[CLASS_MAX], end;
	int in_domid;
	bool found = path &&
		     sscanf(path, "/local/domain/%d/backend/%31[a-z]/%d/%u%c", host, in_path,
			    &in_domid, devid, &end) == 4 &&
		     strcmp(in_path, class) == 0 && in_domid == domid && *host > 0 &&
		     *host < (int)DOMID_FIRST_RESERVED;

	free(path);
	return found;
}

static const char *const classes[] = { "vbd", "vif" };
#define CLASSES (sizeof(classes) / sizeof(classes[0]))

bool driver_domain_serves(const struct domain *server, const struct domain *user)
{
	const struct device *device;
	unsigned int count, devid;
	bool found = false;
	int host;

	if (server->domid <= 0 || user->domid <= 0)
		return false;
	/* All pairs of domains are asked for: only those of other toolstacks are worth a request.
	 */
	if (user->ours) {
		TAILQ_FOREACH(device, &user->devices, link)
			found = found || device->host == server->domid;
		return found;
	}
	for (size_t c = 0; c < CLASSES; c++) {
		char **ids = store_list(&count, "/libxl/%d/device/%s", user->domid, classes[c]);

		for (unsigned int i = 0; i < count; i++)
			found = found ||
				(read_index(user->domid, classes[c], ids[i], &host, &devid) &&
				 host == server->domid);
		free(ids);
	}
	return found;
}

/* `all`: also those in the domain's list. */
static unsigned int each(struct domain *domain, bool all,
			 void (*found)(struct domain *domain, int host, const char *class,
				       unsigned int devid))
{
	unsigned int count, total = 0, devid;
	int domid = domain->domid, host;

	for (size_t c = 0; c < CLASSES; c++) {
		char **ids = store_list(&count, "/libxl/%d/device/%s", domid, classes[c]);

		for (unsigned int i = 0; i < count; i++) {
			if (!read_index(domid, classes[c], ids[i], &host, &devid) ||
			    (!all && device_by_id(domain, classes[c], devid)))
				continue;
			total++;
			if (found && domain_may_touch(domain))
				found(domain, host, classes[c], devid);
		}
		free(ids);
	}
	return total;
}

static void start_one(struct domain *domain, int host, const char *class, unsigned int devid)
{
	start_closing(domain->domid, host, class, devid);
}

void driver_domain_stop(struct domain *domain)
{
	/* All start to close before xend waits for the first one. */
	each(domain, true, start_one);
	each(domain, true, driver_domain_take_apart);
}

unsigned int driver_domain_each_stray(struct domain *domain,
				      void (*found)(struct domain *domain, int host,
						    const char *class, unsigned int devid))
{
	return each(domain, false, found);
}

void driver_domain_warn(const struct domain *domain)
{
	const struct domain *other;
	const struct device *device;

	if (domain->domid <= 0)
		return;
	TAILQ_FOREACH(other, &domains, link) {
		TAILQ_FOREACH(device, &other->devices, link) {
			char *name;

			if (device->host != domain->domid)
				continue;
			name = device->ops->name(device);
			log_warning("Domain %s ends, which serves the %s %s of domain %s: that "
				    "device is gone with it. Once the domain runs again, detach "
				    "the device and attach it anew.",
				    domain->name, device->ops->class, name, other->name);
			free(name);
		}
	}
}
