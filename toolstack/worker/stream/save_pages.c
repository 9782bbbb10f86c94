/* SPDX-License-Identifier: MIT */
/*
 * The PAGE_DATA records. Page tables go through a buffer, in which pfns replace machine frames. All
 * other pages go from the guest's memory to the file as they are.
 *
 * A page of zeros has a word but no data: the restorer allocates it, and new memory of a domain is
 * zero. That does not hold for a page that the stream has had before.
 *
 * A guest that runs may change anything meanwhile, also which frames it has and which of them are
 * page tables. It is in the log then, and the page is sent once more.
 */
#include "worker/stream/save.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/alloc.h"
#include "worker/stream/bitmap.h"
#include "worker/stream/format.h"

#define TYPE_SHIFT 28 /* of XEN_DOMCTL_PFINFO_LTAB_MASK */

static void add_piece(struct save_batch *b, void *data, size_t size)
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

static uint64_t word_pfn(uint64_t word)
{
	return word & STREAM_PFN_MASK;
}

static uint32_t word_type(uint64_t word)
{
	return (uint32_t)(word >> STREAM_TYPE_SHIFT) & XEN_DOMCTL_PFINFO_LTAB_MASK;
}

static int bad_page(struct save *s, uint64_t pfn, struct error **e)
{
	return error_set(e, EFAULT, "Domain %u cannot be saved: its frame %#llx cannot be read.",
			 s->domid, (unsigned long long)pfn);
}

static int bad_table(struct save *s, uint64_t pfn, uint64_t bad, struct error **e)
{
	return error_set(e, ERANGE,
			 "Domain %u cannot be saved: its page table at frame %#llx leads "
			 "to machine frame %#llx, which "
			 "is not its own. It may have memory of another domain or of a "
			 "device mapped.",
			 s->domid, (unsigned long long)pfn, (unsigned long long)bad);
}

/* Leaves the page out for now. */
#define LEAVE_OUT 1

/* Adds page i of the batch to the record. May change the page's word. 0, LEAVE_OUT or -errno. */
static int add_page(struct save *s, struct save_batch *b, uint32_t i, uint64_t *page,
		    struct error **e)
{
	uint64_t pfn = word_pfn(b->words[i]), bad = 0;
	uint32_t type = word_type(b->words[i]);
	unsigned int level = table_level(type);
	bool seen = b->sent && bitmap_test(b->sent, pfn);

	if (type >= XEN_DOMCTL_PFINFO_BROKEN)
		return 0; /* no data */
	if (b->errs[i] != 0)
		return b->again ? LEAVE_OUT : bad_page(s, pfn, e);
	if (level == 0 && !seen && frames_is_zero(page)) {
		b->words[i] = (uint64_t)XEN_DOMCTL_PFINFO_XALLOC << STREAM_TYPE_SHIFT | pfn;
		return 0;
	}
	if (level == 0) {
		add_piece(b, page, STREAM_PAGE);
		return 0;
	}
	if (frames_translate_table(page, b->tables[i], level, s->translate, s->translate_arg, &bad))
		return b->again ? LEAVE_OUT : bad_table(s, pfn, bad, e);
	add_piece(b, b->tables[i], STREAM_PAGE);
	return 0;
}

/* The words of the pages that are in the record come first then. */
static int add_pages(struct save *s, struct save_batch *b, char *window, uint32_t *count,
		     struct error **e)
{
	*count = 0;
	for (uint32_t i = 0; i < b->count; i++) {
		int rc = add_page(s, b, i, (uint64_t *)(window + (size_t)i * STREAM_PAGE), e);
		uint64_t word = b->words[i];

		if (rc < 0)
			return rc;
		if (rc == LEAVE_OUT) {
			bitmap_set(b->again, word_pfn(word));
			continue;
		}
		if (b->sent)
			bitmap_set(b->sent, word_pfn(word));
		b->words[(*count)++] = word;
	}
	return 0;
}

int save_send_batch(struct save *s, struct save_batch *b, struct error **e)
{
	struct stream_page_data head = { 0 };
	char *window = hv_map_frames(s->hv, s->domid, PROT_READ, b->mfns, b->errs, b->count, e);
	int rc;

	if (!window)
		return -EFAULT;
	b->pieces[0] = (struct iovec){ &head, sizeof(head) };
	b->nr_pieces = 2;
	rc = add_pages(s, b, window, &head.count, e);
	b->pieces[1] = (struct iovec){ b->words, head.count * sizeof(b->words[0]) };
	if (rc == 0 && head.count > 0)
		rc = stream_out_record(&s->out, STREAM_PAGE_DATA, b->pieces, b->nr_pieces, e);
	hv_unmap_frames(s->hv, window, b->count);
	return rc;
}

int save_pages(struct save *s, struct error **e)
{
	const struct frame_entry *frames = s->p2m.frames.entries;
	uint32_t total = s->p2m.frames.count;
	struct save_batch *b = xcalloc(1, sizeof(*b));
	int rc = 0;

	for (uint32_t done = 0; done < total && rc == 0; done += b->count) {
		s->progress("memory", done, total);
		b->count = total - done < SAVE_BATCH_MAX ? total - done : SAVE_BATCH_MAX;
		for (uint32_t i = 0; i < b->count; i++) {
			b->mfns[i] = frames[done + i].frame;
			b->words[i] = frames[done + i].value;
		}
		rc = save_send_batch(s, b, e);
	}
	free(b);
	return rc;
}
