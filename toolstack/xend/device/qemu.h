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
/* When xend starts: goes on watching the QEMU of a running domain. */
void qemu_adopt(struct domain *domain);
/*
 * In a task; cannot be cancelled. Ends the domain's QEMU, which first writes all that it keeps in
 * memory to its images. False: the kernel does not end it, so that it still has its images open.
 */
bool qemu_stop(struct domain *domain);
/* In a task, when xend starts: ends those of domains that no longer exist. */
void qemu_stop_strays(void);

/* The process that serves the domain with that number, certainly; 0: there is none. */
pid_t qemu_pid(int domid);
/*
 * Whether a backend of that class is one of QEMU's, and whether QEMU has it still: it runs, and has
 * not reported it closed.
 */
bool qemu_is_class(const char *class);
bool qemu_holds(const char *class, int domid, unsigned int devid);

#endif
