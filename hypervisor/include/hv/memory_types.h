/* SPDX-License-Identifier: MIT */
/*
 * The memory of each domain: what it owns, and the map that its builder set.
 *
 * Lock tags: [P] lock   [D] d->lock
 */
#ifndef HV_MEMORY_TYPES_H
#define HV_MEMORY_TYPES_H

#include "hv/frame.h"
#include "hv/spinlock.h"

struct domain_memory {
	spinlock_t lock;	   /* LOCK_PAGE_LIST */
	struct page_list pages;	   /* [P] RAM that it owns */
	struct page_list hv_pages; /* [P] the hypervisor's pages that it may map */
	u32 tot_pages, max_pages;  /* [P] */
	u32 claimed_pages;	   /* LOCK_HEAP */
};

#define DOMAIN_MEMORY_MAP_MAX 32

/* [D] The pseudo-physical E820 that the domain's builder set (core/memory/memory_map.c). */
struct domain_memory_map {
	struct {
		u64 start, size;
		u32 type;
	} __packed entries[DOMAIN_MEMORY_MAP_MAX];
	unsigned int nr; /* 0: none was set */
};

#endif
