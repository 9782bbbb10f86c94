/* SPDX-License-Identifier: MIT */
/* Every unit test includes this after the header under test: cmocka, and a few helpers. */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

/* Declared here too, because the hypervisor's lib/string.h may replace the C library's header, and
 * has only what the hypervisor uses. */
char *strstr(const char *text, const char *part);

/* A small random generator with a seed, so that a failed run can be repeated (xorshift64*, Vigna
 * 2016). */
static inline uint64_t unit_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dULL;
}

#define UNIT_SEED 0x9e3779b97f4a7c15ULL

#endif
