/* SPDX-License-Identifier: MIT */
/*
 * The memory of a restored domain. If the domain may have as many pages as it has pfns, all
 * are allocated at once, in large extents. Else (the guest had given some back) each frame is
 * allocated when it first occurs, in PAGE_DATA or in a page table.
 *
 * Page data are read from the stream directly into the guest's memory. Page tables are then
 * translated in place.
 */
#include "worker/stream/restore.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "worker/stream/guest_p2m.h"

#define PER_PAGE    512
#define TYPE_SHIFT  28
#define PTE_PRESENT 1ULL
#define PTE_FRAME   0x000ffffffffff000ULL

/*
 * The word of a pfn; NULL when the guest does not have that frame yet. Valid until the next frame
 * is added.
 */
static uint64_t *find_word(struct restore *r, uint64_t pfn)
{
	struct frame_entry *entry;

	if (r->words)
		return pfn < r->nr_pfns ? &r->words[pfn] : NULL;
	entry = frame_map_find(&r->frames, pfn);
	return entry ? &entry->value : NULL;
}

uint64_t restore_pfn_to_mfn(void *context, uint64_t pfn)
{
	const uint64_t *word = find_word(context, pfn);
	uint64_t mfn = word ? *word & STREAM_PFN_MASK : FRAME_NONE;

	return mfn != FRAME_NONE ? mfn : FRAME_INVALID;
}

/* --- allocation --- */

static int no_room(int rc, struct error **e)
{
	if (rc == -ENOMEM)
		return error_set(e, ENOMEM, "Out of memory for the list of the domain's pages.");
	return error_set(e, ENOMEM,
			 "There is not enough memory for the domain: it has more pages than it may "
			 "have, or the host has "
			 "too few.");
}

static int allocate_all(struct restore *r, struct error **e)
{
	struct guest guest = { .hv = r->hv, .domid = r->domid };
	int rc = guest_populate(&guest, r->nr_pfns, r->progress, e);

	if (rc) {
		guest_free(&guest);
		return rc;
	}
	r->words = guest.p2m;
	for (uint64_t pfn = 0; pfn < r->nr_pfns; pfn++)
		r->words[pfn] |= FRAME_UNSEEN;
	return 0;
}

/* Frames that wait to be allocated together: the entries from `first` on. */
struct wanted {
	uint32_t first, count;
};

static int allocate_wanted(struct restore *r, struct wanted *w, struct error **e)
{
	struct frame_entry *entries;
	xen_pfn_t pfns[STREAM_BATCH], mfns[STREAM_BATCH];
	long got;

	if (w->count == 0)
		return 0;
	entries = r->frames.entries + w->first;
	for (uint32_t i = 0; i < w->count; i++)
		pfns[i] = entries[i].frame;
	got = hv_memory_populate(r->hv, r->domid, pfns, mfns, w->count, 0, e);
	if (got < 0)
		return (int)got;
	for (long i = 0; i < got; i++)
		entries[i].value = (entries[i].value & ~STREAM_PFN_MASK) | mfns[i];
	if (got < (long)w->count)
		return no_room(-ENOSPC, e);
	w->count = 0;
	return 0;
}

/* Adds a frame that find_word() does not know. allocate_wanted() gives it memory later. */
static int want(struct restore *r, struct wanted *w, uint64_t pfn, uint64_t **word,
		struct error **e)
{
	int rc;

	if (w->count == STREAM_BATCH) {
		rc = allocate_wanted(r, w, e);
		if (rc)
			return rc;
	}
	if (r->frames.count - r->nr_released >= r->max_pages)
		return no_room(-ENOSPC, e);
	rc = frame_map_add(&r->frames, pfn, FRAME_UNSEEN | FRAME_NONE);
	if (rc)
		return no_room(rc, e);
	if (w->count++ == 0)
		w->first = r->frames.count - 1;
	*word = &r->frames.entries[r->frames.count - 1].value;
	return 0;
}

/*
 * A guest that runs while it is sent gives frames back, which the stream has had, and gets others:
 * it must not need both at once here. (With an element for each pfn it has room for all of them.)
 */
static int release_frame(struct restore *r, uint64_t *word, struct error **e)
{
	xen_pfn_t mfn = *word & STREAM_PFN_MASK;

	if (r->words || mfn == FRAME_NONE)
		return 0;
	*word |= FRAME_NONE;
	r->nr_released++;
	return hv_memory_release(r->hv, r->domid, &mfn, 1, e);
}

static bool was_released(uint64_t word)
{
	return restore_word_type(word) == XEN_DOMCTL_PFINFO_XTAB &&
	       (word & STREAM_PFN_MASK) == FRAME_NONE;
}

/* It has the frame again. */
static int want_again(struct restore *r, uint64_t pfn, uint64_t *word, struct error **e)
{
	xen_pfn_t mfn = pfn;
	long got = hv_memory_populate(r->hv, r->domid, &mfn, &mfn, 1, 0, e);

	if (got < 0)
		return (int)got;
	if (got == 0)
		return no_room(-ENOSPC, e);
	r->nr_released--;
	*word = (*word & ~STREAM_PFN_MASK) | mfn;
	return 0;
}

static bool is_unused(uint64_t word)
{
	uint32_t type = restore_word_type(word);

	return (word & ~STREAM_PFN_MASK) == FRAME_UNSEEN || type == XEN_DOMCTL_PFINFO_XTAB ||
	       type == XEN_DOMCTL_PFINFO_BROKEN;
}

int restore_release_unused(struct restore *r, struct error **e)
{
	xen_pfn_t mfns[STREAM_BATCH];
	unsigned int count = 0;
	int rc = 0;

	r->nr_pages = 0;
	for (uint64_t i = 0; i < restore_count(r) && rc == 0; i++) {
		uint64_t *word = restore_word_at(r, i);

		if (!is_unused(*word)) {
			r->nr_pages++;
			continue;
		}
		if ((*word & STREAM_PFN_MASK) == FRAME_NONE)
			continue;
		mfns[count++] = *word & STREAM_PFN_MASK;
		*word |= FRAME_NONE;
		if (count < STREAM_BATCH)
			continue;
		rc = hv_memory_release(r->hv, r->domid, mfns, count, e);
		count = 0;
	}
	return rc == 0 && count > 0 ? hv_memory_release(r->hv, r->domid, mfns, count, e) : rc;
}

/* --- X86_PV_P2M_FRAMES --- */

int restore_p2m_frames(struct restore *r, const struct stream_record *record, struct error **e)
{
	struct stream_p2m_frames head;
	struct stream_record body = *record;
	void *frames;
	int rc;

	if (record->length < sizeof(head))
		return stream_in_damaged(e, "it has a wrong X86_PV_P2M_FRAMES");
	rc = stream_in_read(&r->in, &head, sizeof(head), e);
	if (rc)
		return rc;
	/* The whole list is required: no known saver sends only a part of it. */
	if (head.start_pfn != 0 || head.end_pfn >= GUEST_PFNS_MAX ||
	    (record->length - sizeof(head)) / sizeof(uint64_t) != head.end_pfn / PER_PAGE + 1 ||
	    record->length % sizeof(uint64_t) != 0)
		return stream_in_damaged(e, "its list of frames has a wrong length");
	/* A guest that runs while it is sent may move its list. It does not get longer. */
	if (r->nr_pfns != 0 && r->nr_pfns != (uint64_t)head.end_pfn + 1)
		return stream_in_damaged(e, "it has two lists of frames");
	body.length -= (uint32_t)sizeof(head);
	rc = stream_in_body(&r->in, &body, &frames, e);
	if (rc)
		return rc;
	free(r->list_frames);
	r->list_frames = frames;
	if (r->nr_pfns != 0)
		return 0;
	r->nr_list_frames = head.end_pfn / PER_PAGE + 1;
	r->nr_pfns = (uint64_t)head.end_pfn + 1;
	return r->nr_pfns <= r->pages ? allocate_all(r, e) : 0;
}

/* --- PAGE_DATA --- */

struct page_batch {
	uint64_t words[STREAM_BATCH];
	xen_pfn_t mfns[STREAM_BATCH]; /* of the pages with data, in the stream's order */
	uint8_t levels[STREAM_BATCH]; /* of the same pages; 1 to 4: a page table */
	unsigned int count, with_data;
	struct wanted wanted;
};

static bool type_known(uint32_t type)
{
	uint32_t level = (type & XEN_DOMCTL_PFINFO_LTABTYPE_MASK) >> TYPE_SHIFT;

	if (type >= XEN_DOMCTL_PFINFO_BROKEN)
		return true;
	/* Only a page table can be pinned. */
	return level <= 4 && (level != 0 || type == XEN_DOMCTL_PFINFO_NOTAB);
}

/* Notes the type of a page. The page has memory already, or waits for it in `wanted`. */
static int take_word(struct restore *r, struct page_batch *b, uint64_t word, struct error **e)
{
	uint64_t pfn = word & STREAM_PFN_MASK;
	uint32_t type = (uint32_t)(word >> STREAM_TYPE_SHIFT) & XEN_DOMCTL_PFINFO_LTAB_MASK;
	uint64_t *known = find_word(r, pfn);
	int rc = 0;

	if (pfn >= r->nr_pfns)
		return stream_in_damaged(e, "it has a page %#llx of %#llx", (unsigned long long)pfn,
					 (unsigned long long)r->nr_pfns);
	if (!type_known(type) || word & ~(STREAM_PFN_MASK | 0xfULL << 60))
		return stream_in_damaged(e, "page %#llx is of an unknown type",
					 (unsigned long long)pfn);
	if (known && type == XEN_DOMCTL_PFINFO_XTAB)
		rc = release_frame(r, known, e);
	else if (known && type != XEN_DOMCTL_PFINFO_BROKEN && was_released(*known))
		rc = want_again(r, pfn, known, e);
	else if (!known && type != XEN_DOMCTL_PFINFO_XTAB && type != XEN_DOMCTL_PFINFO_BROKEN)
		rc = want(r, &b->wanted, pfn, &known, e);
	if (rc == 0 && known) {
		r->nr_pages += (*known & ~STREAM_PFN_MASK) == FRAME_UNSEEN;
		*known = (*known & STREAM_PFN_MASK) | (word & ~STREAM_PFN_MASK);
	}
	return rc;
}

/* Checks the record's words, and allocates memory for their pages. */
static int take_words(struct restore *r, struct page_batch *b, struct error **e)
{
	int rc = 0;

	for (unsigned int i = 0; i < b->count && rc == 0; i++)
		rc = take_word(r, b, b->words[i], e);
	if (rc == 0)
		rc = allocate_wanted(r, &b->wanted, e);
	for (unsigned int i = 0; i < b->count && rc == 0; i++) {
		uint32_t type =
			(uint32_t)(b->words[i] >> STREAM_TYPE_SHIFT) & XEN_DOMCTL_PFINFO_LTAB_MASK;

		if (type >= XEN_DOMCTL_PFINFO_BROKEN)
			continue;
		b->mfns[b->with_data] = restore_pfn_to_mfn(r, b->words[i] & STREAM_PFN_MASK);
		b->levels[b->with_data++] = (type & XEN_DOMCTL_PFINFO_LTABTYPE_MASK) >> TYPE_SHIFT;
	}
	return rc;
}

/*
 * Clears the pages without data: they were zero. New memory may hold what its last owner left there
 * (hv_clear_frames()).
 */
static int clear_empty(struct restore *r, const struct page_batch *b, struct error **e)
{
	xen_pfn_t mfns[STREAM_BATCH];
	size_t count = 0;

	for (unsigned int i = 0; i < b->count; i++)
		if (((uint32_t)(b->words[i] >> STREAM_TYPE_SHIFT) & XEN_DOMCTL_PFINFO_LTAB_MASK) ==
		    XEN_DOMCTL_PFINFO_XALLOC)
			mfns[count++] = restore_pfn_to_mfn(r, b->words[i] & STREAM_PFN_MASK);
	return count > 0 ? hv_clear_frames(r->hv, r->domid, mfns, count, e) : 0;
}

/* Allocates the frames that a page table points to, then replaces its pfns by machine frames. */
static int localise(struct restore *r, struct page_batch *b, uint64_t *table, unsigned int level,
		    struct error **e)
{
	/*
	 * Work on a copy, so that what is checked is what is translated, although nobody should
	 * change the guest's memory now.
	 */
	uint64_t copy[PER_PAGE];
	uint64_t *word, bad = 0;
	int rc = 0;

	memcpy(copy, table, sizeof(copy));
	for (unsigned int i = 0; i < PER_PAGE && rc == 0 && !r->words; i++) {
		uint64_t pfn = (copy[i] & PTE_FRAME) / STREAM_PAGE;

		if (!(copy[i] & PTE_PRESENT) || pfn >= r->nr_pfns)
			continue;
		word = find_word(r, pfn);
		if (!word) {
			rc = want(r, &b->wanted, pfn, &word, e);
		} else if (was_released(*word)) {
			rc = want_again(r, pfn, word, e);
			*word = (*word & STREAM_PFN_MASK) | FRAME_UNSEEN;
		}
	}
	if (rc == 0)
		rc = allocate_wanted(r, &b->wanted, e);
	if (rc == 0 && frames_translate_table(copy, table, level, restore_pfn_to_mfn, r, &bad))
		rc = stream_in_damaged(e, "a page table leads to frame %#llx",
				       (unsigned long long)bad);
	return rc;
}

static int read_pages(struct restore *r, struct page_batch *b, struct error **e)
{
	char *window = hv_map_frames(r->hv, r->domid, PROT_READ | PROT_WRITE, b->mfns, NULL,
				     b->with_data, e);
	int rc;

	if (!window)
		return -EFAULT;
	rc = stream_in_read(&r->in, window, (size_t)b->with_data * STREAM_PAGE, e);
	for (unsigned int i = 0; i < b->with_data && rc == 0; i++)
		if (b->levels[i] != 0)
			rc = localise(r, b, (uint64_t *)(window + (size_t)i * STREAM_PAGE),
				      b->levels[i], e);
	hv_unmap_frames(r->hv, window, b->with_data);
	return rc;
}

int restore_page_data(struct restore *r, const struct stream_record *record, struct error **e)
{
	struct page_batch b = { .count = 0 };
	struct stream_page_data head;
	size_t words;
	int rc;

	if (r->nr_pfns == 0 || record->length < sizeof(head))
		return stream_in_damaged(e, "it has pages too early");
	rc = stream_in_read(&r->in, &head, sizeof(head), e);
	if (rc)
		return rc;
	words = (size_t)head.count * sizeof(b.words[0]);
	if (head.count == 0 || head.count > STREAM_BATCH || record->length - sizeof(head) < words)
		return stream_in_damaged(e, "it has %u pages in a record", head.count);
	b.count = head.count;
	rc = stream_in_read(&r->in, b.words, words, e);
	if (rc == 0)
		rc = take_words(r, &b, e);
	if (rc == 0 && record->length != sizeof(head) + words + (size_t)b.with_data * STREAM_PAGE)
		rc = stream_in_damaged(e, "a record of pages has a wrong length");
	if (rc == 0)
		rc = clear_empty(r, &b, e);
	if (rc == 0 && b.with_data > 0)
		rc = read_pages(r, &b, e);
	if (rc == 0)
		rc = stream_in_skip(&r->in, stream_padding(record->length), e);
	r->progress("memory", r->nr_pages, r->nr_pfns);
	return rc;
}
