/* SPDX-License-Identifier: MIT */
/*
 * Frame numbers of a PV guest: a map from numbers to values, and the translation of page tables
 * between the guest's own numbers (pfns) and machine frames (mfns). Pure.
 */
#ifndef WORKER_STREAM_FRAMES_H
#define WORKER_STREAM_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_INVALID ~0ULL

/*
 * A hash table from frame numbers to values. Its size depends on how many entries there are, not on
 * the numbers, which a guest or an image chooses. Entries keep the order in which they were added.
 */
struct frame_entry {
	uint64_t frame, value;
};

struct frame_map {
	struct frame_entry *entries;
	uint32_t count, limit;
	/* Private. */
	uint32_t room;	  /* entries that fit before it must grow */
	uint32_t indexed; /* how many entries the index has */
	uint32_t *index;  /* positions in entries, plus 1; 0: free */
	uint32_t next;	  /* the position behind the entry that was found last */
	unsigned int index_bits;
	uint64_t factor;
};

/*
 * Initializes the map; the caller has freed any old content. limit: the most entries. expected: how
 * many entries to allocate at once. Returns 0 or -ENOMEM.
 */
int frame_map_init(struct frame_map *map, uint64_t limit, uint64_t expected);
void frame_map_free(struct frame_map *map);
int frame_map_grow(struct frame_map *map); /* for the inline functions below, as the next one */
struct frame_entry *frame_map_search(struct frame_map *map, uint64_t frame);

/*
 * Adds an entry. When several have the same number, frame_map_find() finds one of them. Returns 0,
 * -ENOSPC past the limit, or -ENOMEM.
 */
static inline int frame_map_add(struct frame_map *map, uint64_t frame, uint64_t value)
{
	int rc = map->count < map->room ? 0 : frame_map_grow(map);

	if (rc == 0)
		map->entries[map->count++] = (struct frame_entry){ frame, value };
	return rc;
}

/*
 * Finds the entry of a frame; NULL when there is none. The pointer is valid until the next
 * frame_map_add().
 */
static inline struct frame_entry *frame_map_find(struct frame_map *map, uint64_t frame)
{
	/*
	 * Page tables mostly point to frames in the order of the guest's list: try the next entry.
	 */
	if (map->next < map->count && map->entries[map->next].frame == frame)
		return &map->entries[map->next++];
	return frame_map_search(map, frame);
}

/* In a stream, page tables contain the guest's own frame numbers; in memory, machine frames. */

/* Translates one frame number; FRAME_INVALID if it has no translation. */
typedef uint64_t frames_translate_fn(void *context, uint64_t frame);

/*
 * Copies a page table of level 1 to 4 and translates its present entries. In level 4, the
 * hypervisor's entries become zero. Returns 0, or -ERANGE with *bad set to the frame in an entry
 * that has no translation. from and to may be the same.
 */
int frames_translate_table(const uint64_t *from, uint64_t *to, unsigned int level,
			   frames_translate_fn *translate, void *context, uint64_t *bad);

/* Whether a page is all zeros. */
bool frames_is_zero(const void *page);

#endif
