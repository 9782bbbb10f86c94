/* SPDX-License-Identifier: MIT */
/* Joins this terminal to the stream of a console. */
#ifndef XM_COMMANDS_CONSOLE_RELAY_H
#define XM_COMMANDS_CONSOLE_RELAY_H

#include <stdbool.h>

#include "lib/str.h"
#include "xm/client/client.h"

enum console_end {
	CONSOLE_GOES_ON,
	CONSOLE_LEFT, /* by Ctrl-] */
	CONSOLE_INPUT_ENDED,
	CONSOLE_DOMAIN_ENDED,
	CONSOLE_BROKEN, /* errno says why the terminal cannot be used */
	CONSOLE_NEWS,	/* on another connection */
};

struct console_relay {
	int stream;
	struct str to_domain;
	struct str to_terminal;
	bool leaving; /* Ctrl-] was typed; earlier input is still to be sent */
	bool stream_ended;
	bool ignores_end; /* whether it goes on without input */
	bool input_ended;
};

/* The client has opened a console. It stays the caller's. */
void console_relay_begin(struct console_relay *relay, struct client *client);
/*
 * Copies bytes in both directions until an end, with the terminal in raw mode meanwhile. `news` may
 * be NULL: another connection. When that one has something to read, and the console has not, this
 * returns CONSOLE_NEWS, and can be called again.
 */
enum console_end console_relay_run(struct console_relay *relay, const struct client *news);
/* Frees what is kept. Returns an enum xm_status. */
int console_relay_end(struct console_relay *relay, enum console_end end, const char *domain);

#endif
