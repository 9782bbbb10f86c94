/* SPDX-License-Identifier: MIT */
/* Numbers as they are typed. */
#ifndef XM_NUMBER_H
#define XM_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* A whole number of min (not negative) to max, in decimal. */
bool number_parse(const char *text, int64_t min, int64_t max, int64_t *number);

#endif
