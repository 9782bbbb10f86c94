/* SPDX-License-Identifier: MIT */
/*
 * The log of a program: lines with time, level and text, to a file of bounded size, to stderr, or
 * both. On stderr each line begins with <N>, the level that systemd's journal reads, when stderr is
 * the journal.
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include <stddef.h>
#include "lib/error.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Opens (or makes) the file; lines are appended. Past `limit` bytes it is renamed to PATH.1 and a
 * new one begins. */
int log_open(const char *path, size_t limit, struct error **e);
/* What is less important than `level` is not written. At first: info. */
void log_set_level(enum log_level level);
/* Whether stderr gets the lines too. At first it does. */
void log_set_stderr(int on);
void log_close(void);

void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)	 log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)	 log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	 log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
