/* SPDX-License-Identifier: MIT */
/*
 * Devices of domains. A device has a frontend in the guest, a backend in Domain-0 (Linux's
 * xen-blkback or xen-netback), and two directories in xenstore through which they find each other:
 *
 *	/local/domain/5/device/vbd/51712     the guest's: it may write anything there
 *	/local/domain/0/backend/vbd/5/51712  Domain-0's: the guest can only read it
 *
 * A driver domain (driver_domain.h) has the second one in its own place.
 *
 * xend never follows or trusts anything below the guest's directory: class, domain id and device id
 * alone say which backend belongs to a device.
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

struct config_schema;
struct domain;
struct device;

/* The operations that each class of devices does in its own way. Functions return 0 or -errno. */
struct device_ops {
	const char *class;
	const struct config_schema *schema; /* the table of the device's configuration */
	/* Its name for people ("xvda"); to be freed. */
	char *(*name)(const struct device *device);
	/*
	 * Before the nodes exist: checks the device and gets what the backend will use. May wait,
	 * and may leave a script's work behind if it fails (device_take_apart).
	 */
	int (*prepare)(struct device *device, struct error **e);
	/* Add the nodes of the class to those that all devices have. */
	void (*put_back)(const struct device *device, struct store_batch *batch, const char *back);
	void (*put_front)(const struct device *device, struct store_batch *batch,
			  const char *front);
	/*
	 * In a task, after the nodes are written: waits for the backend's driver, then finishes the
	 * setup.
	 */
	int (*complete)(struct device *device, struct error **e);
	/* In a task, after the backend has closed: the reverse of complete. */
	void (*undo)(struct device *device);
};

extern const struct device_ops device_vbd_ops, device_vif_ops;

struct device {
	TAILQ_ENTRY(device) link;
	struct domain *domain;
	const struct device_ops *ops;
	unsigned int devid;
	int host; /* the domain that serves it, set before prepare; 0: Domain-0 */
	union {	  /* by ops->schema */
		struct config_disk disk;
		struct config_vif vif;
	};
	/* vbd */
	struct disk_chain claim; /* set by disk_use_claim */
	/* The same of the images that its image lies on, which are read only. */
	struct disk_chain *below;
	size_t nr_below;
	char *served;	    /* the block device that a script has made; NULL: disk.target */
	dev_t block_device; /* what blkback opens; 0: not known yet */
	/*
	 * The file below the loop device that an earlier xend made, once a claim has found it out;
	 * {0, 0}: not known.
	 */
	struct disk_node adopted_file;
	int loop_fd; /* the loop device, until blkback has opened it itself; -1: none */
};

/* The configured name or number of the domain that serves it; "0": Domain-0. */
const char *device_backend_name(const struct device *device);
/* Whether a script sets the device up before its driver sees it: its own nodes are there first. */
bool device_has_script(const struct device *device);

#define DEVICE_PATH_MAX 128
/*
 * The class of its backend's directory: "qdisk" for a disk that QEMU serves, else the device's own.
 */
const char *device_back_class(const struct device *device);
/* The reverse: the device's class by its backend's. */
const char *device_class_of_backend(const char *back_class);
/* The backend's and the frontend's directory in xenstore. */
void device_back_path(const struct device *device, char path[DEVICE_PATH_MAX]);
void device_front_path(const struct device *device, char path[DEVICE_PATH_MAX]);

/* The operations of the class "vbd" or "vif"; NULL: there is no such class. */
const struct device_ops *device_class(const char *name);

/* --- the devices of a domain: no waiting --- */
/*
 * A new device, which is in no list yet, with a copy of the configuration (a record of ops->schema;
 * NULL: none), or with one in JSON.
 */
struct device *device_new(struct domain *domain, const struct device_ops *ops, const void *config);
int device_from_json(struct domain *domain, const struct device_ops *ops,
		     struct json_object *element, struct device **out, struct error **e);
struct json_object *device_to_json(const struct device *device);
/* Frees a device that is in no list. */
void device_free(struct device *device);
/* Makes the list from the domain's configuration. The domain must have no devices yet. */
int devices_from_config(struct domain *domain, struct error **e);
/* Updates the configuration after a change of the list. */
void devices_to_config(struct domain *domain);
struct json_object *devices_to_json(const struct domain *domain);
int devices_from_json(struct domain *domain, struct json_object *array, struct error **e);
/*
 * Adds a new device to its domain's list, or frees it. Its id is `devid`; or, for DEVICE_NO_ID, a
 * disk's is the number of its name, and an interface's the next free one. -EEXIST: the domain has
 * that device or its MAC already, or too many of the class.
 */
#define DEVICE_NO_ID UINT32_MAX
int device_add(struct device *device, unsigned int devid, struct error **e);
/* Removes it from the list, and frees it. */
void device_forget(struct device *device);
/* Frees the list. */
void devices_forget(struct domain *domain);
/* Finds a device by its class and id; NULL: none. */
struct device *device_by_id(struct domain *domain, const char *class, uint64_t devid);
/* The same by its backend's class and id. */
struct device *device_by_backend(struct domain *domain, const char *back_class, uint64_t devid);
/* Finds a device by its name, id or (vif) MAC; NULL: none. */
struct device *device_find(struct domain *domain, const struct device_ops *ops, const char *which);
/* For device.list: the devices of any domain that exist now in xenstore. */
struct json_object *devices_describe(struct domain *domain, const struct device_ops *ops);

/* Puts the backend's nodes, with that state (a number as text). */
void device_put_backend(const struct device *device, struct store_batch *batch, const char *state);

/* --- in tasks --- */
/*
 * Prepares each device and puts its nodes into the batch. If one has a script, the domain's own
 * nodes must be there already. After an error the domain's number may be another domain's.
 */
bool devices_have_scripts(const struct domain *domain);
int devices_prepare(struct domain *domain, struct store_batch *batch, struct error **e);
/* Waits until each backend is ready, and runs the scripts. 0, or the first device's error. */
int devices_complete(struct domain *domain, struct error **e);
/*
 * Waits for one of the backend states in `mask` (bit n: XenbusState n; bit 0: no node). *state is
 * the last state seen. 0, -ETIMEDOUT or -ECANCELED.
 */
int device_wait_state(const char *back, unsigned int mask, uint64_t deadline, unsigned int *state);
/* Why Domain-0's backend driver for a class ("vbd") has not answered: the end of a sentence. */
const char *device_driver_silent(const char *class);
/*
 * In a task; cannot be cancelled. Removes a device without the guest's consent: closes the backend,
 * runs the script, removes the nodes.
 *
 * False: the backend's driver holds the device for too long. The backend's nodes then stay, so that
 * this xend and the next one refuse the same disk to others (disk_use.c).
 */
bool device_take_apart(struct device *device);
/*
 * In a task; cannot be cancelled. Removes all devices of a dead domain, also those that xl made:
 * their nodes, loop devices and interfaces. A device that its driver still holds keeps its nodes,
 * as above. While this waits, another domain may get the number; its devices are left alone.
 */
void devices_stop(struct domain *domain);
/* Whether the kernel has a backend device of that name. */
bool device_kernel_has(const char *class, int domid, unsigned int devid);
/*
 * For recovery. devices_agree: whether the backends of a running domain are exactly those in its
 * record, and all are online. devices_reconcile: removes, from xenstore and from the list, what an
 * interrupted attach or detach has left.
 */
bool devices_agree(struct domain *domain);
void devices_reconcile(struct domain *domain);
/* Hot-plugging for a running domain. device_attach takes a new device, and frees it if it fails. */
int device_attach(struct device *device, struct error **e);
int device_detach(struct domain *domain, const struct device_ops *ops, const char *which,
		  bool force, struct error **e);

#endif
