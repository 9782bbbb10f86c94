/* SPDX-License-Identifier: MIT */
/* Fills a new domain from a stream. Nothing in the stream is trusted. */
#ifndef WORKER_STREAM_RESTORE_H
#define WORKER_STREAM_RESTORE_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/build/guest_memory.h"
#include "worker/build/start.h"
#include "worker/stream/frames.h"
#include "worker/stream/in.h"
#include "hv/hv.h"

/* The body of a record, kept until END. */
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
	uint64_t pages;	    /* its size at the start, for which the host has memory */
	uint64_t max_pages; /* the domain's limit */
	struct start_service store, console; /* in: port; out: mfn */
	guest_progress_fn *progress;

	/* The rest is private. */
	struct stream_in in;
	uint64_t nr_pfns; /* 0: not known yet */
	/*
	 * The frames that the domain has been given. If it got all at once, `words` has an element
	 * for each pfn; else `frames` has an entry for each frame.
	 *
	 * A word (or an entry's value) has the machine frame in its lower bits, FRAME_NONE if there
	 * is none (any more). Its upper bits are XEN_DOMCTL_PFINFO_* as in a word of PAGE_DATA, or
	 * FRAME_UNSEEN.
	 */
	uint64_t *words;
	struct frame_map frames;
	uint32_t nr_released; /* of the entries in `frames`: the guest gave the frame back */
	uint64_t *list_frames, nr_list_frames;
	uint64_t nr_pages; /* pages that the domain has in the end */
	struct restore_vcpu *vcpus;
	struct restore_blob cpuid, msr_policy;
	struct shared_info *shared; /* a copy */
	struct stream_tsc_info tsc;
	bool has_pv_info, has_static_end, has_tsc;
};

#define FRAME_NONE STREAM_PFN_MASK
/* Not a type of the interface: the stream has not had that page yet. */
#define FRAME_UNSEEN (7ULL << 60)

/* The type of a word: XEN_DOMCTL_PFINFO_*, or the bits of FRAME_UNSEEN. */
static inline uint32_t restore_word_type(uint64_t word)
{
	return (uint32_t)(word >> STREAM_TYPE_SHIFT) & XEN_DOMCTL_PFINFO_LTAB_MASK;
}

/* The words of all frames are those from 0 to restore_count() - 1, in no particular order. */
static inline uint64_t restore_count(const struct restore *r)
{
	return r->words ? r->nr_pfns : r->frames.count;
}

static inline uint64_t *restore_word_at(const struct restore *r, uint64_t i)
{
	return r->words ? &r->words[i] : &r->frames.entries[i].value;
}

/*
 * Reads the whole stream from fd. The caller has set the first part of r. After success the domain
 * can be unpaused; restore_free() in any case.
 */
int restore_domain(struct restore *r, int fd, struct error **e);
void restore_free(struct restore *r);

/* Parts of it: memory (restore_pages.c), and what comes after END (restore_finish.c). */
int restore_p2m_frames(struct restore *r, const struct stream_record *record, struct error **e);
int restore_page_data(struct restore *r, const struct stream_record *record, struct error **e);
/*
 * Frees the pages that were allocated before the stream showed that the guest does not have them,
 * and counts the others.
 */
int restore_release_unused(struct restore *r, struct error **e);
/*
 * The machine frame of a pfn; FRAME_INVALID if the guest does not have it. context: the struct
 * restore.
 */
uint64_t restore_pfn_to_mfn(void *context, uint64_t pfn);
int restore_finish(struct restore *r, struct error **e);

#endif
