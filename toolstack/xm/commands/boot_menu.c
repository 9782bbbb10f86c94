/* SPDX-License-Identifier: MIT */
/*
 * Two connections: one waits for the result, the other has the console. As soon as the first has
 * news, this terminal is a usual one again, which shows progress.
 */
#include "xm/commands/boot_menu.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/json.h"
#include "protocol.h"
#include "xm/client/call.h"
#include "xm/client/progress.h"
#include "xm/command.h"
#include "xm/commands/console.h"
#include "xm/commands/console_relay.h"

static struct {
	const char *domain;
	struct client *client; /* of the console; NULL: it is not open */
	struct console_relay relay;
	bool left; /* by Ctrl-]: the person wants to see no more */
} menu;

static void open_console(void)
{
	struct json_object *params = xm_domain_params(menu.domain), *answer = NULL;

	json_set_bool(params, XEND_P_SCROLLBACK, true);
	if (client_open(&menu.client, NULL))
		return;
	if (client_call(menu.client, XEND_M_CONSOLE_OPEN, params, NULL, NULL, &answer, NULL)) {
		/* The bootloader goes on alone, as it does without a console. */
		client_close(menu.client);
		menu.client = NULL;
		return;
	}
	json_object_put(answer);
	console_announce(menu.domain);
	console_relay_begin(&menu.relay, menu.client);
	menu.relay.ignores_end = true;
}

static void close_console(enum console_end end)
{
	if (!menu.client)
		return;
	console_relay_end(&menu.relay, end, menu.domain);
	client_close(menu.client);
	menu.client = NULL;
}

static void watch(void)
{
	enum console_end end;

	progress_end();
	end = console_relay_run(&menu.relay, xm_client());
	menu.left = end == CONSOLE_LEFT || end == CONSOLE_BROKEN;
	if (end != CONSOLE_NEWS)
		close_console(end);
}

static void on_progress(void *domain, const char *stage, uint64_t done, uint64_t total,
			struct json_object *numbers)
{
	bool opens = strcmp(stage, XEND_STAGE_MENU) == 0 && !menu.client && !menu.left;

	if (opens)
		open_console();
	/* The worker says that it runs the bootloader, which is no news. */
	if (menu.client && (opens || strcmp(stage, "bootloader") == 0))
		watch();
	else
		progress_show(domain, stage, done, total);
}

static void end(bool done)
{
	progress_end();
	if (!done)
		close_console(CONSOLE_DOMAIN_ENDED);
}

struct json_object *boot_menu_call(const char *method, struct json_object *params,
				   const char *domain)
{
	static const struct xm_show show = { on_progress, end };

	menu.domain = domain;
	json_set_bool(params, XEND_P_CONSOLE, true);
	return xm_call_showing(method, params, domain, &show);
}

int boot_menu_attach(const char *id, unsigned int flags)
{
	enum console_end end;
	int status;

	if (menu.left)
		return XM_OK;
	if (!menu.client)
		return console_attach(id, flags);
	menu.relay.ignores_end = menu.relay.input_ended = false;
	end = console_relay_run(&menu.relay, NULL);
	status = console_relay_end(&menu.relay, end, menu.domain);
	client_close(menu.client);
	menu.client = NULL;
	return status;
}
