/* SPDX-License-Identifier: MIT */
/*
 * QEMU as a server of Domain-0: one process for each domain that has a device which Linux does not
 * serve (an image in a format of QEMU's, a screen).
 *
 * The process outlives xend, so that guests keep their disks while xend restarts. It holds a lock
 * on its pid file /run/xend/qemu/DOMID.pid, and its command line names that file and the domain's
 * UUID. By these a later xend knows it for certain, watches it, and ends it with its domain.
 *
 * A QEMU that died is not started again for a running guest: it would begin at the start of the
 * guest's ring of requests, and repeat old ones. Its devices become Closed instead, so that the
 * guest gets errors.
 */
#ifndef XEND_DEVICE_QEMU_H
#define XEND_DEVICE_QEMU_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/error.h"
#include "xend/device/qemu_process.h"

struct domain;

/* Debian's package of it. */
#define QEMU_PROGRAM "/usr/libexec/xen-qemu-system-i386"
#define QEMU_RUN     "/run/xend/qemu"
/* QEMU listens for VNC at QEMU_SCREENS/DOMID/socket. */
#define QEMU_SCREENS "/run/xend/screen"

/*
 * Before anything is set up for a device, whose name is for errors: -ENOENT if QEMU is not
 * installed; says how to get it.
 */
int qemu_check_installed(const struct domain *domain, const char *name, struct error **e);

/* A device that QEMU serves: its backend's class and id, and its name for people. */
struct qemu_device {
	struct domain *domain;
	const char *class;
	unsigned int devid;
	const char *name;
};
/*
 * In a task. Makes sure that the domain's QEMU runs, and waits until it has taken the device.
 */
int qemu_serve(const struct qemu_device *device, struct error **e);
/* The process that serves the domain with that number, certainly; 0: there is none. */
pid_t qemu_pid(int domid);
/* The domain's own: a process that serves its number for another UUID is not. */
enum qemu_life qemu_find_own(const struct domain *domain, struct qemu_process *process);

/* The classes of backends that are QEMU's, and NULL; whether a class is one of them. */
extern const char *const qemu_classes[];
bool qemu_is_class(const char *class);

#endif
