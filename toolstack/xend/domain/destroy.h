/* SPDX-License-Identifier: MIT */
/* Destroying a domain takes the hypervisor as long as it takes to give its memory back: seconds for
 * a large one. */
#ifndef XEND_DOMAIN_DESTROY_H
#define XEND_DOMAIN_DESTROY_H

#include <stdint.h>

#include "lib/error.h"

/*
 * In a task: has a thread destroy the domain, with a handle of its own, and waits for it while the
 * loop goes on. Not cancelled. -ESRCH: no domain has that number, or one with another UUID does,
 * which is left alone.
 */
int destroy_and_wait(uint32_t domid, const uint8_t uuid[16], struct error **e);

#endif
