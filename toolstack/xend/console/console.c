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
#include "lib/log_file.h"
#include "lib/str.h"
#include "xend/server/client.h"
#include "xend/console/console_boot.h"
#include "xend/console/console_events.h"
#include "xend/console/console_log.h"
#include "xend/console/console_proxy.h"
#include "xend/console/console_pty.h"
#include "xend/console/console_ring.h"
#include "xend/console/console_viewers.h"
#include "xend/domain/domain.h"
#include "xend/runtime/store.h"

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
	struct log_file *log; /* NULL: none */
	struct console_pty *pty;
	struct viewers *viewers;
	struct str input;
	uv_timer_t timer;
	uint64_t interval_start;
	size_t spent;
	bool throttled, typing;
};

static uv_loop_t *console_loop;

/* --- from the guest --- */

static void spread(struct console *console, const char *bytes, size_t length)
{
	viewers_show(console->viewers, bytes, length);
	if (console->log)
		log_file_write(console->log, bytes, length);
	if (console->pty)
		console_pty_write(console->pty, bytes, length);
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

static void type(void *arg, const char *bytes, size_t length)
{
	struct console *console = arg;

	if (console->input.len + length <= INPUT_LIMIT)
		str_add_bytes(&console->input, bytes, length);
	push_input(console);
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

	console->pty = console_pty_make(console_loop, type, console);
	if (!console->pty) {
		log_warning("Domain %s: there is no terminal for its console; xm console works "
			    "without.",
			    console->domain->name);
		return;
	}
	snprintf(path, sizeof(path), "/local/domain/%d/console/tty", console->domain->domid);
	/* A new node has the access of the directory: the guest reads it. */
	store_write(path, "%s", console_pty_path(console->pty));
}

int console_attach(struct domain *domain, struct error **e)
{
	struct console *console = xcalloc(1, sizeof(*console));
	xen_pfn_t frame = domain->console_mfn;

	console->domain = domain;
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
	console->viewers = console_boot_end(domain);
	if (!console->viewers)
		console->viewers = viewers_make();
	viewers_connect(console->viewers, type, console);
	uv_timer_init(console_loop, &console->timer);
	console->timer.data = console;
	console->log = console_log_open(domain->name);
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
	free(console);
}

static void close_log(struct console *console)
{
	if (console->log)
		log_file_close(console->log);
	console->log = NULL;
}

void console_detach(struct domain *domain)
{
	struct console *console = domain->console;

	viewers_free(console_boot_end(domain));
	if (!console)
		return;
	console->spent = 0;
	drain(console);
	domain->console = NULL;
	viewers_free(console->viewers);
	event_unbind(console->port);
	hv_unmap_frames(domain_hv, console->page, 1);
	close_log(console);
	console_pty_free(console->pty);
	uv_close((uv_handle_t *)&console->timer, on_timer_closed);
}

int console_rebind(struct domain *domain, struct error **e)
{
	struct console *console = domain->console;
	struct event_port *port;

	if (!console)
		return console_attach(domain, e);
	port = event_bind(domain->domid, domain->console_port, on_event, console, e);
	if (!port) {
		error_prefix(e, "The console of domain '%s': ", domain->name);
		return -EIO;
	}
	event_unbind(console->port);
	console->port = port;
	event_notify(console->port);
	serve(console);
	return 0;
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
	close_log(domain->console);
	domain->console->log = console_log_open(domain->name);
}

int console_open_boot(struct domain *domain, int *fd, struct error **e)
{
	return console_boot_open(console_loop, domain, fd, e);
}

/* --- clients --- */

static struct viewers *viewers_of(const struct domain *domain)
{
	return domain->console ? domain->console->viewers : console_boot_viewers(domain);
}

int console_can_open(struct domain *domain, struct error **e)
{
	if (domain->domid == 0)
		return error_set(e, EOPNOTSUPP, "Domain-0 has no console that xend serves.");
	if (domain->domid < 0)
		return error_set(e, ENOTCONN, "Domain '%s' is not running.", domain->name);
	if (!domain->ours)
		return console_proxy_check(domain, e);
	if (!viewers_of(domain))
		return error_set(e, ENOTCONN, "Domain '%s' has no console yet.", domain->name);
	return 0;
}

void console_open(struct domain *domain, struct client *client, bool scrollback)
{
	struct viewers *viewers = viewers_of(domain);

	if (!domain->ours)
		console_proxy_open(console_loop, domain, client);
	else if (!viewers || !client_is_connected(client))
		client_hang_up(client);
	else
		viewers_add(viewers, client, scrollback);
}
