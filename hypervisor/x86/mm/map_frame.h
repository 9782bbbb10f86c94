/* SPDX-License-Identifier: MIT */
/* Windows of map_frame (hv/mm.h): how they are made. */
#ifndef X86_MM_MAP_FRAME_H
#define X86_MM_MAP_FRAME_H

#include "x86/arch_domain.h"

/* An empty window: `l1` is the entry of its first page, all entries 0; `virt` that page's address.
 */
void map_window_init(struct map_window *w, u64 *l1, unsigned long virt);

#endif
