/* SPDX-License-Identifier: MIT */
/*
 * The log of a domain's QEMU. It is named after the UUID: a name may change while QEMU runs, and
 * another domain get it. A guest can make QEMU complain at will, so size and number are bounded.
 */
#ifndef XEND_DEVICE_QEMU_LOG_H
#define XEND_DEVICE_QEMU_LOG_H

#include <stdint.h>

#include "lib/error.h"

struct domain;

/* Its path; to be freed. */
char *qemu_log_path(const struct domain *domain);
/*
 * Opens it for a new QEMU: the former one's goes to the path with ".1". Removes the oldest of
 * domains whose QEMU does not run, if there are many. A descriptor, or -errno.
 */
int qemu_log_open(const struct domain *domain, struct error **e);
/* Its size in bytes, and its last line (to be freed), for errors. */
int64_t qemu_log_size(const struct domain *domain);
char *qemu_log_last_line(const struct domain *domain);
/* Empties the log if it has more than a bounded size. */
void qemu_log_bound(const struct domain *domain);

#endif
