/* SPDX-License-Identifier: MIT */
#include "stream/frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SHIFT 9
#define CHUNK_SIZE  (1u << CHUNK_SHIFT)

/* Entries of a page table (Intel's manual, volume 3, 4.5). */
#define ENTRIES	    512
#define PTE_PRESENT 1ULL
#define PTE_FRAME   0x000ffffffffff000ULL
#define PAGE_SHIFT  12

/* Entries of the highest level that are the hypervisor's: 0xffff800000000000 to 0xffff87ffffffffff. */
#define HV_FIRST_SLOT 256
#define HV_LAST_SLOT  271

int frames_reverse_init(struct frames_reverse *r, uint64_t max_mfn)
{
	r->max_mfn = max_mfn;
	r->chunks = calloc((max_mfn >> CHUNK_SHIFT) + 1, sizeof(*r->chunks));
	return r->chunks != NULL ? 0 : -ENOMEM;
}

void frames_reverse_free(struct frames_reverse *r)
{
	if (r->chunks == NULL)
		return;
	for (uint64_t i = 0; i <= r->max_mfn >> CHUNK_SHIFT; i++)
		free(r->chunks[i]);
	free(r->chunks);
	r->chunks = NULL;
}

int frames_reverse_set(struct frames_reverse *r, uint64_t mfn, uint64_t pfn)
{
	uint64_t **chunk;

	if (mfn > r->max_mfn)
		return 0;
	chunk = &r->chunks[mfn >> CHUNK_SHIFT];
	if (*chunk == NULL) {
		*chunk = malloc(CHUNK_SIZE * sizeof(**chunk));
		if (*chunk == NULL)
			return -ENOMEM;
		for (unsigned int i = 0; i < CHUNK_SIZE; i++)
			(*chunk)[i] = FRAME_INVALID;
	}
	(*chunk)[mfn & (CHUNK_SIZE - 1)] = pfn;
	return 0;
}

uint64_t frames_reverse_get(const struct frames_reverse *r, uint64_t mfn)
{
	const uint64_t *chunk = mfn <= r->max_mfn ? r->chunks[mfn >> CHUNK_SHIFT] : NULL;

	return chunk != NULL ? chunk[mfn & (CHUNK_SIZE - 1)] : FRAME_INVALID;
}

int frames_translate_table(const uint64_t *from, uint64_t *to, unsigned int level, frames_translate_fn *translate,
			   void *context, uint64_t *bad)
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
	const uint64_t *words = page;

	/* Most pages that are not zero show it at once. */
	if (words[0] != 0 || words[511] != 0)
		return false;
	for (unsigned int i = 0; i < ENTRIES; i += 8)
		if ((words[i] | words[i + 1] | words[i + 2] | words[i + 3] | words[i + 4] | words[i + 5] |
		     words[i + 6] | words[i + 7]) != 0)
			return false;
	return true;
}
