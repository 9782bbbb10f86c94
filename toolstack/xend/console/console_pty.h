/* SPDX-License-Identifier: MIT */
/* The pty of a console, for programs that open a device (xenconsole, minicom, scripts). */
#ifndef XEND_CONSOLE_CONSOLE_PTY_H
#define XEND_CONSOLE_CONSOLE_PTY_H

#include <stddef.h>

#include <uv.h>

struct console_pty;

/*
 * on_input gets what programs write to the pty. NULL: there is no pty; the console works without
 * one.
 */
struct console_pty *console_pty_make(uv_loop_t *loop,
				     void (*on_input)(void *arg, const char *bytes, size_t length),
				     void *arg);
const char *console_pty_path(const struct console_pty *pty);
/* Drops bytes that do not fit because nobody reads the pty. */
void console_pty_write(struct console_pty *pty, const char *bytes, size_t length);
void console_pty_free(struct console_pty *pty);

#endif
