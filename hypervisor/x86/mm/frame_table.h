/* SPDX-License-Identifier: MIT */
/*
 * Which memory the frame table and the machine-to-phys table describe: whole GiB, those in which
 * there is any RAM. One GiB takes one page of 2 MiB in the latter and three in the former, so
 * nothing is mapped in part.
 */
#ifndef X86_MM_FRAME_TABLE_H
#define X86_MM_FRAME_TABLE_H

#include "hv/mm.h"

#define GIB_SHIFT  30
#define GIB_FRAMES (1UL << (GIB_SHIFT - PAGE_SHIFT))
#define MAX_FRAMES \
	((1UL << 32) - GIB_FRAMES) /* links are 32 bits wide, and PAGE_LIST_NULL is one */
#define MAX_GIBS	    (MAX_FRAMES / GIB_FRAMES)
#define FRAME_TABLE_PER_GIB (GIB_FRAMES * sizeof(struct page_info))
#define M2P_PER_GIB	    (GIB_FRAMES * sizeof(unsigned long))
_Static_assert(FRAME_TABLE_PER_GIB == 3 * MiB(2) && M2P_PER_GIB == MiB(2), "in whole large pages");

bool gib_has_ram(unsigned long gib);
/* Boot: finds out from the memory map; sets max_page and total_pages. Before either table is there.
 */
void frame_table_probe(void);
/* Boot: both tables are mapped: fills them and gives what is free to page_alloc. */
void frame_table_init(void);
/* Lets tools map the machine-to-phys table read-only, as frames of dom_xen. Once that domain is
 * there. */
void m2p_share(void);

#endif
