/* SPDX-License-Identifier: MIT */
/*
 * A guest's screen with keyboard and mouse (vfb): QEMU serves both devices and shows the screen by
 * VNC at a socket of its own; a gate (worker/screen/) listens for clients, asks for the password
 * and lets them through. Both processes outlive xend. QEMU ends with the domain, the gate with
 * QEMU.
 *
 * Other programs find the port in /local/domain/ID/console/vnc-port.
 */
#ifndef XEND_DOMAIN_SCREEN_H
#define XEND_DOMAIN_SCREEN_H

#include "lib/error.h"
#include "lib/json.h"
#include "xend/runtime/store.h"

struct domain;
struct request;

/* Adds the nodes of the devices, if the domain has a screen. */
int screen_put(const struct domain *domain, struct store_batch *batch, struct error **e);
/* In a task, after the nodes are written: has the screen served and shown. */
int screen_start(struct domain *domain, struct request *asker, struct error **e);
/* For domain.list: where it is shown, and its password. NULL: nowhere. */
struct json_object *screen_describe(const struct domain *domain);

#endif
