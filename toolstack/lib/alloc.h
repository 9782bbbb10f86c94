/* SPDX-License-Identifier: MIT */
/*
 * Memory that cannot be refused. The toolstack's data is small, and its programs may be killed and
 * started again at any moment without harm (what a domain is lies in the hypervisor, in xenstore
 * and in files), so running out of memory ends the program with a message. Buffers whose size
 * somebody else chooses are bounded before they are allocated.
 */
#ifndef LIB_ALLOC_H
#define LIB_ALLOC_H

#include <stddef.h>
#include <stdarg.h>

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull, warn_unused_result));
/* n elements of size bytes each, zeroed. */
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull, warn_unused_result));
/* An array of n elements of size bytes: what lay in p, moved. */
void *xreallocarray(void *p, size_t n, size_t size)
	__attribute__((returns_nonnull, warn_unused_result));
/* A copy; NULL gives NULL. */
char *xstrdup(const char *s) __attribute__((malloc, warn_unused_result));
char *xstrndup(const char *s, size_t max)
	__attribute__((malloc, returns_nonnull, warn_unused_result));
char *xasprintf(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), malloc, returns_nonnull, warn_unused_result));
char *xvasprintf(const char *fmt, va_list ap)
	__attribute__((format(printf, 1, 0), malloc, returns_nonnull, warn_unused_result));

#endif
