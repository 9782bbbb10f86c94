/* SPDX-License-Identifier: MIT */
/*
 * The frames of a guest that runs. Its list changes meanwhile: it gives pages back, gets new ones
 * and exchanges some. The list lies in its memory, so the log of what it writes says which parts of
 * it to read again. Nothing in the list is trusted.
 */
#ifndef WORKER_STREAM_LIVE_FRAMES_H
#define WORKER_STREAM_LIVE_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/stream/guest_p2m.h"

struct live_frames {
	struct guest_p2m *p2m; /* the caller's; its list of frames is current */
	uint64_t *mfns;	       /* for each pfn its machine frame; 0: none */
	uint64_t *list_pfns;   /* the guest's numbers of the frames with the list */
	/* Private. */
	struct hv *hv;
	uint32_t domid;
	uint64_t max_mfn, max_pages;
	struct arch_shared_info arch; /* as it was when the list was found */
};

/*
 * The log is on already, so that no later change is missed. p2m: empty; the caller frees it, too.
 * max_pages: the most pages that the domain may have. live_frames_free() in any case.
 */
int live_frames_read(struct live_frames *f, struct guest_p2m *p2m, struct hv *hv, uint32_t domid,
		     const struct shared_info *shared, uint64_t max_mfn, uint64_t max_pages,
		     struct error **e);
/*
 * After a round of the log: reads the parts of the list again of which `dirty` says that they were
 * written to. Sets the bit in `changed` of each pfn that has another frame now, or none any more.
 */
int live_frames_update(struct live_frames *f, const uint64_t *dirty, uint64_t *changed,
		       struct error **e);
/*
 * When the guest is suspended: looks whether the list lies elsewhere now, and reads the parts that
 * do. *moved: it does. Otherwise as above.
 */
int live_frames_find_again(struct live_frames *f, const struct shared_info *shared,
			   uint64_t *changed, bool *moved, struct error **e);
/* As guest_p2m_mfn_to_pfn(). context: the struct live_frames. */
uint64_t live_frames_mfn_to_pfn(void *context, uint64_t mfn);
void live_frames_free(struct live_frames *f);

#endif
