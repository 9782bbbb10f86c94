/* SPDX-License-Identifier: MIT */
/* Destroying a domain. The hypervisor needs seconds to free the memory of a large one. */
#ifndef XEND_DOMAIN_DESTROY_H
#define XEND_DOMAIN_DESTROY_H

#include <stdint.h>

#include "lib/error.h"

/*
 * In a task; cannot be cancelled. A thread with a hypervisor handle of its own destroys the domain,
 * while the loop goes on. -ESRCH: no domain has the number, or one with another UUID has it, which
 * is left alone. -EAGAIN: no thread.
 */
int destroy_and_wait(uint32_t domid, const uint8_t uuid[16], struct error **e);

#endif
