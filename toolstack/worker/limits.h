/* SPDX-License-Identifier: MIT */
/* Bounds on what a worker uses of Domain-0, whatever its input says: memory, system calls. */
#ifndef WORKER_LIMITS_H
#define WORKER_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

/*
 * An address sanitizer reserves terabytes of address space and makes system calls of its own, so a
 * test build with one goes without the limits that would break it.
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

/* The process's address space in bytes; 0 if /proc does not say. */
uint64_t limits_address_space(void);
/*
 * Limits the address space to what it is now, plus what work on a domain of `pages` pages needs: a
 * fixed amount for buffers and for mappings of the domain's memory, and 64 bytes for each page.
 */
int limits_for_domain(uint64_t pages, struct error **e);
/*
 * Makes the kernel kill this process first when Domain-0 runs out of memory, before xend, xenstored
 * or the backend of a guest's disk.
 */
void limits_be_first_to_go(void);

/* A system call that a process keeps, by libseccomp's number, and with which arguments. */
struct limits_call {
	int number;
	enum {
		LIMITS_ANY,
		LIMITS_NO_CODE, /* mmap(), mprotect(): no memory that can hold new code */
		LIMITS_LOCAL,	/* socket(): of this host */
	} arguments;
};
/*
 * Gives up all other calls; `otherwise` is what happens at one (SCMP_ACT_...). 0 or -errno. Does
 * nothing with a sanitizer.
 */
int limits_allow_calls(uint32_t otherwise, const struct limits_call *calls, size_t nr);

#endif
