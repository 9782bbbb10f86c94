/* SPDX-License-Identifier: MIT */
/* Starts a domain's QEMU. */
#ifndef XEND_DEVICE_QEMU_COMMAND_H
#define XEND_DEVICE_QEMU_COMMAND_H

#include <stdint.h>

#include "lib/error.h"

struct domain;

/* The log of a domain's QEMU; to be freed. */
char *qemu_log_path(const struct domain *domain);
/* Its size in bytes, and its last line (to be freed), for errors. */
int64_t qemu_log_size(const struct domain *domain);
char *qemu_log_last_line(const struct domain *domain);
/* Empties the log if it has more than a bounded size: a guest can make QEMU complain at will. */
void qemu_log_bound(const struct domain *domain);
/*
 * In a task. Returns when QEMU has set itself up and runs in the background, or has failed; the
 * error has the last line that it wrote. Also -ETIMEDOUT, -ECANCELED.
 */
int qemu_start(const struct domain *domain, struct error **e);

#endif
