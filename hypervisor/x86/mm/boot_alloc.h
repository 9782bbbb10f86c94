/* SPDX-License-Identifier: MIT */
/* Memory before there is an allocator: out of the free pieces of the memory map, for paging_init
 * only. */
#ifndef X86_MM_BOOT_ALLOC_H
#define X86_MM_BOOT_ALLOC_H

#include "lib/types.h"

/* Reads the memory map, up to `end`. */
void boot_alloc_init(paddr_t end);
/* 2 MiB, aligned, the highest free ones below `limit`. Not cleared, perhaps not mapped. Panics when
 * there are none. */
paddr_t boot_alloc_2m(paddr_t limit);
/* A cleared page for a page table, below 4 GiB, out of chunks of 2 MiB that hold nothing else.
 * Panics. */
paddr_t boot_alloc_table(void);
/* Those chunks, and how many pages of each are taken. */
void boot_alloc_for_each_chunk(void (*fn)(paddr_t chunk, unsigned int used));
/* What is left, ascending. */
void boot_alloc_for_each_free(void (*fn)(paddr_t start, paddr_t end));

#endif
