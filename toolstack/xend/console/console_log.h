/* SPDX-License-Identifier: MIT */
/* The log file of a guest's console: guest-NAME.log, and the previous one as guest-NAME.log.1. */
#ifndef XEND_CONSOLE_CONSOLE_LOG_H
#define XEND_CONSOLE_CONSOLE_LOG_H

struct log_file;

/*
 * The log of that name, for log_file_write() and log_file_close(); NULL: logging is off. xend's own
 * log reports a failure.
 */
struct log_file *console_log_open(const char *name);

#endif
