/* SPDX-License-Identifier: MIT */
/* What a worker may take of Domain-0's memory, whatever its input says. */
#ifndef WORKER_LIMITS_H
#define WORKER_LIMITS_H

#include <stdint.h>

#include "lib/error.h"

/*
 * An address sanitizer takes terabytes of address space and system calls of its own: a test build
 * runs without the limits that it cannot live with.
 */
#if defined(__SANITIZE_ADDRESS__)
#define LIMITS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LIMITS_SANITIZED 1
#endif
#endif
#ifndef LIMITS_SANITIZED
#define LIMITS_SANITIZED 0
#endif

/* Address space that the process has, in bytes; 0 if /proc does not say. */
uint64_t limits_address_space(void);
/*
 * From now on the process gets no more address space than work on a domain of so many pages takes:
 * a fixed amount for windows onto its memory and buffers, and 64 bytes for each page.
 */
int limits_for_domain(uint64_t pages, struct error **e);
/* When Domain-0 runs out of memory the kernel ends this process first, and not xend, xenstored or a
 * guest's disk. */
void limits_be_first_to_go(void);

#endif
