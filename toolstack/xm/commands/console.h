/* SPDX-License-Identifier: MIT */
/* A domain's console on this terminal. */
#ifndef XM_COMMANDS_CONSOLE_H
#define XM_COMMANDS_CONSOLE_H

struct xm_args;

enum console_flags {
	CONSOLE_SCROLLBACK = 1, /* first show the last output */
	CONSOLE_QUIET = 2,	/* do not print how to leave */
	CONSOLE_UNPAUSE = 4,	/* let the domain run once the console is attached */
};

/* Tells a person at a terminal how to leave. */
void console_announce(const char *domain);

/* `xm console`. */
int console_run(const struct xm_args *args);

/*
 * Attach until Ctrl-], the end of the input or the end of the domain. Returns an enum xm_status.
 * `flags`: enum console_flags. The terminal's settings are restored, also by a signal that ends the
 * program.
 */
int console_attach(const char *domain, unsigned int flags);

#endif
