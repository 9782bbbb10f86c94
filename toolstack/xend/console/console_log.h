/* SPDX-License-Identifier: MIT */
/* The log file of a guest's console: guest-NAME.log, and guest-NAME.log.1 with what was before. */
#ifndef XEND_CONSOLE_CONSOLE_LOG_H
#define XEND_CONSOLE_CONSOLE_LOG_H

#include <stddef.h>

struct console_log {
	int fd; /* -1: none */
	size_t size;
	char *path;
};

/* Appends to the file of that name, if logging is on. A failure is told to xend's log. */
void console_log_open(struct console_log *log, const char *name);
void console_log_write(struct console_log *log, const char *bytes, size_t length);
void console_log_close(struct console_log *log);

#endif
