/* SPDX-License-Identifier: MIT */
/* The frames of a PV guest, by its own number and by the machine's. Pure. */
#ifndef STREAM_FRAMES_H
#define STREAM_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#define FRAME_INVALID ~0ULL

/* Which of the guest's frames a machine frame is: a sparse table of two levels. */
struct frames_reverse {
	uint64_t **chunks;
	uint64_t max_mfn;
};

/* max_mfn: the highest machine frame that can occur. -ENOMEM. */
int frames_reverse_init(struct frames_reverse *r, uint64_t max_mfn);
void frames_reverse_free(struct frames_reverse *r);
/* Machine frames past max_mfn are ignored: they are marks of the guest's, not frames. -ENOMEM. */
int frames_reverse_set(struct frames_reverse *r, uint64_t mfn, uint64_t pfn);
/* FRAME_INVALID if it is none of the guest's. */
uint64_t frames_reverse_get(const struct frames_reverse *r, uint64_t mfn);

/* Page tables go into a stream with the guest's own frame numbers in them, and come out with the machine's. */

/* Translates one number; FRAME_INVALID if that is not possible. */
typedef uint64_t frames_translate_fn(void *context, uint64_t frame);

/*
 * Copies a page table of level 1 to 4 and translates the entries that are present. Those of the hypervisor (in level 4)
 * become zero. -ERANGE with the entry's frame in *bad if one cannot be translated. from and to may be the same.
 */
int frames_translate_table(const uint64_t *from, uint64_t *to, unsigned int level, frames_translate_fn *translate,
			   void *context, uint64_t *bad);

/* Whether a page is all zeros. */
bool frames_is_zero(const void *page);

#endif
