/* SPDX-License-Identifier: MIT */
/*
 * The consoles' event channels: one libxenevtchn handle for all ports; the loop polls its
 * descriptor.
 */
#include "xend/console/console_events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <xenevtchn.h>

#include "lib/alloc.h"

/* Events handled before the loop gets to do something else. */
#define MAX_AT_ONCE 64

struct event_port {
	LIST_ENTRY(event_port) link;
	evtchn_port_t port;
	void (*fired)(void *arg);
	void *arg;
};

static struct {
	xenevtchn_handle *handle;
	uv_poll_t poll;
	LIST_HEAD(, event_port) ports;
} events;

static void deliver(evtchn_port_t number)
{
	struct event_port *port;

	LIST_FOREACH(port, &events.ports, link) {
		if (port->port == number) {
			port->fired(port->arg);
			return;
		}
	}
}

static void on_readable(uv_poll_t *poll, int status, int what)
{
	for (int i = 0; i < MAX_AT_ONCE; i++) {
		/*
		 * The descriptor is nonblocking: without an event the call returns -1 with EAGAIN.
		 */
		xenevtchn_port_or_error_t number = xenevtchn_pending(events.handle);

		if (number < 0)
			return;
		deliver((evtchn_port_t)number);
	}
}

int events_setup(uv_loop_t *loop, struct error **e)
{
	int rc;

	LIST_INIT(&events.ports);
	events.handle = xenevtchn_open(NULL, 0);
	if (!events.handle)
		return error_set(
			e, errno,
			"Cannot open the event channels: %s. Is the module xen-evtchn loaded?",
			strerror(errno));
	/* uv_poll_init makes the descriptor nonblocking. */
	rc = uv_poll_init(loop, &events.poll, xenevtchn_fd(events.handle));
	if (rc)
		return error_set(e, rc, "Cannot wait for event channels: %s.", uv_strerror(rc));
	uv_poll_start(&events.poll, UV_READABLE, on_readable);
	return 0;
}

void events_teardown(void)
{
	uv_close((uv_handle_t *)&events.poll, NULL);
	xenevtchn_close(events.handle);
}

struct event_port *event_bind(int domid, uint32_t remote_port, void (*fired)(void *arg), void *arg,
			      struct error **e)
{
	xenevtchn_port_or_error_t number =
		xenevtchn_bind_interdomain(events.handle, (uint32_t)domid, remote_port);
	struct event_port *port;

	if (number < 0) {
		int rc = errno;

		error_set(e, rc, "Cannot bind to event channel %u of domain %d: %s.%s", remote_port,
			  domid, strerror(rc),
			  rc == ENOSPC ?
				  " Domain-0 has as many event channels as it can have; each "
				  "domain takes about five." :
				  "");
		return NULL;
	}
	port = xcalloc(1, sizeof(*port));
	port->port = (evtchn_port_t)number;
	port->fired = fired;
	port->arg = arg;
	LIST_INSERT_HEAD(&events.ports, port, link);
	return port;
}

void event_unmask(struct event_port *port)
{
	xenevtchn_unmask(events.handle, port->port);
}

void event_notify(struct event_port *port)
{
	xenevtchn_notify(events.handle, port->port);
}

void event_unbind(struct event_port *port)
{
	LIST_REMOVE(port, link);
	xenevtchn_unbind(events.handle, port->port);
	free(port);
}
