/* SPDX-License-Identifier: MIT */
/* The set-up of map_frame's windows, and copies through them (hv/arch/map.h). */
#ifndef X86_MM_MAP_FRAME_H
#define X86_MM_MAP_FRAME_H

#include "hv/frame.h"
#include "x86/arch_domain.h"

/*
 * Sets up an empty window. `l1`: the L1 entry of its first page (all entries are 0); `virt`: that
 * page's address.
 */
void map_window_init(struct map_window *w, u64 *l1, unsigned long virt);
/* The frame that map_frame mapped there; any address in it will do. */
mfn_t map_frame_mfn(const void *va);
/* Copies a whole frame through the window. */
void frame_copy(mfn_t dst, mfn_t src);

#endif
