/* SPDX-License-Identifier: MIT */
/*
 * Follows a running guest's list. p2m->frames leads from machine frames to pfns; an entry of it
 * counts only while mfns[] agrees, so that a frame that the guest gives back needs no search there.
 */
#include "worker/stream/live_frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "worker/stream/bitmap.h"
#include "worker/stream/format.h"

#define PER_PAGE 512
/* A list that is much longer than the memory that it is for would take too much of ours. */
#define SPARE_PFNS (1ULL << 20)

uint64_t live_frames_mfn_to_pfn(void *context, uint64_t mfn)
{
	struct live_frames *f = context;
	const struct frame_entry *entry = frame_map_find(&f->p2m->frames, mfn);
	uint64_t pfn = entry ? entry->value & STREAM_PFN_MASK : FRAME_INVALID;

	return entry && f->mfns[pfn] == mfn ? pfn : FRAME_INVALID;
}

static int no_memory(struct error **e)
{
	return error_set(e, ENOMEM, "Out of memory for the list of the domain's pages.");
}

/* Forgets the frames that the guest has given back. */
static int rebuild(struct live_frames *f, struct error **e)
{
	uint64_t limit = f->p2m->frames.limit;
	int rc;

	frame_map_free(&f->p2m->frames);
	rc = frame_map_init(&f->p2m->frames, limit, f->max_pages);
	for (uint64_t pfn = 0; pfn < f->p2m->nr_pfns && rc == 0; pfn++)
		if (f->mfns[pfn])
			rc = frame_map_add(&f->p2m->frames, f->mfns[pfn], pfn);
	if (rc == -ENOSPC)
		return error_set(e, EINVAL, "The domain's list names more frames than it has.");
	return rc ? no_memory(e) : 0;
}

static int put(struct live_frames *f, uint64_t pfn, uint64_t mfn, uint64_t *changed,
	       struct error **e)
{
	struct frame_entry *entry;
	int rc = 0;

	if (f->mfns[pfn] == mfn)
		return 0;
	f->mfns[pfn] = mfn;
	bitmap_set(changed, pfn);
	entry = mfn ? frame_map_find(&f->p2m->frames, mfn) : NULL;
	if (entry)
		entry->value = pfn;
	else if (mfn)
		rc = frame_map_add(&f->p2m->frames, mfn, pfn);
	if (rc == -ENOSPC)
		return rebuild(f, e);
	return rc ? no_memory(e) : 0;
}

/* Reads one page of the list again. */
static int read_part(struct live_frames *f, uint64_t part, uint64_t *changed, struct error **e)
{
	uint64_t first = part * PER_PAGE, count = f->p2m->nr_pfns - first;
	xen_pfn_t frame = f->p2m->list_frames[part], mfns[PER_PAGE], owned[PER_PAGE];
	const uint64_t *list = hv_map_frames(f->hv, f->domid, PROT_READ, &frame, NULL, 1, e);
	unsigned int asked = 0;
	int rc;

	if (!list)
		return -EFAULT;
	count = count < PER_PAGE ? count : PER_PAGE;
	for (uint64_t i = 0; i < count; i++) {
		/* Once: the guest may change it meanwhile. */
		mfns[i] = __atomic_load_n(&list[i], __ATOMIC_RELAXED);
		if (mfns[i] > f->max_mfn)
			mfns[i] = 0;
		else if (mfns[i])
			owned[asked++] = mfns[i];
	}
	hv_unmap_frames(f->hv, (void *)(uintptr_t)list, 1);
	rc = asked ? hv_frames_info(f->hv, f->domid, owned, asked, e) : 0;
	asked = 0;
	for (uint64_t i = 0; i < count && rc == 0; i++) {
		if (mfns[i] &&
		    (owned[asked++] & XEN_DOMCTL_PFINFO_LTAB_MASK) == XEN_DOMCTL_PFINFO_XTAB)
			mfns[i] = 0;
		rc = put(f, first + i, mfns[i], changed, e);
	}
	return rc;
}

/* The guest's own numbers of the list's frames. */
static int number_list(struct live_frames *f, struct error **e)
{
	for (uint64_t i = 0; i < f->p2m->nr_list_frames; i++) {
		f->list_pfns[i] = live_frames_mfn_to_pfn(f, f->p2m->list_frames[i]);
		if (f->list_pfns[i] == FRAME_INVALID)
			return error_set(e, EINVAL,
					 "A part of the list of the domain's memory is not in it.");
	}
	return 0;
}

int live_frames_read(struct live_frames *f, struct guest_p2m *p2m, struct hv *hv, uint32_t domid,
		     const struct shared_info *shared, uint64_t max_mfn, uint64_t max_pages,
		     struct error **e)
{
	int rc;

	*f = (struct live_frames){ .p2m = p2m,
				   .hv = hv,
				   .domid = domid,
				   .max_mfn = max_mfn,
				   .max_pages = max_pages,
				   .arch = shared->arch };
	if (f->arch.max_pfn > 2 * max_pages + SPARE_PFNS)
		return error_set(e, EINVAL,
				 "The list of the domain's memory is far longer than its memory.");
	/* While it is read, a page may move from one number to another, and be counted twice. */
	rc = guest_p2m_read(p2m, hv, domid, shared, max_mfn, 2 * max_pages, e);
	if (rc)
		return rc;
	if (p2m->nr_pfns != f->arch.max_pfn)
		return error_set(e, EAGAIN, "The list of the domain's memory is growing.");
	f->mfns = calloc(p2m->nr_pfns, sizeof(*f->mfns));
	f->list_pfns = calloc(p2m->nr_list_frames, sizeof(*f->list_pfns));
	if (!f->mfns || !f->list_pfns)
		return no_memory(e);
	for (uint32_t i = 0; i < p2m->frames.count; i++)
		f->mfns[p2m->frames.entries[i].value & STREAM_PFN_MASK] =
			p2m->frames.entries[i].frame;
	return number_list(f, e);
}

int live_frames_update(struct live_frames *f, const uint64_t *dirty, uint64_t *changed,
		       struct error **e)
{
	int rc = 0;

	for (uint64_t i = 0; i < f->p2m->nr_list_frames && rc == 0; i++)
		if (bitmap_test(dirty, f->list_pfns[i]))
			rc = read_part(f, i, changed, e);
	return rc;
}

static bool list_may_have_moved(const struct live_frames *f, const struct arch_shared_info *now)
{
	/* A guest whose list is a tree changes the tree without a word. */
	return now->p2m_cr3 == 0 || now->p2m_cr3 != f->arch.p2m_cr3 ||
	       now->p2m_vaddr != f->arch.p2m_vaddr || now->p2m_generation != f->arch.p2m_generation;
}

int live_frames_find_again(struct live_frames *f, const struct shared_info *shared,
			   uint64_t *changed, bool *moved, struct error **e)
{
	struct arch_shared_info now = shared->arch;
	uint64_t *before;
	int rc;

	*moved = false;
	if (now.max_pfn != f->arch.max_pfn)
		return error_set(e, EAGAIN, "The list of the domain's memory has grown meanwhile.");
	if (!list_may_have_moved(f, &now))
		return 0;
	before = malloc(f->p2m->nr_list_frames * sizeof(*before));
	if (!before)
		return no_memory(e);
	memcpy(before, f->p2m->list_frames, f->p2m->nr_list_frames * sizeof(*before));
	rc = guest_p2m_find_list(f->p2m, f->hv, f->domid, &now, e);
	for (uint64_t i = 0; i < f->p2m->nr_list_frames && rc == 0; i++) {
		if (before[i] == f->p2m->list_frames[i])
			continue;
		*moved = true;
		rc = read_part(f, i, changed, e);
	}
	free(before);
	if (rc == 0 && *moved)
		rc = number_list(f, e);
	f->arch = now;
	return rc;
}

void live_frames_free(struct live_frames *f)
{
	free(f->mfns);
	free(f->list_pfns);
	*f = (struct live_frames){ 0 };
}
