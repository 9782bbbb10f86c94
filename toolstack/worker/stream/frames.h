/* SPDX-License-Identifier: MIT */
/* The frames of a PV guest, by its own number and by the machine's. Pure. */
#ifndef WORKER_STREAM_FRAMES_H
#define WORKER_STREAM_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_INVALID ~0ULL

/*
 * What is known of frames, found by their number: a hash table, so that its size depends on how
 * many there are and not on their numbers, which a guest or an image chooses. Entries keep the
 * order in which they were added.
 */
struct frame_entry {
	uint64_t frame, value;
};

struct frame_map {
	struct frame_entry *entries;
	uint32_t count, limit;
	/* Private. */
	uint32_t room;	  /* of entries */
	uint32_t indexed; /* entries that the index has */
	uint32_t *index;  /* places of entries, plus 1 */
	uint32_t next;	  /* the entry behind the one that was found last */
	unsigned int index_bits;
	uint64_t factor;
};

/*
 * limit: the most entries that it takes. expected: how many it makes room for at once, when they
 * are known to come. Frees nothing of what was there before. -ENOMEM.
 */
int frame_map_init(struct frame_map *map, uint64_t limit, uint64_t expected);
void frame_map_free(struct frame_map *map);
int frame_map_grow(struct frame_map *map); /* for the next two */
struct frame_entry *frame_map_search(struct frame_map *map, uint64_t frame);

/* Adds an entry; of several with one number, one is found. -ENOSPC past the limit, -ENOMEM. */
static inline int frame_map_add(struct frame_map *map, uint64_t frame, uint64_t value)
{
	int rc = map->count < map->room ? 0 : frame_map_grow(map);

	if (rc == 0)
		map->entries[map->count++] = (struct frame_entry){ frame, value };
	return rc;
}

/* Valid until the next frame_map_add(); NULL: there is none. */
static inline struct frame_entry *frame_map_find(struct frame_map *map, uint64_t frame)
{
	/* Page tables lead to frames mostly in the order in which the guest's list has them. */
	if (map->next < map->count && map->entries[map->next].frame == frame)
		return &map->entries[map->next++];
	return frame_map_search(map, frame);
}

/* Page tables go into a stream with the guest's own frame numbers in them, and come out with the
 * machine's. */

/* Translates one number; FRAME_INVALID if that is not possible. */
typedef uint64_t frames_translate_fn(void *context, uint64_t frame);

/*
 * Copies a page table of level 1 to 4 and translates the entries that are present. Those of the
 * hypervisor (in level 4) become zero. -ERANGE with the entry's frame in *bad if one cannot be
 * translated. from and to may be the same.
 */
int frames_translate_table(const uint64_t *from, uint64_t *to, unsigned int level,
			   frames_translate_fn *translate, void *context, uint64_t *bad);

/* Whether a page is all zeros. */
bool frames_is_zero(const void *page);

#endif
