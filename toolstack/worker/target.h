/* SPDX-License-Identifier: MIT */
/*
 * The domain of a request: `domid`, and `uuid` if the request has one. While the worker waits (for
 * a bootloader, the unpacking of a kernel, a guest that suspends), the domain may be destroyed and
 * its number given to another one. So after each wait, and before the next use of the number, the
 * worker asks the hypervisor whether that number still has that UUID.
 */
#ifndef WORKER_TARGET_H
#define WORKER_TARGET_H

#include "lib/error.h"
#include "hv/hv.h"
#include "lib/json.h"

/*
 * -ESRCH when domid is free, or is a domain with another UUID. A request without a UUID passes
 * unchecked.
 */
int target_check(struct json_object *request, struct hv *hv, struct error **e);
/*
 * Opens the hypervisor and checks the target. The caller sets *hv to NULL before, and closes it
 * afterwards, even on an error.
 */
int target_open(struct json_object *request, struct hv **hv, struct error **e);

#endif
