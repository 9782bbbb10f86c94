/* SPDX-License-Identifier: MIT */
/* The log file of a guest's console: guest-NAME.log, and the previous one as guest-NAME.log.1. */
#ifndef XEND_CONSOLE_CONSOLE_LOG_H
#define XEND_CONSOLE_CONSOLE_LOG_H

#include <stddef.h>

struct console_log {
	int fd; /* -1: none */
	size_t size;
	char *path;
};

/* Appends to the file of that name, if logging is on. xend's own log reports a failure. */
void console_log_open(struct console_log *log, const char *name);
void console_log_write(struct console_log *log, const char *bytes, size_t length);
void console_log_close(struct console_log *log);

#endif
