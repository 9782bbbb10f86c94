/* SPDX-License-Identifier: MIT */
/* Saves a PV domain that has shut down for suspend, or sends one that runs until the last round. */
#ifndef WORKER_STREAM_SAVE_H
#define WORKER_STREAM_SAVE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "worker/stream/format.h"
#include "worker/stream/guest_p2m.h"
#include "worker/stream/out.h"
#include "worker/stream/pace.h"
#include "lib/error.h"
#include "hv/hv.h"

typedef void save_progress_fn(const char *stage, uint64_t done, uint64_t total);

struct save {
	struct hv *hv;
	uint32_t domid;
	struct hv_domain_info info;
	struct stream_out out;
	struct guest_p2m p2m;
	struct shared_info *shared; /* mapped */
	save_progress_fn *progress;
	/* From machine frames to the guest's own. */
	frames_translate_fn *translate;
	void *translate_arg;
};

/* Writes the whole stream to fd. On any error the domain is as it was. */
int save_domain(struct hv *hv, uint32_t domid, int fd, save_progress_fn *progress,
		struct error **e);

/* --- of a domain that runs (save_live.c) --- */

struct save_live_progress {
	unsigned int round;		  /* from 1 on */
	unsigned int percent;		  /* of its processors that the guest gets */
	bool last;			  /* the guest stands still */
	uint64_t done_bytes, total_bytes; /* of this round */
	uint64_t sent_bytes;		  /* in all */
	uint64_t send_rate, write_rate;	  /* bytes a second; 0: not known yet */
};

struct save_live {
	struct pace_wish wish;
	uint64_t rate;	  /* bytes a second to send at most, but for the last round; 0: no limit */
	unsigned int cap; /* the domain's own, per cent of one processor; 0: none */
	bool must;	  /* rather not at all than standing still */
	/* Has the domain suspended. */
	int (*suspend)(void *arg, struct error **e);
	void *arg;
	void (*progress)(const struct save_live_progress *progress);
	/* Out, after success: */
	bool live;			 /* false: it stood still from the first byte on */
	struct error *why_not;		 /* to be freed */
	unsigned int rounds;		 /* with the last one */
	unsigned int percent;		 /* the least share of its processors that it got */
	uint64_t sent_bytes, last_bytes; /* in all, and in the last round */
};

/*
 * The same for a domain that runs. It is suspended at the end, unless there was an error. After an
 * error the log may still be on, and its cap low: the caller ends both.
 */
int save_domain_live(struct hv *hv, uint32_t domid, int fd, struct save_live *live,
		     struct error **e);

/* --- parts --- */

/* Each page is at most one piece; the record has some of its own. */
#define SAVE_BATCH_MAX (IOV_MAX - 8 < STREAM_BATCH ? IOV_MAX - 8 : STREAM_BATCH)

/* Pages of one PAGE_DATA record (save_pages.c). */
struct save_batch {
	uint32_t count;		      /* at most SAVE_BATCH_MAX */
	xen_pfn_t mfns[STREAM_BATCH]; /* of a page without a frame: any that is the domain's */
	uint64_t words[STREAM_BATCH]; /* in the stream's form; may change */
	/*
	 * For a guest that runs: bitmaps by pfn of what has been sent, and of what could not be
	 * read now, and must be sent again. Else NULL: nothing has been sent, and it is an error.
	 */
	uint64_t *sent, *again;
	/* Private. */
	int errs[STREAM_BATCH];
	struct iovec pieces[STREAM_BATCH + 2];
	size_t nr_pieces;
	uint64_t tables[STREAM_BATCH][512]; /* translated page tables */
};
int save_send_batch(struct save *save, struct save_batch *batch, struct error **e);

/* All PAGE_DATA records of a suspended domain (save_pages.c), the records of all vCPUs
 * (save_vcpus.c), the others before and behind the pages (save.c). */
int save_pages(struct save *save, struct error **e);
int save_vcpus(struct save *save, struct error **e);
int save_head(struct save *save, struct error **e);
int save_p2m_frames(struct save *save, struct error **e);
int save_tail(struct save *save, struct error **e);
/* Maps the shared info page; save_close() in any case. */
int save_open(struct save *save, uint64_t *max_mfn, struct error **e);
void save_close(struct save *save);

#endif
