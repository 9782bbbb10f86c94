/* SPDX-License-Identifier: MIT */
/* Memory before page_alloc works, from the free pieces of the memory map. For paging_init only. */
#ifndef X86_MM_BOOT_ALLOC_H
#define X86_MM_BOOT_ALLOC_H

#include "lib/types.h"

/* Reads the memory map, up to `end`. */
void boot_alloc_init(paddr_t end);
/*
 * The highest free, aligned 2 MiB below `limit`. Not cleared, perhaps not mapped. Panics if there
 * are none.
 */
paddr_t boot_alloc_2m(paddr_t limit);
/*
 * A cleared page for a page table, below 4 GiB, from chunks of 2 MiB that hold nothing else. Panics
 * if memory is out.
 */
paddr_t boot_alloc_table(void);
/* Visits those chunks, with the number of pages taken from each. */
void boot_alloc_for_each_chunk(void (*fn)(paddr_t chunk, unsigned int used));
/* Visits the free memory that is left, in ascending order. */
void boot_alloc_for_each_free(void (*fn)(paddr_t start, paddr_t end));

#endif
