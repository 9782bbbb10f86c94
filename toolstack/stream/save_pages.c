/* SPDX-License-Identifier: MIT */
/*
 * The PAGE_DATA records: batches of frames in ascending order. Page tables go through a buffer, in which the guest's own
 * frame numbers stand for the machine's; all else goes from the guest's memory to the file as it is. A page that is all
 * zeros is named without its data: whoever restores it allocates it, and memory that a domain gets is zero.
 */
#include "stream/save.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "stream/format.h"

#define TYPE_SHIFT 28 /* of XEN_DOMCTL_PFINFO_LTAB_MASK */
/* One piece for each page at the most, but for the record's own. */
#define BATCH_MAX (IOV_MAX - 8 < STREAM_BATCH ? IOV_MAX - 8 : STREAM_BATCH)

struct batch {
	uint64_t pfns[STREAM_BATCH];
	xen_pfn_t mfns[STREAM_BATCH];
	xen_pfn_t types[STREAM_BATCH];
	int errs[STREAM_BATCH];
	uint64_t words[STREAM_BATCH];
	struct iovec pieces[STREAM_BATCH + 2];
	size_t nr_pieces;
	unsigned int count;
	uint64_t tables[STREAM_BATCH][512]; /* translated page tables */
};

static uint64_t mfn_to_pfn(void *context, uint64_t mfn)
{
	return frames_reverse_get(context, mfn);
}

static void add_piece(struct batch *b, void *data, size_t size)
{
	struct iovec *last = &b->pieces[b->nr_pieces - 1];

	if (b->nr_pieces > 2 && (char *)last->iov_base + last->iov_len == (char *)data)
		last->iov_len += size;
	else
		b->pieces[b->nr_pieces++] = (struct iovec){ data, size };
}

/* The level of a page table, 0 for any other page. */
static unsigned int table_level(xen_pfn_t type)
{
	unsigned int level = (type & XEN_DOMCTL_PFINFO_LTABTYPE_MASK) >> TYPE_SHIFT;

	return type >= XEN_DOMCTL_PFINFO_BROKEN || level > 4 ? 0 : level;
}

/* Decides how page i of the batch goes into the stream; *type may change. */
static int add_page(struct save *s, struct batch *b, unsigned int i, uint64_t *page, struct error **e)
{
	unsigned int level = table_level(b->types[i]);
	uint64_t bad;

	if (level == 0 && frames_is_zero(page)) {
		b->types[i] = XEN_DOMCTL_PFINFO_XALLOC;
		return 0;
	}
	if (level == 0) {
		add_piece(b, page, STREAM_PAGE);
		return 0;
	}
	if (frames_translate_table(page, b->tables[i], level, mfn_to_pfn, &s->p2m.reverse, &bad) != 0)
		return error_set(
			e, ERANGE,
			"Domain %u cannot be saved: its page table at frame %#llx leads to machine frame %#llx, which "
			"is not its own. It may have memory of another domain or of a device mapped.",
			s->domid, (unsigned long long)b->pfns[i], (unsigned long long)bad);
	add_piece(b, b->tables[i], STREAM_PAGE);
	return 0;
}

/* The pages of the batch that have data, mapped in one go. */
static int save_mapped(struct save *s, struct batch *b, struct error **e)
{
	struct stream_page_data head = { .count = b->count };
	char *window = hv_map_frames(s->hv, s->domid, PROT_READ, b->mfns, b->errs, b->count, e);
	int rc = 0;

	if (window == NULL)
		return -EFAULT;
	b->pieces[0] = (struct iovec){ &head, sizeof(head) };
	b->pieces[1] = (struct iovec){ b->words, b->count * sizeof(b->words[0]) };
	b->nr_pieces = 2;
	for (unsigned int i = 0; i < b->count && rc == 0; i++) {
		if (b->types[i] >= XEN_DOMCTL_PFINFO_BROKEN)
			; /* no data */
		else if (b->errs[i] != 0)
			rc = error_set(e, EFAULT, "Domain %u cannot be saved: its frame %#llx cannot be read.",
				       s->domid, (unsigned long long)b->pfns[i]);
		else
			rc = add_page(s, b, i, (uint64_t *)(window + (size_t)i * STREAM_PAGE), e);
		b->words[i] = (uint64_t)b->types[i] << STREAM_TYPE_SHIFT | b->pfns[i];
	}
	if (rc == 0)
		rc = stream_out_record(&s->out, STREAM_PAGE_DATA, b->pieces, b->nr_pieces, e);
	hv_unmap_frames(s->hv, window, b->count);
	return rc;
}

static int save_batch(struct save *s, struct batch *b, struct error **e)
{
	int rc;

	if (b->count == 0)
		return 0;
	memcpy(b->types, b->mfns, b->count * sizeof(b->types[0]));
	rc = hv_frames_info(s->hv, s->domid, b->types, b->count, e);
	if (rc < 0)
		return rc;
	for (unsigned int i = 0; i < b->count; i++)
		b->types[i] &= XEN_DOMCTL_PFINFO_LTAB_MASK;
	rc = save_mapped(s, b, e);
	b->count = 0;
	return rc;
}

int save_pages(struct save *s, struct error **e)
{
	struct batch *b = calloc(1, sizeof(*b));
	int rc = 0;

	if (b == NULL)
		return error_set(e, ENOMEM, "Out of memory.");
	for (uint64_t pfn = 0; pfn < s->p2m.nr_pfns && rc == 0; pfn++) {
		if (s->p2m.mfns[pfn] == FRAME_INVALID)
			continue;
		b->pfns[b->count] = pfn;
		b->mfns[b->count++] = s->p2m.mfns[pfn];
		if (b->count < BATCH_MAX)
			continue;
		rc = save_batch(s, b, e);
		s->progress("memory", pfn, s->p2m.nr_pfns);
	}
	if (rc == 0)
		rc = save_batch(s, b, e);
	free(b);
	return rc;
}
