/* SPDX-License-Identifier: MIT */
/* Numbers on the command line. */
#ifndef XM_NUMBER_H
#define XM_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Parses a whole decimal number from min (not negative) to max. False when text is none. */
bool number_parse(const char *text, int64_t min, int64_t max, int64_t *number);

#endif
