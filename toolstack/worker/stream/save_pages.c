/* SPDX-License-Identifier: MIT */
/*
 * The PAGE_DATA records: batches of frames in ascending order. Page tables go through a buffer, in
 * which pfns replace machine frames. All other pages go from the guest's memory to the file as they
 * are.
 *
 * A page of zeros has a word but no data: the restorer allocates it, and new memory of a domain is
 * zero.
 */
#include "worker/stream/save.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/alloc.h"
#include "worker/stream/format.h"

#define TYPE_SHIFT 28 /* of XEN_DOMCTL_PFINFO_LTAB_MASK */
/* Each page is at most one piece; the record has some of its own. */
#define BATCH_MAX (IOV_MAX - 8 < STREAM_BATCH ? IOV_MAX - 8 : STREAM_BATCH)

struct batch {
	xen_pfn_t mfns[STREAM_BATCH];
	int errs[STREAM_BATCH];
	uint64_t words[STREAM_BATCH];
	struct iovec pieces[STREAM_BATCH + 2];
	size_t nr_pieces;
	uint64_t tables[STREAM_BATCH][512]; /* translated page tables */
};

static void add_piece(struct batch *b, void *data, size_t size)
{
	struct iovec *last = &b->pieces[b->nr_pieces - 1];

	if (b->nr_pieces > 2 && (char *)last->iov_base + last->iov_len == (char *)data)
		last->iov_len += size;
	else
		b->pieces[b->nr_pieces++] = (struct iovec){ data, size };
}

/* The level of a page table; 0 for any other page. */
static unsigned int table_level(uint32_t type)
{
	unsigned int level = (type & XEN_DOMCTL_PFINFO_LTABTYPE_MASK) >> TYPE_SHIFT;

	return type >= XEN_DOMCTL_PFINFO_BROKEN || level > 4 ? 0 : level;
}

static int bad_page(struct save *s, uint64_t pfn, struct error **e)
{
	return error_set(e, EFAULT, "Domain %u cannot be saved: its frame %#llx cannot be read.",
			 s->domid, (unsigned long long)pfn);
}

/* Adds page i of the batch to the record. May change the page's word. */
static int add_page(struct save *s, struct batch *b, unsigned int i, uint64_t *page,
		    struct error **e)
{
	uint64_t pfn = b->words[i] & STREAM_PFN_MASK, bad;
	uint32_t type = (uint32_t)(b->words[i] >> STREAM_TYPE_SHIFT) & XEN_DOMCTL_PFINFO_LTAB_MASK;
	unsigned int level = table_level(type);

	if (type >= XEN_DOMCTL_PFINFO_BROKEN)
		return 0; /* no data */
	if (b->errs[i] != 0)
		return bad_page(s, pfn, e);
	if (level == 0 && frames_is_zero(page)) {
		b->words[i] = (uint64_t)XEN_DOMCTL_PFINFO_XALLOC << STREAM_TYPE_SHIFT | pfn;
		return 0;
	}
	if (level == 0) {
		add_piece(b, page, STREAM_PAGE);
		return 0;
	}
	if (frames_translate_table(page, b->tables[i], level, guest_p2m_mfn_to_pfn, &s->p2m, &bad))
		return error_set(e, ERANGE,
				 "Domain %u cannot be saved: its page table at frame %#llx leads "
				 "to machine frame %#llx, which "
				 "is not its own. It may have memory of another domain or of a "
				 "device mapped.",
				 s->domid, (unsigned long long)pfn, (unsigned long long)bad);
	add_piece(b, b->tables[i], STREAM_PAGE);
	return 0;
}

/* Writes one record for `count` frames from entry `first` on, which are mapped at once. */
static int save_batch(struct save *s, struct batch *b, uint32_t first, uint32_t count,
		      struct error **e)
{
	const struct frame_entry *frames = s->p2m.frames.entries + first;
	struct stream_page_data head = { .count = count };
	char *window;
	int rc = 0;

	for (uint32_t i = 0; i < count; i++) {
		b->mfns[i] = frames[i].frame;
		b->words[i] = frames[i].value;
	}
	window = hv_map_frames(s->hv, s->domid, PROT_READ, b->mfns, b->errs, count, e);
	if (!window)
		return -EFAULT;
	b->pieces[0] = (struct iovec){ &head, sizeof(head) };
	b->pieces[1] = (struct iovec){ b->words, count * sizeof(b->words[0]) };
	b->nr_pieces = 2;
	for (uint32_t i = 0; i < count && rc == 0; i++)
		rc = add_page(s, b, i, (uint64_t *)(window + (size_t)i * STREAM_PAGE), e);
	if (rc == 0)
		rc = stream_out_record(&s->out, STREAM_PAGE_DATA, b->pieces, b->nr_pieces, e);
	hv_unmap_frames(s->hv, window, count);
	return rc;
}

int save_pages(struct save *s, struct error **e)
{
	uint32_t total = s->p2m.frames.count;
	struct batch *b = xcalloc(1, sizeof(*b));
	int rc = 0;

	for (uint32_t done = 0; done < total && rc == 0; done += BATCH_MAX) {
		s->progress("memory", done, total);
		rc = save_batch(s, b, done, total - done < BATCH_MAX ? total - done : BATCH_MAX, e);
	}
	free(b);
	return rc;
}
