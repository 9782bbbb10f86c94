/* SPDX-License-Identifier: MIT */
/* Fills a new domain from a stream. Nothing in the stream is believed. */
#ifndef WORKER_STREAM_RESTORE_H
#define WORKER_STREAM_RESTORE_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/build/guest.h"
#include "worker/build/start.h"
#include "worker/stream/frames.h"
#include "worker/stream/in.h"
#include "hv/hv.h"

/* A state of a vCPU as the stream has it. */
struct restore_blob {
	void *data;
	size_t size;
};

struct restore_vcpu {
	struct restore_blob basic, extended, xsave, msrs;
};

struct restore {
	struct hv *hv;
	uint32_t domid;
	unsigned int max_vcpus;
	uint64_t pages;			     /* that are free for it: it may have these at once */
	uint64_t max_pages;		     /* that it may have */
	struct start_service store, console; /* in: domid, port; out: mfn */
	guest_progress_fn *progress;

	/* The rest is the reader's own. */
	struct stream_in in;
	uint64_t nr_pfns; /* 0: not known yet */
	/*
	 * The frames that it has been given. If it got all at once, words has one for each of its
	 * numbers, else frames has an entry for each. Words and values: the machine frame,
	 * FRAME_NONE if there is none (any more), and in the upper bits XEN_DOMCTL_PFINFO_* as in a
	 * word of PAGE_DATA, or FRAME_UNSEEN.
	 */
	uint64_t *words;
	struct frame_map frames;
	uint64_t *list_frames, nr_list_frames;
	uint64_t nr_pages; /* that it has in the end */
	struct restore_vcpu *vcpus;
	struct restore_blob cpuid, msr_policy;
	struct shared_info *shared; /* a copy */
	struct stream_tsc_info tsc;
	bool has_pv_info, has_static_end, has_tsc;
};

#define FRAME_NONE STREAM_PFN_MASK
/* A number that is no type: the stream has not had that page. */
#define FRAME_UNSEEN (7ULL << 60)

/* XEN_DOMCTL_PFINFO_* of a word, or the number of FRAME_UNSEEN. */
static inline uint32_t restore_word_type(uint64_t word)
{
	return (uint32_t)(word >> STREAM_TYPE_SHIFT) & XEN_DOMCTL_PFINFO_LTAB_MASK;
}

/* All frames, in no order that matters: their words are those at 0 to restore_count() - 1. */
static inline uint64_t restore_count(const struct restore *r)
{
	return r->words != NULL ? r->nr_pfns : r->frames.count;
}

static inline uint64_t *restore_word_at(const struct restore *r, uint64_t i)
{
	return r->words != NULL ? &r->words[i] : &r->frames.entries[i].value;
}

/* The whole stream from fd; the domain is then ready to be unpaused. r has its first part filled
 * in. */
int restore_domain(struct restore *r, int fd, struct error **e);
void restore_free(struct restore *r);

/* Parts: memory (restore_pages.c), what comes after END (restore_finish.c). */
int restore_p2m_frames(struct restore *r, const struct stream_record *record, struct error **e);
int restore_page_data(struct restore *r, const struct stream_record *record, struct error **e);
/* Gives back what was allocated before it was known that the guest does not have it; counts the
 * rest. */
int restore_release_unused(struct restore *r, struct error **e);
/* FRAME_INVALID unless the guest has that frame. context is the struct restore. */
uint64_t restore_pfn_to_mfn(void *context, uint64_t pfn);
int restore_finish(struct restore *r, struct error **e);

#endif
