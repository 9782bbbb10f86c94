/* SPDX-License-Identifier: MIT */
/* Mappings of devices' registers, for every part of the processor's side (x86/mm/vmap.c). */
#ifndef X86_MAP_DEVICE_H
#define X86_MAP_DEVICE_H

#include "lib/types.h"

/* Device memory, uncached. NULL when out of space. */
void *map_device(paddr_t addr, size_t size);
/* The memory of a screen, write-combining. NULL when out of space. */
void *map_framebuffer(paddr_t addr, size_t size);
void unmap_device(void *addr, size_t size);

#endif
