/* SPDX-License-Identifier: MIT */
/*
 * Bootloaders like pygrub: which program it is, and the worker's order to run it. The worker
 * confines it (worker/build/bootloader.h).
 */
#ifndef XEND_DOMAIN_BOOTLOADER_H
#define XEND_DOMAIN_BOOTLOADER_H

#include "lib/error.h"
#include "lib/json.h"

struct domain;

/*
 * Puts `bootloader` into the worker's order (docs/design/worker.md). The domain's devices must be
 * prepared, because the bootloader looks into the first disk. -EBADMSG: no disk; -ENOENT: no such
 * program.
 */
int bootloader_put(const struct domain *domain, struct json_object *order, struct error **e);

#endif
