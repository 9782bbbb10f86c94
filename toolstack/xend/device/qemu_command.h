/* SPDX-License-Identifier: MIT */
/* Starts a domain's QEMU. */
#ifndef XEND_DEVICE_QEMU_COMMAND_H
#define XEND_DEVICE_QEMU_COMMAND_H

#include "lib/error.h"

struct domain;

/*
 * In a task. Returns when QEMU has set itself up and runs in the background, or has failed; the
 * error has the last line that it wrote. Also -ETIMEDOUT, -ECANCELED.
 */
int qemu_start(const struct domain *domain, struct error **e);

#endif
