/* SPDX-License-Identifier: MIT */
/* The machine's memory as the firmware tells it, and which of it boot holds. */
#ifndef X86_BOOT_MEMORY_MAP_H
#define X86_BOOT_MEMORY_MAP_H

#include "lib/types.h"

/* Types as in the BIOS's E820 and in ACPI 15. */
#define E820_RAM      1
#define E820_RESERVED 2
#define E820_ACPI     3
#define E820_NVS      4
#define E820_UNUSABLE 5

#define MEMORY_MAP_MAX 128

struct memory_map {
	unsigned int nr;
	struct {
		u64 start, size;
		u32 type;
	} e[MEMORY_MAP_MAX];
};
/* Sorted by address, without overlap (what is claimed by several is the one that is not RAM); stays
 * after boot. */
extern struct memory_map boot_memory_map;

/*
 * Calls fn for each piece of RAM [start, end), page-aligned, that nothing of boot lies in: not the
 * first MiB, the image, the boot modules, the loader's information. Ascending. The reserved pieces
 * come to the allocator later (boot frees them).
 */
void memory_map_for_each_free(void (*fn)(paddr_t start, paddr_t end));
/* Of boot: keeps [start, end) from memory_map_for_each_free from now on. Boot code only, before
 * paging_init. */
void memory_map_reserve(paddr_t start, paddr_t end);
/* End of boot: calls fn for each piece of RAM that memory_map_reserve kept, but the image and the
 * first MiB. */
void memory_map_release(void (*fn)(paddr_t start, paddr_t end));
/* Boot: sorts boot_memory_map and removes overlaps; prints it. */
void memory_map_sanitize(void);
void memory_map_print(void);
/* Wholly inside one entry of that type. */
bool memory_map_is_type(paddr_t start, paddr_t end, u32 type);

#endif
