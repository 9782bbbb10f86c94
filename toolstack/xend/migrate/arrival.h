/* SPDX-License-Identifier: MIT */
/* Whether a domain from another host can come to this one: every reason against it, at once. */
#ifndef XEND_MIGRATE_ARRIVAL_H
#define XEND_MIGRATE_ARRIVAL_H

#include "lib/json.h"

struct offer;

/* In a task: an array of sentences; empty: it can. Nothing is reserved by that. */
struct json_object *arrival_reasons(const struct offer *offer);

#endif
