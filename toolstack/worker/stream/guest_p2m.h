/* SPDX-License-Identifier: MIT */
/* Reads the list of frames of a running PV guest, out of the guest's own memory. Nothing in it is
 * believed. */
#ifndef WORKER_STREAM_GUEST_P2M_H
#define WORKER_STREAM_GUEST_P2M_H

#include <stdint.h>

#include "worker/stream/frames.h"
#include "lib/error.h"
#include "hv/hv.h"

/* No list is longer: the stream has 32 bits for the highest frame, and a list of 4 TiB of memory is
 * 8 GiB. */
#define GUEST_PFNS_MAX (1ULL << 30)

struct guest_p2m {
	uint64_t nr_pfns;
	/*
	 * The frames that the guest has, in the order of its own numbers: entries of machine
	 * frames, whose values are words of PAGE_DATA (worker/stream/format.h).
	 */
	struct frame_map frames;
	uint64_t *list_frames; /* machine frames that hold the list */
	uint64_t nr_list_frames;
};

/*
 * shared: the domain's shared info page, mapped. max_mfn: the host's highest frame. max_pages: how
 * many frames the domain can have; what is allocated depends on that, and not on what the guest
 * says: 8 bytes for each page of the list are the exception. -ERANGE if it names more.
 */
int guest_p2m_read(struct guest_p2m *p2m, struct hv *hv, uint32_t domid,
		   const struct shared_info *shared, uint64_t max_mfn, uint64_t max_pages,
		   struct error **e);
/* The guest's own number of a machine frame; FRAME_INVALID if it does not have it. context is the
 * struct guest_p2m. */
uint64_t guest_p2m_mfn_to_pfn(void *context, uint64_t mfn);
void guest_p2m_free(struct guest_p2m *p2m);

#endif
