/* SPDX-License-Identifier: MIT */
/* The machine's memory as the firmware reports it, and the parts that boot uses. */
#ifndef X86_BOOT_MEMORY_MAP_H
#define X86_BOOT_MEMORY_MAP_H

#include "lib/types.h"

/* Types as in the BIOS's E820 and in ACPI 15. */
#define E820_RAM      1
#define E820_RESERVED 2
#define E820_ACPI     3
#define E820_NVS      4
#define E820_UNUSABLE 5

/* Firmware of large machines reports hundreds of entries. */
#define MEMORY_MAP_MAX 1024

struct memory_map {
	unsigned int nr;
	struct memory_map_entry {
		u64 start, size;
		u32 type;
	} e[MEMORY_MAP_MAX];
};
/*
 * Sorted by address, without overlaps: where entries of several types overlap, the least usable
 * type wins. Stays after boot.
 */
extern struct memory_map boot_memory_map;

/*
 * Calls fn for each page-aligned piece of RAM [start, end) that boot does not use, in ascending
 * order. The first MiB, the image, the boot modules and the loader's information are left out. Boot
 * gives the reserved pieces to the allocator later.
 */
void memory_map_for_each_free(void (*fn)(paddr_t start, paddr_t end));
/* Boot, before paging_init: memory_map_for_each_free leaves [start, end) out from now on. */
void memory_map_reserve(paddr_t start, paddr_t end);
/* End of boot: calls fn for each reserved piece of RAM, except for the image and the first MiB. */
void memory_map_release(void (*fn)(paddr_t start, paddr_t end));
/*
 * Boot: adds an entry as the firmware reports it, in any order. What lies above 52 bits, which no
 * processor can address, is cut off. A warning counts what does not fit.
 */
void memory_map_add(u64 start, u64 size, u32 type);
/* Boot: sorts boot_memory_map and removes overlaps; prints it. */
void memory_map_sanitize(void);
void memory_map_print(void);
/*
 * Boot, after memory_map_sanitize and before the first MiB is reserved: a page of RAM where a
 * processor can start in real mode, which nothing uses. 0: there is none.
 */
paddr_t memory_map_find_low_page(void);
/* [start, end) lies within one entry of this type. */
bool memory_map_is_type(paddr_t start, paddr_t end, u32 type);
/* An entry of this type has a part of [start, end). */
bool memory_map_has(paddr_t start, paddr_t end, u32 type);

#endif
