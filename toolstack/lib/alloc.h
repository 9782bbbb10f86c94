/* SPDX-License-Identifier: MIT */
/*
 * Allocation that never returns NULL for want of memory: the program prints a message and aborts.
 * That is safe because the toolstack's programs may be killed and restarted at any moment: the
 * state of a domain is in the hypervisor, in xenstore and in files. The toolstack's own data is
 * small. A buffer whose size somebody else chooses is bounded before it is allocated.
 */
#ifndef LIB_ALLOC_H
#define LIB_ALLOC_H

#include <stddef.h>
#include <stdarg.h>

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull, warn_unused_result));
/* n elements of size bytes each, zeroed. */
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull, warn_unused_result));
/* Resizes p to n elements of size bytes each, as reallocarray() does. */
void *xreallocarray(void *p, size_t n, size_t size)
	__attribute__((returns_nonnull, warn_unused_result));
/* A copy of s; NULL for NULL. */
char *xstrdup(const char *s) __attribute__((malloc, warn_unused_result));
char *xstrndup(const char *s, size_t max)
	__attribute__((malloc, returns_nonnull, warn_unused_result));
char *xasprintf(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), malloc, returns_nonnull, warn_unused_result));
char *xvasprintf(const char *fmt, va_list ap)
	__attribute__((format(printf, 1, 0), malloc, returns_nonnull, warn_unused_result));

#endif
