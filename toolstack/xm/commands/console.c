/* SPDX-License-Identifier: MIT */
/* `xm console`: opens a domain's console, and has it relayed. */
#include "xm/commands/console.h"

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/json.h"
#include "protocol.h"
#include "xm/client/call.h"
#include "xm/command.h"
#include "xm/commands/console_relay.h"

static int relay(struct client *client, const char *domain)
{
	struct console_relay relay;
	enum console_end end;

	console_relay_begin(&relay, client);
	end = console_relay_run(&relay, NULL);
	return console_relay_end(&relay, end, domain);
}

/* Over a connection of its own: the other one is the console by now. */
static int unpause(const char *domain)
{
	struct json_object *result = NULL;
	struct client *client = NULL;
	struct error *e = NULL;
	int status = XM_OK;

	if (client_open(&client, &e) ||
	    client_call(client, XEND_M_DOMAIN_UNPAUSE, xm_domain_params(domain), NULL, NULL,
			&result, &e))
		status = xm_fail("%s", error_text(e));
	error_free(&e);
	json_object_put(result);
	client_close(client);
	return status;
}

void console_announce(const char *domain)
{
	if (isatty(STDIN_FILENO))
		fprintf(stderr, "Console of domain %s. Ctrl-] leaves it.\n", domain);
}

int console_attach(const char *domain, unsigned int flags)
{
	struct json_object *params = xm_domain_params(domain), *answer;

	json_set_bool(params, XEND_P_SCROLLBACK, flags & CONSOLE_SCROLLBACK);
	answer = xm_call(XEND_M_CONSOLE_OPEN, params, NULL);
	if (!answer) {
		/* It runs all the same, as without its console. */
		if (flags & CONSOLE_UNPAUSE)
			unpause(domain);
		return XM_FAILED;
	}
	json_object_put(answer);
	if (!(flags & CONSOLE_QUIET))
		console_announce(domain);
	if ((flags & CONSOLE_UNPAUSE) && unpause(domain) != XM_OK)
		return XM_FAILED;
	return relay(xm_client(), domain);
}

int console_run(const struct xm_args *args)
{
	unsigned int flags = 0;

	if (xm_args_has(args, 's'))
		flags |= CONSOLE_SCROLLBACK;
	if (xm_args_has(args, 'q'))
		flags |= CONSOLE_QUIET;
	return console_attach(args->operands[0], flags);
}
