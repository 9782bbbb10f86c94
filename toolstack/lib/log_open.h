/* SPDX-License-Identifier: MIT */
/*
 * The log of a program in a file. A thread writes it, and standard error too (log_file.h): no disk
 * and no reader makes log_write() wait.
 */
#ifndef LIB_LOG_OPEN_H
#define LIB_LOG_OPEN_H

#include <stddef.h>

#include "lib/error.h"

/*
 * Opens the file, or makes it; lines are appended. When it passes `limit` bytes, it is renamed to
 * PATH.1 and a new file begins.
 */
int log_open(const char *path, size_t limit, struct error **e);
/* Waits until all lines are written, for two seconds at most. */
void log_drain(void);
/* The same, and closes the file. To be called before the program ends. */
void log_close(void);

#endif
