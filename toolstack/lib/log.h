/* SPDX-License-Identifier: MIT */
/*
 * The log of a program: lines with time, level and text. They go to stderr, to a file (log_open.h),
 * or to both. When stderr is systemd's journal, each line there begins with <N>, the
 * journal's level.
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include "lib/error.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Drops lines that are less important than `level`. The default is LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);
/* Whether lines go to stderr too. They do by default. */
void log_set_stderr(int on);

/* Where lines go from now on, instead of to standard error alone; NULL: nowhere else. */
typedef void (*log_sink)(bool for_stderr, const char *line, size_t length);
void log_set_sink(log_sink sink);
/* Adds the time as lines of a log file begin. */
struct str;
void log_add_time(struct str *line);

void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)	 log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)	 log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	 log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
