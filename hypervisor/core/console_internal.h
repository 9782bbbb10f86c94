/* SPDX-License-Identifier: MIT */
/* Between console.c and console_guest.c. */
#ifndef CORE_CONSOLE_INTERNAL_H
#define CORE_CONSOLE_INTERNAL_H

#include <stdarg.h>
#include "hv/console.h"

#define CONSOLE_PREFIX	 "(HV) "
#define CONSOLE_LINE_MAX 320

/*
 * Makes a line "PREFIX fmt\n" in buf (CONSOLE_LINE_MAX bytes), cut if it is too long. Returns its
 * length.
 */
size_t console_format_line(char *buf, const char *prefix, const char *fmt, va_list args);

#endif
