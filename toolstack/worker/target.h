/* SPDX-License-Identifier: MIT */
/*
 * The domain that a request is about: `domid`, and if the request says it `uuid`. While the worker
 * waits (for a bootloader, a kernel that is unpacked, a guest that suspends) somebody may destroy
 * that domain and make another one that gets the number. So the hypervisor, which knows UUIDs, is
 * asked behind each wait, before anything is done by the number.
 */
#ifndef WORKER_TARGET_H
#define WORKER_TARGET_H

#include "lib/error.h"
#include "hv/hv.h"
#include "lib/json.h"

/* -ESRCH: the number is nobody's, or that of another domain than the request's. A request without a
 * UUID is believed. */
int target_check(struct json_object *request, struct hv *hv, struct error **e);
/* Opens the hypervisor and checks. *hv is to be closed in any case; NULL: it was not opened. */
int target_open(struct json_object *request, struct hv **hv, struct error **e);

#endif
