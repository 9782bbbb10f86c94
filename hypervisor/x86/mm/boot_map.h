/* SPDX-License-Identifier: MIT */
/* Large mappings that only boot needs: modules, and memory to unpack Domain-0's kernel in. */
#ifndef X86_MM_BOOT_MAP_H
#define X86_MM_BOOT_MAP_H

#include "lib/types.h"

/* Maps [start, start + size), in bytes of any alignment, read-only. Panics if memory is out. */
const void *boot_map(paddr_t start, size_t size);
/* A mapped buffer of fresh memory, contiguous in virtual addresses; NULL if memory is out. */
void *boot_buffer_alloc(size_t size);
void boot_buffer_free(void *buf, size_t size);
void boot_unmap(const void *p, size_t size);

#endif
