/* SPDX-License-Identifier: MIT */
/* Large mappings that only boot needs: modules, and memory to unpack Domain-0's kernel in. */
#ifndef X86_MM_BOOT_MAP_H
#define X86_MM_BOOT_MAP_H

#include "lib/types.h"

/* Maps [start, start + size) read-only; any alignment. Never fails: panics when memory is out. */
const void *boot_map(paddr_t start, size_t size);
/* A mapped, contiguous (in virtual addresses) buffer of fresh memory; NULL when there is not that
 * much. */
void *boot_buffer_alloc(size_t size);
void boot_buffer_free(void *buf, size_t size);
void boot_unmap(const void *p, size_t size);

#endif
