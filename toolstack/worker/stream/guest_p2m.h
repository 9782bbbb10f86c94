/* SPDX-License-Identifier: MIT */
/* Reads a PV guest's p2m list from the guest's own memory. Nothing in the list is trusted. */
#ifndef WORKER_STREAM_GUEST_P2M_H
#define WORKER_STREAM_GUEST_P2M_H

#include <stdint.h>

#include "worker/stream/frames.h"
#include "lib/error.h"
#include "hv/hv.h"

/*
 * The most entries of a list: the stream has 32 bits for the highest frame, and the list for 4 TiB
 * of memory takes 8 GiB.
 */
#define GUEST_PFNS_MAX (1ULL << 30)

struct guest_p2m {
	uint64_t nr_pfns;
	/*
	 * The frames that the guest has, by ascending pfn. An entry's frame is the machine frame,
	 * its value a word of PAGE_DATA (worker/stream/format.h).
	 */
	struct frame_map frames;
	uint64_t *list_frames; /* the machine frames that contain the list */
	uint64_t nr_list_frames;
};

/*
 * Reads the list. shared: the domain's shared info page, mapped. max_mfn: the host's highest frame.
 * max_pages: the most frames that the domain can have; a list that names more is refused.
 *
 * The memory that is allocated depends on max_pages and not on what the guest says, except for 8
 * bytes for each page of the list. Returns 0 or -errno; -EINVAL for a damaged list. The caller
 * calls guest_p2m_free() in both cases.
 */
int guest_p2m_read(struct guest_p2m *p2m, struct hv *hv, uint32_t domid,
		   const struct shared_info *shared, uint64_t max_mfn, uint64_t max_pages,
		   struct error **e);
/*
 * Finds the frames that contain the list anew, which may lie elsewhere now. It is as long as it
 * was.
 */
int guest_p2m_find_list(struct guest_p2m *p2m, struct hv *hv, uint32_t domid,
			const struct arch_shared_info *arch, struct error **e);
/*
 * The pfn of a machine frame; FRAME_INVALID if the guest does not have the frame. context: the
 * struct guest_p2m.
 */
uint64_t guest_p2m_mfn_to_pfn(void *context, uint64_t mfn);
void guest_p2m_free(struct guest_p2m *p2m);

#endif
