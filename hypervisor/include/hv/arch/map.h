/* SPDX-License-Identifier: MIT */
/*
 * Mappings of frames, and of the hypervisor's heap. There is no map of all memory: a frame that is
 * not the hypervisor's own is mapped where it is used.
 */
#ifndef HV_ARCH_MAP_H
#define HV_ARCH_MAP_H

#include "hv/frame.h"
#include "lib/types.h"

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
/* Clears a whole frame through the window. */
void frame_clear(mfn_t mfn);

/* --- the hypervisor's heap (hv/hv_heap.h) and image --- */
/*
 * Maps, or unmaps on every CPU, the 2 MiB that begin at frame `first`, at HEAP_VIRT + machine
 * address. Only the first 512 GiB of memory can be mapped so.
 */
#define ARCH_HEAP_ADDRESS_BITS 39
void arch_heap_map(mfn_t first);
void arch_heap_unmap(mfn_t first);
/* Translates addresses of hv_alloc'ed memory and of the image. */
mfn_t virt_to_mfn(const void *addr);
void *mfn_to_hv_virt(mfn_t mfn); /* for frames of hv_alloc_pages only */
static inline paddr_t virt_to_maddr(const void *va)
{
	return mfn_to_maddr(virt_to_mfn(va)) | ((unsigned long)va & ~PAGE_MASK);
}
static inline struct page_info *virt_to_page(const void *va)
{
	return mfn_to_page(virt_to_mfn(va));
}

#endif
