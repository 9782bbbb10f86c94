/* SPDX-License-Identifier: MIT */
/*
 * Frame numbers: a map as an open-addressing hash table, whose index is built lazily, and their
 * translation in page tables.
 */
#include "worker/stream/frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Frames in 4 TiB of memory. */
#define LIMIT_MAX      (1u << 30)
#define ROOM_MIN       512
#define INDEX_BITS_MIN 10
/* 2^64 divided by the golden ratio (Knuth, The Art of Computer Programming, volume 3, 6.4). */
#define GOLDEN 0x9e3779b97f4a7c15ULL

/* Page table entries (Intel SDM, volume 3, 4.5). */
#define ENTRIES	    512
#define PTE_PRESENT 1ULL
#define PTE_FRAME   0x000ffffffffff000ULL
#define PAGE_SHIFT  12

/* The hypervisor's entries of the top level: 0xffff800000000000 to 0xffff87ffffffffff. */
#define HV_FIRST_SLOT 256
#define HV_LAST_SLOT  271

void frame_map_free(struct frame_map *map)
{
	free(map->entries);
	free(map->index);
	*map = (struct frame_map){ 0 };
}

/*
 * Grows entries, and the index with them so that it is at most three quarters full. A new index is
 * empty: the next search fills it.
 */
static int make_room(struct frame_map *map, uint64_t room)
{
	struct frame_entry *entries;

	room = room < map->limit ? room : map->limit;
	entries = realloc(map->entries, room * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	map->entries = entries;
	if (!map->index || room > (3ULL << map->index_bits) / 4) {
		while (map->index_bits < INDEX_BITS_MIN || room > (3ULL << map->index_bits) / 4)
			map->index_bits++;
		free(map->index);
		map->indexed = 0;
		map->index = calloc(1ULL << map->index_bits, sizeof(*map->index));
		if (!map->index)
			return -ENOMEM;
	}
	map->room = (uint32_t)room;
	return 0;
}

int frame_map_init(struct frame_map *map, uint64_t limit, uint64_t expected)
{
	*map = (struct frame_map){ .limit = limit < LIMIT_MAX ? (uint32_t)limit : LIMIT_MAX };
	/*
	 * A guest that chooses the numbers must not be able to predict collisions. Without random
	 * bytes the map may be slow, but is not wrong.
	 */
	if (getrandom(&map->factor, sizeof(map->factor), GRND_NONBLOCK) != sizeof(map->factor))
		map->factor = GOLDEN;
	map->factor |= 1;
	return expected > 0 ? make_room(map, expected) : 0;
}

int frame_map_grow(struct frame_map *map)
{
	if (map->count == map->limit)
		return -ENOSPC;
	/* Grow by half. */
	return make_room(map, map->room + map->room / 2ULL + ROOM_MIN);
}

/* The place of a number in the index, or the free place where it belongs. */
static uint32_t *place(const struct frame_map *map, uint64_t frame)
{
	uint32_t mask = (uint32_t)((1ULL << map->index_bits) - 1);
	uint32_t at = (uint32_t)(frame * map->factor >> (64 - map->index_bits));

	while (map->index[at] != 0 && map->entries[map->index[at] - 1].frame != frame)
		at = (at + 1) & mask;
	return &map->index[at];
}

struct frame_entry *frame_map_search(struct frame_map *map, uint64_t frame)
{
	uint32_t at;

	/* First add the entries that came since the last search. */
	for (; map->indexed < map->count; map->indexed++) {
		uint32_t *free_place = place(map, map->entries[map->indexed].frame);

		if (*free_place == 0)
			*free_place = map->indexed + 1;
	}
	at = map->index ? *place(map, frame) : 0;
	if (at == 0)
		return NULL;
	map->next = at;
	return &map->entries[at - 1];
}

int frames_translate_table(const uint64_t *from, uint64_t *to, unsigned int level,
			   frames_translate_fn *translate, void *context, uint64_t *bad)
{
	for (unsigned int i = 0; i < ENTRIES; i++) {
		uint64_t entry = from[i], frame;

		if (level == 4 && i >= HV_FIRST_SLOT && i <= HV_LAST_SLOT) {
			to[i] = 0;
			continue;
		}
		if (entry & PTE_PRESENT) {
			frame = translate(context, (entry & PTE_FRAME) >> PAGE_SHIFT);
			if (frame > PTE_FRAME >> PAGE_SHIFT) {
				*bad = (entry & PTE_FRAME) >> PAGE_SHIFT;
				return -ERANGE;
			}
			entry = (entry & ~PTE_FRAME) | frame << PAGE_SHIFT;
		}
		to[i] = entry;
	}
	return 0;
}

bool frames_is_zero(const void *page)
{
	static const uint64_t zeros[ENTRIES];
	const uint64_t *words = page;

	/* The first and last words reject most pages that are not zero. */
	return words[0] == 0 && words[ENTRIES - 1] == 0 && memcmp(page, zeros, sizeof(zeros)) == 0;
}
