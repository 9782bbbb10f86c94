/* SPDX-License-Identifier: MIT */
/*
 * Grant tables: the shared frames, and the pins of their entries. core/grant/grant.h explains both.
 */
#include "core/grant/grant.h"

#include "hv/arch/frame.h"
#include "hv/arch/map.h"
#include "hv/console.h"
#include "hv/hv_heap.h"
#include "lib/errno.h"

/* The largest limits that a builder may ask for. */
#define MAX_FRAMES	    4096
#define MAX_MAPTRACK_FRAMES 65536
/* After so many changes of an entry by the granter during one claim, the claim fails. */
#define CMPXCHG_TRIES 4

/* flags and domid of an entry are in one word, so that they are read and changed together. */
union grant_head {
	u32 word;
	struct {
		u16 flags;
		domid_t domid;
	};
};
_Static_assert(offsetof(grant_entry_v1_t, domid) == 2 && sizeof(grant_entry_v1_t) == 8,
	       "xen/grant_table.h");

int grant_domain_create(struct domain *d, unsigned int max_frames, unsigned int max_maptrack_frames)
{
	struct grant_table *gt;

	if (!max_frames || max_frames > MAX_FRAMES || max_maptrack_frames > MAX_MAPTRACK_FRAMES)
		return -EINVAL;
	gt = hv_alloc(sizeof(*gt));
	if (!gt)
		return -ENOMEM;
	spin_lock_init(&gt->lock, LOCK_GRANT);
	gt->max_frames = max_frames;
	gt->max_maptrack_frames = max_maptrack_frames;
	gt->maptrack_free = MAPTRACK_NONE;
	d->grants = gt;
	gt->shared = hv_alloc(max_frames * sizeof(*gt->shared));
	gt->active = hv_alloc(max_frames * sizeof(*gt->active));
	if (max_maptrack_frames)
		gt->maptrack = hv_alloc(max_maptrack_frames * sizeof(*gt->maptrack));
	/* On an error the caller destroys the domain, and that frees what was allocated. */
	return gt->shared && gt->active && (gt->maptrack || !max_maptrack_frames) ? 0 : -ENOMEM;
}

void grant_domain_free(struct domain *d)
{
	struct grant_table *gt = d->grants;

	for (unsigned int i = 0; i < gt->nr_frames; i++) {
		shared_page_free(gt->shared[i]);
		hv_free(gt->active[i]);
	}
	hv_free(gt->shared);
	hv_free(gt->active);
	maptrack_free_all(gt);
	hv_free(gt->maptrack);
	hv_free(gt);
	d->grants = NULL;
}

unsigned int grant_max_frames(const struct domain *d)
{
	return d->grants->max_frames;
}

int grant_grow(struct domain *d, unsigned int frames)
{
	struct grant_table *gt = d->grants;
	int err = 0;

	if (frames > gt->max_frames)
		return -EINVAL;
	spin_lock(&gt->lock);
	while (!err && gt->nr_frames < frames) {
		grant_entry_v1_t *shared = shared_page_alloc(d, true);
		struct active_grant *active = hv_alloc(GRANTS_PER_FRAME * sizeof(*active));

		if (shared && active) {
			gt->shared[gt->nr_frames] = shared;
			gt->active[gt->nr_frames++] = active;
			continue;
		}
		if (shared)
			shared_page_free(shared);
		hv_free(active);
		err = -ENOMEM;
	}
	spin_unlock(&gt->lock);
	return err;
}

int grant_get_shared_frame(struct domain *d, unsigned int idx, mfn_t *mfn)
{
	int err;

	if (idx >= d->grants->max_frames)
		return -EINVAL;
	err = grant_grow(d, idx + 1);
	if (!err)
		*mfn = virt_to_mfn(d->grants->shared[idx]);
	return err;
}

/* gt->lock held, ref is below the table's size. */
static grant_entry_v1_t *shared_entry(const struct grant_table *gt, u32 ref)
{
	return gt->shared[ref / GRANTS_PER_FRAME] + ref % GRANTS_PER_FRAME;
}

static struct active_grant *active_entry(const struct grant_table *gt, u32 ref)
{
	return gt->active[ref / GRANTS_PER_FRAME] + ref % GRANTS_PER_FRAME;
}

/*
 * Sets GTF_reading, and for write access GTF_writing, if the entry grants that access to `user`.
 * Retries a few times if the granter changes the entry meanwhile. Caller holds gt->lock.
 */
static int entry_claim(grant_entry_v1_t *entry, domid_t user, enum grant_access access)
{
	u32 *word = (u32 *)entry;
	union grant_head old, new;

	old.word = READ_ONCE(*word);
	for (unsigned int tries = 0; tries < CMPXCHG_TRIES; tries++) {
		if ((old.flags & GTF_type_mask) != GTF_permit_access || old.domid != user ||
		    (old.flags & GTF_sub_page))
			return GNTST_general_error;
		new = old;
		new.flags |= GTF_reading;
		if (access == GRANT_WRITE) {
			if (old.flags & GTF_readonly)
				return GNTST_general_error;
			new.flags |= GTF_writing;
		}
		if (atomic_cmpxchg(word, &old.word, new.word))
			return GNTST_okay;
	}
	return GNTST_general_error;
}

static void entry_release(grant_entry_v1_t *entry, u16 flags)
{
	atomic_and(&entry->flags, (u16)~flags);
}

/*
 * Takes the references that `access` adds to those that the active entry has. The first of them
 * finds the frame that d calls gfn. Only d's own RAM can be granted, not pages that the hypervisor
 * shares with d. Caller holds gt->lock.
 */
static int take_references(struct domain *d, struct active_grant *act, gfn_t gfn,
			   enum grant_access access)
{
	bool first = !act->readers && !act->writers;
	struct page_info *pg;
	mfn_t mfn;

	if (!first) {
		pg = mfn_to_page(MFN(act->frame));
	} else {
		pg = guest_frame_get(d, gfn, &mfn);
		if (!pg)
			return GNTST_bad_page;
		if (READ_ONCE(pg->count_info) & PGC_HV) {
			page_put(pg);
			return GNTST_bad_page;
		}
		act->frame = (u32)mfn_x(mfn);
	}
	if (access == GRANT_WRITE && !act->writers && arch_page_get_writable(pg)) {
		if (first)
			page_put(pg);
		return GNTST_general_error;
	}
	return GNTST_okay;
}

/* gt->lock held. */
static int pin_locked(struct domain *d, struct grant_table *gt, u32 ref, domid_t user,
		      enum grant_access access, mfn_t *frame)
{
	grant_entry_v1_t *entry = shared_entry(gt, ref);
	struct active_grant *act = active_entry(gt, ref);
	bool first = !act->readers && !act->writers;
	u16 *count = access == GRANT_WRITE ? &act->writers : &act->readers;
	gfn_t gfn = INVALID_GFN;
	int status;

	if (domain_is_dying(d) || (!first && act->user != user))
		return GNTST_general_error;
	if (*count == 0xffff)
		return GNTST_no_space;
	if (first || (access == GRANT_WRITE && !act->writers)) {
		status = entry_claim(entry, user, access);
		if (status != GNTST_okay)
			return status;
		if (first) {
			/*
			 * The one read of the frame number: if the granter changes the entry now,
			 * nobody looks.
			 */
			gfn = GFN(READ_ONCE(entry->frame));
			act->user = user;
		}
	}
	status = take_references(d, act, gfn, access);
	if (unlikely(status != GNTST_okay)) {
		entry_release(entry, first ? GTF_reading | GTF_writing : GTF_writing);
		return status;
	}
	(*count)++;
	*frame = MFN(act->frame);
	return GNTST_okay;
}

__flatten int grant_pin(struct domain *d, u32 ref, domid_t user, enum grant_access access,
			mfn_t *frame)
{
	struct grant_table *gt = d->grants;
	int status = GNTST_bad_gntref;

	spin_lock(&gt->lock);
	if (ref < gt->nr_frames * GRANTS_PER_FRAME) {
		ref = (u32)index_below(ref, gt->nr_frames * GRANTS_PER_FRAME);
		status = pin_locked(d, gt, ref, user, access, frame);
	}
	spin_unlock(&gt->lock);
	return status;
}

__flatten void grant_unpin(struct domain *d, u32 ref, enum grant_access access)
{
	struct grant_table *gt = d->grants;
	struct active_grant *act;
	struct page_info *pg;
	u16 released = 0;

	spin_lock(&gt->lock);
	act = active_entry(gt, ref);
	pg = mfn_to_page(MFN(act->frame));
	if (access == GRANT_WRITE && --act->writers == 0) {
		arch_page_put_writable(pg);
		released |= GTF_writing;
	} else if (access == GRANT_READ) {
		act->readers--;
	}
	if (!act->readers && !act->writers) {
		page_put(pg);
		released |= GTF_reading;
	}
	/*
	 * As soon as the granter sees these bits cleared, it may use the page as it likes, also for
	 * page tables: so our references are dropped first.
	 */
	if (released)
		entry_release(shared_entry(gt, ref), released);
	spin_unlock(&gt->lock);
}

mfn_t grant_pinned_frame(struct domain *d, u32 ref)
{
	/* The caller's pin keeps the frame fixed, and the table never shrinks. */
	return MFN(READ_ONCE(active_entry(d->grants, ref)->frame));
}

int grant_swap(struct domain *d, u32 a, u32 b)
{
	struct grant_table *gt = d->grants;
	struct active_grant *act_a, *act_b;
	grant_entry_v1_t copy;
	int status = GNTST_bad_gntref;

	spin_lock(&gt->lock);
	if (a < gt->nr_frames * GRANTS_PER_FRAME && b < gt->nr_frames * GRANTS_PER_FRAME) {
		a = (u32)index_below(a, gt->nr_frames * GRANTS_PER_FRAME);
		b = (u32)index_below(b, gt->nr_frames * GRANTS_PER_FRAME);
		act_a = active_entry(gt, a);
		act_b = active_entry(gt, b);
		status = GNTST_eagain;
		if (!act_a->readers && !act_a->writers && !act_b->readers && !act_b->writers) {
			copy = *shared_entry(gt, a);
			*shared_entry(gt, a) = *shared_entry(gt, b);
			*shared_entry(gt, b) = copy;
			status = GNTST_okay;
		}
	}
	spin_unlock(&gt->lock);
	return status;
}
