/* SPDX-License-Identifier: MIT */
/* Memory for a new domain: the hypervisor's free memory and, if that is too little, Domain-0's. */
#ifndef XEND_DOMAIN_BALLOON_H
#define XEND_DOMAIN_BALLOON_H

#include <stdint.h>

#include "lib/error.h"

/*
 * In a task: makes sure that the hypervisor has `kb` KiB free for the caller. Callers take turns:
 * after 0, nobody else gets memory until balloon_release, which says that this memory is allocated,
 * claimed or not needed. -ENOMEM (the sentence says what is free and what is needed) or -ECANCELED.
 */
int balloon_reserve(uint64_t kb, struct error **e);
void balloon_release(void);
/*
 * KiB that the hypervisor needs for a domain besides the domain's own memory: structures, page
 * tables, grant tables.
 */
uint64_t balloon_overhead_kb(uint64_t memory_kb, unsigned int vcpus);

#endif
