/* SPDX-License-Identifier: MIT */
/*
 * The frame table and the machine-to-phys table describe whole GiB: each GiB in which there is any
 * RAM. One GiB takes three pages of 2 MiB in the frame table and one in the machine-to-phys table,
 * so no large page is used in part.
 */
#ifndef X86_MM_FRAME_TABLE_H
#define X86_MM_FRAME_TABLE_H

#include "hv/frame.h"

#define GIB_SHIFT  30
#define GIB_FRAMES (1UL << (GIB_SHIFT - PAGE_SHIFT))
/* Links are 32 bits wide, and one value of a link is PAGE_LIST_NULL. */
#define MAX_FRAMES	    ((1UL << 32) - GIB_FRAMES)
#define MAX_GIBS	    (MAX_FRAMES / GIB_FRAMES)
#define FRAME_TABLE_PER_GIB (GIB_FRAMES * sizeof(struct page_info))
#define M2P_PER_GIB	    (GIB_FRAMES * sizeof(unsigned long))
_Static_assert(FRAME_TABLE_PER_GIB == 3 * MiB(2) && M2P_PER_GIB == MiB(2), "in whole large pages");

bool gib_has_ram(unsigned long gib);
/* Boot: reads the memory map and sets max_page and total_pages. Neither table exists yet. */
void frame_table_probe(void);
/* Boot, with both tables mapped: fills them and gives the free memory to page_alloc. */
void frame_table_init(void);
/* Lets tools map the machine-to-phys table read-only, as frames of dom_xen, which must exist. */
void m2p_share(void);

#endif
