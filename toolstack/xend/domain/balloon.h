/* SPDX-License-Identifier: MIT */
/* Memory for a new domain: what is free, and, when that is too little, what Domain-0 can give. */
#ifndef XEND_DOMAIN_BALLOON_H
#define XEND_DOMAIN_BALLOON_H

#include <stdint.h>

#include "lib/error.h"

/*
 * In a task: has the hypervisor have `kb` free for the caller. One finds memory at a time;
 * balloon_release says that it is allocated (or not needed), so that the next one can look. -ENOMEM
 * says what is free and what is needed.
 */
int balloon_reserve(uint64_t kb, struct error **e);
void balloon_release(void);
/* What a domain needs besides its own memory, KiB: its structures, page tables of the hypervisor's,
 * grant tables. */
uint64_t balloon_overhead_kb(uint64_t memory_kb, unsigned int vcpus);

#endif
