/* SPDX-License-Identifier: MIT */
/* Event channels in the loop: one descriptor for all ports. */
#ifndef XEND_CONSOLE_CONSOLE_EVENTS_H
#define XEND_CONSOLE_CONSOLE_EVENTS_H

#include <stdint.h>

#include <uv.h>

#include "lib/error.h"

struct event_port;

int events_setup(uv_loop_t *loop, struct error **e);
void events_teardown(void);
/*
 * Binds to a domain's port; NULL on failure. fired() is called for each event. The next event comes
 * only after event_unmask.
 */
struct event_port *event_bind(int domid, uint32_t remote_port, void (*fired)(void *arg), void *arg,
			      struct error **e);
void event_unmask(struct event_port *port);
void event_notify(struct event_port *port);
void event_unbind(struct event_port *port);

#endif
