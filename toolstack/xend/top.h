/* SPDX-License-Identifier: MIT */
/* One sample of what `xm top` shows. */
#ifndef XEND_TOP_H
#define XEND_TOP_H

#include "util/error.h"
#include "util/json.h"

int top_sample(struct json_object *result, struct error **e);

#endif
