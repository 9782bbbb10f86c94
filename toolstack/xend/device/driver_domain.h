/* SPDX-License-Identifier: MIT */
/*
 * Devices that another domain serves (backend=DOMAIN). Its kernel has the backend driver, and
 * `xl devd`, or a program like it, runs the scripts there. xend writes the nodes, whose backend
 * directory is the driver domain's own, and waits for "connected" in hotplug-status.
 *
 * A driver domain may write anything there, at any time, or nothing. xend reads states and a few
 * words, each with a time limit, and never a path or an id. Which domain serves a device is in the
 * domain's record, and in /libxl/DOMID/device/CLASS/DEVID/backend, which Domain-0 alone can write;
 * xl has the same node.
 */
#ifndef XEND_DEVICE_DRIVER_DOMAIN_H
#define XEND_DEVICE_DRIVER_DOMAIN_H

#include <stdbool.h>

#include "lib/error.h"

struct device;
struct domain;
struct store_batch;

/* Finds the domain that is to serve the device, which may be Domain-0: device->host is its id. */
int driver_domain_find(struct device *device, struct error **e);
/* Puts the index node of a device that another domain serves. */
void driver_domain_put_index(const struct device *device, struct store_batch *batch);
/*
 * In a task: waits until the driver domain has connected the device. -EIO: it reports an error;
 * -ETIMEDOUT: it says nothing; -ESRCH: it is gone; -ECANCELED.
 */
int driver_domain_wait(struct device *device, struct error **e);
/* Whether that domain is there and has not shut down. */
bool driver_domain_runs(int host);
/*
 * In a task: closes the backend, gives the driver domain some seconds to undo its setup, and
 * removes the nodes, whatever it has done. Nothing there can hold a disk of Domain-0. One that lets
 * the time pass gets next to none for its other devices for a while.
 */
void driver_domain_take_apart(struct domain *domain, int host, const char *class,
			      unsigned int devid);
/* The same for all devices of the domain that other domains serve, whoever made them. */
void driver_domain_stop(struct domain *domain);
/*
 * Calls found(domain, host, class, devid) for each device in the index that another domain serves
 * and that is in no list. Returns how many there are. `found` may be NULL.
 */
unsigned int driver_domain_each_stray(struct domain *domain,
				      void (*found)(struct domain *domain, int host,
						    const char *class, unsigned int devid));
/* Whether the one serves a device of the other, which any toolstack may have made. */
bool driver_domain_serves(const struct domain *server, const struct domain *user);
/* Logs which devices of other domains end with this one. */
void driver_domain_warn(const struct domain *domain);

#endif
