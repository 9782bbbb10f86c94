/* SPDX-License-Identifier: MIT */
/*
 * Moves bytes between a domain's console ring and its readers: scroll-back, log, pty, clients. A
 * guest that writes too fast is throttled, never waited for.
 */
#include "xend/console/console.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <xen/xen.h>
#include <xen/io/console.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/str.h"
#include "xend/server/client.h"
#include "xend/console/console_events.h"
#include "xend/console/console_log.h"
#include "xend/console/console_proxy.h"
#include "xend/console/console_pty.h"
#include "xend/console/console_ring.h"
#include "xend/domain/domain.h"
#include "xend/runtime/store.h"

#define SCROLLBACK (64 * 1024)
/* The most input in bytes that waits for the guest to read it; input beyond it is lost. */
#define INPUT_LIMIT (16 * 1024)
/*
 * The bytes that a guest may write per interval (milliseconds). Beyond them it waits, as on a slow
 * line.
 */
#define BUDGET		(256 * 1024)
#define BUDGET_INTERVAL 100

struct console {
	struct domain *domain;
	struct xencons_interface *page;
	struct event_port *port;
	struct console_log log;
	struct console_pty *pty;
	TAILQ_HEAD(, viewer) viewers;
	struct str input;
	char *scrollback;
	size_t scrolled; /* all bytes that ever went through it */
	uv_timer_t timer;
	uint64_t interval_start;
	size_t spent;
	bool throttled, typing;
};

/* A client that watches a console. */
struct viewer {
	TAILQ_ENTRY(viewer) link;
	struct console *console;
	struct client *client;
};

static uv_loop_t *console_loop;

/* --- from the guest --- */

static void remember(struct console *console, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		console->scrollback[(console->scrolled + i) % SCROLLBACK] = bytes[i];
	console->scrolled += length;
}

static void spread(struct console *console, const char *bytes, size_t length)
{
	struct viewer *viewer, *next;

	remember(console, bytes, length);
	console_log_write(&console->log, bytes, length);
	if (console->pty)
		console_pty_write(console->pty, bytes, length);
	/*
	 * client_send_bytes disconnects a viewer that does not read, which removes it from the
	 * list.
	 */
	for (viewer = TAILQ_FIRST(&console->viewers); viewer; viewer = next) {
		next = TAILQ_NEXT(viewer, link);
		client_send_bytes(viewer->client, bytes, length);
	}
}

/* Takes the guest's output, within the budget. False: the budget is used up. */
static bool drain(struct console *console)
{
	char bytes[sizeof(console->page->out)];
	uint64_t now = uv_now(console_loop);
	size_t n;

	if (now - console->interval_start >= BUDGET_INTERVAL) {
		console->interval_start = now;
		console->spent = 0;
	}
	while ((n = console_ring_take(console->page, bytes, sizeof(bytes)))) {
		spread(console, bytes, n);
		event_notify(console->port);
		console->spent += n;
		if (console->spent >= BUDGET)
			return false;
	}
	return true;
}

static void push_input(struct console *console)
{
	size_t n;

	if (!console->input.len)
		return;
	n = console_ring_give(console->page, console->input.text, console->input.len);
	if (!n)
		return;
	str_drop(&console->input, n);
	event_notify(console->port);
}

static void serve(struct console *console);

static void on_timer(uv_timer_t *timer)
{
	struct console *console = timer->data;

	console->throttled = false;
	serve(console);
}

static void serve(struct console *console)
{
	if (console->throttled)
		return;
	push_input(console);
	if (drain(console)) {
		event_unmask(console->port);
		return;
	}
	console->throttled = true;
	uv_timer_start(&console->timer, on_timer, BUDGET_INTERVAL, 0);
}

static void on_event(void *arg)
{
	serve(arg);
}

/* --- to the guest --- */

static void type(struct console *console, const char *bytes, size_t length)
{
	if (console->input.len + length <= INPUT_LIMIT)
		str_add_bytes(&console->input, bytes, length);
	push_input(console);
}

static void on_pty_input(void *arg, const char *bytes, size_t length)
{
	type(arg, bytes, length);
}

static void on_viewer_bytes(void *arg, const void *bytes, size_t length)
{
	struct viewer *viewer = arg;

	type(viewer->console, bytes, length);
}

static void on_viewer_gone(void *arg)
{
	struct viewer *viewer = arg;

	TAILQ_REMOVE(&viewer->console->viewers, viewer, link);
	client_unref(viewer->client);
	free(viewer);
}

/* --- life --- */

int consoles_setup(uv_loop_t *loop, struct error **e)
{
	console_loop = loop;
	return events_setup(loop, e);
}

void consoles_teardown(void)
{
	events_teardown();
}

static void publish_pty(struct console *console)
{
	char path[STORE_PATH_MAX];
	struct store_batch *batch;

	console->pty = console_pty_make(console_loop, on_pty_input, console);
	if (!console->pty) {
		log_warning("Domain %s: there is no terminal for its console; xm console works "
			    "without.",
			    console->domain->name);
		return;
	}
	snprintf(path, sizeof(path), "/local/domain/%d/console/tty", console->domain->domid);
	batch = store_begin();
	store_put(batch, STORE_GUEST_READS, (unsigned int)console->domain->domid,
		  console_pty_path(console->pty), "%s", path);
	store_commit(batch, NULL);
}

int console_attach(struct domain *domain, struct error **e)
{
	struct console *console = xcalloc(1, sizeof(*console));
	xen_pfn_t frame = domain->console_mfn;

	console->domain = domain;
	TAILQ_INIT(&console->viewers);
	console->page = hv_map_frames(domain_hv, (uint32_t)domain->domid, PROT_READ | PROT_WRITE,
				      &frame, NULL, 1, e);
	if (!console->page) {
		free(console);
		error_prefix(e, "The console of domain '%s': ", domain->name);
		return -EIO;
	}
	console->port = event_bind(domain->domid, domain->console_port, on_event, console, e);
	if (!console->port) {
		hv_unmap_frames(domain_hv, console->page, 1);
		free(console);
		error_prefix(e, "The console of domain '%s': ", domain->name);
		return -EIO;
	}
	console->scrollback = xmalloc(SCROLLBACK);
	uv_timer_init(console_loop, &console->timer);
	console->timer.data = console;
	console_log_open(&console->log, domain->name);
	publish_pty(console);
	domain->console = console;
	/* Output from the time without a xend has raised its event already, so look once now. */
	event_notify(console->port);
	serve(console);
	return 0;
}

static void on_timer_closed(uv_handle_t *timer)
{
	struct console *console = timer->data;

	str_free(&console->input);
	free(console->scrollback);
	free(console);
}

void console_detach(struct domain *domain)
{
	struct console *console = domain->console;
	struct viewer *viewer;

	if (!console)
		return;
	console->spent = 0;
	drain(console);
	domain->console = NULL;
	while ((viewer = TAILQ_FIRST(&console->viewers))) {
		struct client *client = client_ref(viewer->client);

		on_viewer_gone(viewer);
		client_hang_up(client);
		client_unref(client);
	}
	event_unbind(console->port);
	hv_unmap_frames(domain_hv, console->page, 1);
	console_log_close(&console->log);
	console_pty_free(console->pty);
	uv_close((uv_handle_t *)&console->timer, on_timer_closed);
}

void console_move(struct domain *from, struct domain *to)
{
	to->console = from->console;
	from->console = NULL;
	if (to->console)
		to->console->domain = to;
	console_renamed(to);
}

void console_renamed(struct domain *domain)
{
	if (!domain->console)
		return;
	console_log_close(&domain->console->log);
	console_log_open(&domain->console->log, domain->name);
}

/* --- clients --- */

int console_can_open(struct domain *domain, struct error **e)
{
	if (domain->domid == 0)
		return error_set(e, EOPNOTSUPP, "Domain-0 has no console that xend serves.");
	if (domain->domid < 0)
		return error_set(e, ENOTCONN, "Domain '%s' is not running.", domain->name);
	if (!domain->ours)
		return console_proxy_check(domain, e);
	if (!domain->console)
		return error_set(e, ENOTCONN, "Domain '%s' has no console yet.", domain->name);
	return 0;
}

void console_open(struct domain *domain, struct client *client, bool scrollback)
{
	struct console *console = domain->console;
	struct viewer *viewer;

	if (!domain->ours) {
		console_proxy_open(console_loop, domain, client);
		return;
	}
	if (!console || !client_is_connected(client)) {
		client_hang_up(client);
		return;
	}
	if (scrollback) {
		size_t start = console->scrolled > SCROLLBACK ? console->scrolled % SCROLLBACK : 0;

		if (start)
			client_send_bytes(client, console->scrollback + start, SCROLLBACK - start);
		client_send_bytes(client, console->scrollback,
				  console->scrolled > SCROLLBACK && !start ? SCROLLBACK :
				  start					   ? start :
									     console->scrolled);
	}
	if (!client_is_connected(client))
		return;
	viewer = xcalloc(1, sizeof(*viewer));
	viewer->console = console;
	viewer->client = client_ref(client);
	TAILQ_INSERT_TAIL(&console->viewers, viewer, link);
	client_become_raw(client, on_viewer_bytes, on_viewer_gone, viewer);
}
