/* SPDX-License-Identifier: MIT */
/* One sample for `xm top`: counters of the host, of its domains and of their devices. */
#ifndef XEND_SERVER_TOP_H
#define XEND_SERVER_TOP_H

#include "lib/error.h"
#include "lib/json.h"

int top_sample(struct json_object *result, struct error **e);

#endif
