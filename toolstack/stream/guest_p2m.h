/* SPDX-License-Identifier: MIT */
/* Reads the list of frames of a running PV guest, out of the guest's own memory. Nothing in it is believed. */
#ifndef STREAM_GUEST_P2M_H
#define STREAM_GUEST_P2M_H

#include <stdint.h>

#include "stream/frames.h"
#include "util/error.h"
#include "util/hv.h"

struct guest_p2m {
	uint64_t nr_pfns;
	uint64_t *mfns; /* FRAME_INVALID: the guest has no frame there */
	struct frames_reverse reverse;
	uint64_t *list_frames; /* the guest's frames that hold the list */
	uint64_t nr_list_frames;
};

/* shared: the domain's shared info page, mapped. max_mfn: the host's highest frame. */
int guest_p2m_read(struct guest_p2m *p2m, struct hv *hv, uint32_t domid, const struct shared_info *shared,
		   uint64_t max_mfn, struct error **e);
void guest_p2m_free(struct guest_p2m *p2m);

#endif
