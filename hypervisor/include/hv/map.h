/* SPDX-License-Identifier: MIT */
/*
 * Mappings: how the hypervisor reaches frames that are not its own (there is no map of all memory)
 * and the registers of devices; and the table that leads back from a frame to a guest's number for
 * it.
 */
#ifndef HV_MAP_H
#define HV_MAP_H

#include "hv/frame.h"
#include "lib/types.h"

struct domain;

/*
 * Maps a frame, readable and writable, in the current address space's window. A hit in the window's
 * cache costs a few instructions. Never held across a return to a guest or a context switch; at
 * most MAP_FRAME_NESTING at once; not from interrupt handlers.
 */
#define MAP_FRAME_NESTING 32
void *map_frame(mfn_t mfn);
void unmap_frame(const void *va);
/*
 * Maps a frame in every address space until it is unmapped: for pages that events reach at any time
 * (vcpu_info). NULL when out of space.
 */
void *map_frame_global(mfn_t mfn);
void unmap_frame_global(const void *addr);
/*
 * Maps a frame of d's like map_frame_global, with a general and a writable type reference held.
 * guest_page_unmap drops both. No lock of rank LOCK_PAGE_LIST or later. -EINVAL: not d's frame, or
 * a frame of another type; -ENOMEM.
 */
struct guest_page {
	struct page_info *pg;
	void *va;
};
int __must_check guest_page_map(struct domain *d, mfn_t mfn, struct guest_page *page);
void guest_page_unmap(const struct guest_page *page);
/* Device memory, uncached. NULL when out of space. */
void *map_device(paddr_t addr, size_t size);
void unmap_device(void *addr, size_t size);
/* Copies or clears whole frames through the window. */
void frame_copy(mfn_t dst, mfn_t src);
void frame_clear(mfn_t mfn);

/* --- machine to phys: what a PV guest reads at M2P_RO_VIRT --- */
#define M2P_INVALID (~0UL)
void m2p_set(mfn_t mfn, unsigned long pfn);
unsigned long m2p_get(mfn_t mfn);

#endif
