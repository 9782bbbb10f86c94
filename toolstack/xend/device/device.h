/* SPDX-License-Identifier: MIT */
/*
 * Devices of domains: a frontend in the guest, a backend in Domain-0 (Linux's xen-blkback,
 *xen-netback), and directories in xenstore by which they find each other:
 *
 *	/local/domain/5/device/vbd/51712		the guest's: it may write anything there
 *	/local/domain/0/backend/vbd/5/51712	ours: the guest can only read it
 *
 * Nothing that lies below the guest's directory is ever followed or believed: which backend belongs
 *to a device is known by class, domain id and device id alone.
 */
#ifndef XEND_DEVICE_DEVICE_H
#define XEND_DEVICE_DEVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "config/config.h"
#include "lib/error.h"
#include "lib/json.h"
#include "xend/device/disk_graph.h"
#include "xend/runtime/store.h"

struct domain;
struct device;

/* What one class of devices does in its own way. */
struct device_ops {
	const char *class;
	/* Between the element of a configuration and the device. parse sets the typed part and,
	 * where the element says it, devid. */
	int (*parse)(struct device *device, struct json_object *element, struct error **e);
	struct json_object *(*to_json)(const struct device *device);
	void (*free)(struct device *device);
	/* Its name as people say it ("xvda"), to be freed. */
	char *(*name)(const struct device *device);
	/* Before its nodes are there: checks, and what the backend will use. */
	int (*prepare)(struct device *device, struct error **e);
	/* Adds the nodes of the class to those that all devices have. */
	void (*put_nodes)(const struct device *device, struct store_batch *batch, const char *back,
			  const char *front);
	/* In a task, once the backend's driver has seen it. */
	int (*complete)(struct device *device, struct error **e);
	/* In a task, when the backend is closed: the reverse of complete. */
	void (*undo)(struct device *device);
};

extern const struct device_ops device_vbd_ops, device_vif_ops;

struct device {
	TAILQ_ENTRY(device) link;
	struct domain *domain;
	const struct device_ops *ops;
	unsigned int devid;
	union {
		struct config_disk disk;
		struct config_vif vif;
	};
	/* vbd */
	struct disk_chain claim; /* set by disk_use_claim */
	dev_t block_device;	 /* what blkback opens; 0: not known yet */
	int loop_fd;		 /* held until blkback has opened the loop device itself; -1 */
};

#define DEVICE_PATH_MAX 128
/* Its directories in xenstore. */
void device_back_path(const struct device *device, char path[DEVICE_PATH_MAX]);
void device_front_path(const struct device *device, char path[DEVICE_PATH_MAX]);

const struct device_ops *device_class(const char *name);

/* --- the devices of a domain: no waiting --- */
/* Makes the list that the domain's configuration asks for; the domain has none yet. */
int devices_from_config(struct domain *domain, struct error **e);
/* Has the configuration say what the list of devices is now. */
void devices_to_config(struct domain *domain);
struct json_object *devices_to_json(const struct domain *domain);
int devices_from_json(struct domain *domain, struct json_object *array, struct error **e);
/* Adds one to the list; its id is given, or its element says it, or it is the next free one. */
#define DEVICE_NO_ID UINT32_MAX
int device_add(struct domain *domain, const struct device_ops *ops, struct json_object *element,
	       unsigned int devid, struct device **out, struct error **e);
void device_forget(struct device *device);
/* Frees the list. */
void devices_forget(struct domain *domain);
/* By class and id; NULL. */
struct device *device_by_id(struct domain *domain, const char *class, uint64_t devid);
/* By name, id, or (vif) MAC; NULL. */
struct device *device_find(struct domain *domain, const struct device_ops *ops, const char *which);
/* device.list: what is there now, of any domain. */
struct json_object *devices_describe(struct domain *domain, const struct device_ops *ops);

/* --- in tasks --- */
/* Checks all, then puts their nodes into the batch. */
int devices_prepare(struct domain *domain, struct store_batch *batch, struct error **e);
/* Waits until each backend is ready, and runs the scripts. */
int devices_complete(struct domain *domain, struct error **e);
/* Waits for one of the backend states in `mask` (bit n: XenbusState n; bit 0: it has no node). */
int device_wait_state(const char *back, unsigned int mask, uint64_t deadline, unsigned int *state);
/*
 * Removes a device whatever the guest says to it: closes the backend, runs the script, removes the
 * nodes. False: the backend's driver does not let go of it in time. Then the backend's nodes stay,
 * so that whoever wants the same disk finds it in use (disk_use.c), in this xend or the next.
 */
bool device_take_apart(struct device *device);
/*
 * Takes all devices of a dead domain apart, also those that xl made: afterwards neither nodes nor
 * loop devices nor interfaces are left, but for what a driver does not let go of, as above. It
 * waits; what has become another domain's meanwhile, with the number, is left alone.
 */
void devices_stop(struct domain *domain);
/* Whether the kernel has a backend of that name. */
bool device_kernel_has(const char *class, int domid, unsigned int devid);
/*
 * For recovery: whether the backends that a running domain of ours has are those of its record, and
 * none is on its way out; and, if not, taking away what an interrupted attach or detach has left,
 * from xenstore and from the list.
 */
bool devices_agree(struct domain *domain);
void devices_reconcile(struct domain *domain);
/* Hot plugging: the domain runs. attach frees the device when it fails. */
int device_attach(struct domain *domain, const struct device_ops *ops, struct json_object *element,
		  struct device **out, struct error **e);
/* Whether a disk could take the place of another one of its domain. */
int device_vbd_check(struct device *instead, struct json_object *element, struct error **e);
int device_detach(struct domain *domain, const struct device_ops *ops, const char *which,
		  bool force, struct error **e);

#endif
