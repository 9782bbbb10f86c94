/* SPDX-License-Identifier: MIT */
/* Warns of two interfaces with one MAC on one bridge. */
#ifndef XEND_DEVICE_VIF_TWIN_H
#define XEND_DEVICE_VIF_TWIN_H

#include "lib/json.h"

struct domain;

/*
 * Puts a warning into the result of a request, and into the log, if an interface of the domain has
 * the MAC of another running domain's on the same bridge.
 */
void vif_twin_warn(const struct domain *domain, struct json_object *result);

#endif
