/* SPDX-License-Identifier: MIT */
/*
 * Formatted output: %d %i %u %x %X %o %c %s %p %%, with the flags - 0 # + space, width and
 * precision (also as *), and the lengths hh h l ll z. Writes at most `size` bytes, always
 * terminated if size > 0. Returns the length that an unlimited buffer would have held.
 */
#ifndef LIB_PRINTF_H
#define LIB_PRINTF_H

#include <stdarg.h>
#include "lib/types.h"

int fmt_vsnprintf(char *buf, size_t size, const char *fmt, va_list args);
int fmt_snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);

#endif
