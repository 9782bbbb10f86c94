/* SPDX-License-Identifier: MIT */
/* The few string functions of C that the hypervisor uses; meanings as in the C standard. */
#ifndef LIB_STRING_H
#define LIB_STRING_H

#include "lib/types.h"

void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);

/* Copies at most size - 1 characters and always terminates; returns strlen(src). */
size_t str_copy(char *dst, const char *src, size_t size);

/*
 * Reads an unsigned number in `base` (0: decimal, or hexadecimal after "0x") and sets *end behind
 * it; `end` may be NULL. *end == s: there is no number. A number that does not fit gives ~0.
 */
u64 str_to_u64(const char *s, const char **end, unsigned int base);

#endif
