/* SPDX-License-Identifier: MIT */
/* Guest pages that the hypervisor writes to over a long time. */
#ifndef HV_GUEST_PAGE_H
#define HV_GUEST_PAGE_H

#include "hv/frame.h"
#include "lib/types.h"

struct domain;

/*
 * Maps a frame of d's like map_frame_global, with a general and a writable type reference held.
 * guest_page_unmap drops both. No lock of rank LOCK_PAGE_LIST or later. -EINVAL: not d's frame, or
 * a frame of another type; -ENOMEM.
 */
struct guest_page {
	struct page_info *pg;
	void *va;
};
int __must_check guest_page_map(struct domain *d, gfn_t gfn, struct guest_page *page);
void guest_page_unmap(const struct guest_page *page);

#endif
