/* SPDX-License-Identifier: MIT */
/*
 * Ends a domain's QEMU. One that writes to a server that does not answer may outlive SIGKILL. Until
 * it has ended, its pid file stays, and so do the nodes of its backends: by these this xend and the
 * next one know that its images are in use (disk_use.c).
 */
#ifndef XEND_DEVICE_QEMU_END_H
#define XEND_DEVICE_QEMU_END_H

#include <stdbool.h>

struct domain;

/*
 * In a task; cannot be cancelled. Ends the domain's QEMU, which first writes all that it keeps in
 * memory to its images. False: the kernel does not end it, or it is not known whether it runs, so
 * that it may have its images open still.
 */
bool qemu_stop(struct domain *domain);
/* In a task, when xend starts: ends those of domains that no longer exist. */
void qemu_stop_strays(void);

#endif
