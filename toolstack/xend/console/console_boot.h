/* SPDX-License-Identifier: MIT */
/*
 * The terminal of a bootloader, before its domain has a console: the worker sends what the
 * bootloader shows, and gets what the clients of console.open type.
 */
#ifndef XEND_CONSOLE_CONSOLE_BOOT_H
#define XEND_CONSOLE_CONSOLE_BOOT_H

#include <uv.h>

#include "lib/error.h"

struct domain;
struct viewers;

/*
 * Clients can open the domain's console from now on. *fd is the worker's end, which the caller
 * closes. 0 or -errno.
 */
int console_boot_open(uv_loop_t *loop, struct domain *domain, int *fd, struct error **e);
/* Ends it, and returns its viewers, which have seen everything. NULL: there was none. */
struct viewers *console_boot_end(struct domain *domain);
/* The viewers, or NULL. */
struct viewers *console_boot_viewers(const struct domain *domain);

#endif
