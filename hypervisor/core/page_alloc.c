/* SPDX-License-Identifier: MIT */
/*
 * The allocator of RAM: a buddy system for each zone. Zone z holds the frames whose number has z significant bits, so
 * machine addresses below 2^(z + 12); an allocation comes from the highest zone that its address limit allows, which
 * keeps low memory for those who need it.
 *
 * Freed memory is dirty (PGC_SCRUB on each frame) until somebody has cleared it: an idle CPU (page_alloc_scrub_some),
 * or else the next allocation of it. Either calls arch_page_reused first: what a CPU wrote through an old translation
 * after the frame was cleared would be there for the next owner.
 *
 * heap_lock [H] covers the free blocks and the claims. Clearing and flushing are done outside of it: a block that was
 * taken out belongs to who took it.
 */
#include "hv/mm.h"

#include "core/buddy.h"
#include "core/page_alloc.h"
#include "hv/arch.h"
#include "hv/atomic.h"
#include "hv/console.h"
#include "hv/time.h"
#include "lib/errno.h"

#define NR_ZONES       33 /* struct page_info links frames by 32-bit numbers */
#define SCRUB_ORDER    5  /* what page_alloc_scrub_some clears at once: 128 KiB */
#define SCRUB_WAIT_MAX 1000000

static DEFINE_SPINLOCK(heap_lock, LOCK_HEAP);
static struct buddy zones[NR_ZONES];	       /* [H] */
static bool zones_ready;		       /* set at boot */
static unsigned long zone_scrubbing[NR_ZONES]; /* [H] taken out by page_alloc_scrub_some: free, but not at hand */
static unsigned long nr_scrubbing;	       /* [H] their sum */
static unsigned long nr_free;		       /* [H] frames in all zones, those being scrubbed included */
static unsigned long nr_claimed;	       /* [H] sum of all d->claimed_pages */
static unsigned long nr_dirty;		       /* [A] free frames with PGC_SCRUB */
static unsigned long nr_held;		       /* frames that page_alloc_hold_range kept; boot only */

static unsigned int zone_of(mfn_t mfn)
{
	return mfn_x(mfn) ? 64 - (unsigned int)__builtin_clzl(mfn_x(mfn)) : 0;
}

/* The highest zone all of whose addresses are below 2^bits; -1: none. */
static int zone_limit(unsigned int bits)
{
	if (!bits || bits - 1 >= NR_ZONES - 1 + PAGE_SHIFT)
		return NR_ZONES - 1;
	return (int)bits - PAGE_SHIFT;
}

/* --- giving blocks back --- */

/* Caller holds heap_lock. The frames' count_info is set. */
static void block_add(struct page_info *pg, unsigned int order, bool dirty)
{
	buddy_insert(&zones[zone_of(page_to_mfn(pg))], pg, order, dirty ? 0 : BUDDY_CLEAN);
	nr_free += 1UL << order;
}

static void block_mark_free(struct page_info *pg, unsigned int order, bool dirty)
{
	u32 flags = (u32)(PGC_STATE_FREE | (dirty ? PGC_SCRUB : 0));

	for (unsigned long i = 0; i < 1UL << order; i++) {
		pg[i].owner = 0;
		pg[i].count_info = flags;
	}
	if (dirty)
		(void)atomic_add_return(&nr_dirty, 1UL << order);
}

static void block_free(struct page_info *pg, unsigned int order, bool dirty)
{
	arch_page_freed(pg, order);
	block_mark_free(pg, order, dirty);
	spin_lock(&heap_lock);
	block_add(pg, order, dirty);
	spin_unlock(&heap_lock);
}

void page_free(struct page_info *pg, unsigned int order)
{
	ASSERT(!pg->owner && !(pg->count_info & (PGC_COUNT_MASK | PGC_STATE_FREE)));
	block_free(pg, order, true);
}

void page_alloc_release(struct page_info *pg)
{
	block_free(pg, 0, true);
}

static void zones_init(void)
{
	for (unsigned int z = 0; z < NR_ZONES; z++)
		buddy_init(&zones[z], MAX_ORDER, 0);
	zones_ready = true;
}

void page_alloc_hold_range(paddr_t start, paddr_t end)
{
	for (unsigned long mfn = start >> PAGE_SHIFT; mfn < end >> PAGE_SHIFT; mfn++) {
		struct page_info *pg = mfn_to_page(MFN(mfn));

		pg->count_info = (u32)PGC_HV;
		pg->owner = 0;
		nr_held++;
	}
}

void page_alloc_add_range(paddr_t start, paddr_t end)
{
	unsigned long mfn = ROUND_UP(start, PAGE_SIZE) >> PAGE_SHIFT, last = end >> PAGE_SHIFT;

	if (!zones_ready)
		zones_init();
	/* Frame 0 is nobody's: number 0 means "none" in too many places outside. */
	mfn = max(mfn, 1UL);
	while (mfn < last) {
		struct page_info *pg = mfn_to_page(MFN(mfn));
		unsigned int order = min((unsigned int)__builtin_ctzl(mfn), (unsigned int)MAX_ORDER);

		while (mfn + (1UL << order) > last)
			order--;
		if (pg->count_info & PGC_HV)
			nr_held -= min(nr_held, 1UL << order);
		block_mark_free(pg, order, true);
		spin_lock(&heap_lock);
		block_add(pg, order, true);
		spin_unlock(&heap_lock);
		mfn += 1UL << order;
	}
}

unsigned long page_alloc_held_count(void)
{
	return nr_held;
}

/* --- taking blocks --- */

/* Caller holds heap_lock. Frames that claims leave for d (NULL: somebody without a claim). */
static unsigned long frames_available(const struct domain *d)
{
	unsigned long others = nr_claimed - (d ? d->claimed_pages : 0);

	return nr_free > others ? nr_free - others : 0;
}

static struct page_info *zones_take(unsigned int order, unsigned int memf)
{
	enum buddy_preference prefer = memf & MEMF_NO_SCRUB ? BUDDY_PREFER_DIRTY : BUDDY_PREFER_CLEAN;

	for (int z = zone_limit(MEMF_GET_BITS(memf)); z >= 0; z--) {
		struct page_info *pg = zones[z].nonempty ? buddy_take(&zones[z], order, prefer) : NULL;

		if (pg)
			return pg;
	}
	return NULL;
}

/* A block off the free lists. *claim: how much of d's claim it used up. */
static struct page_info *block_take(struct domain *d, unsigned int order, unsigned int memf, unsigned int *claim)
{
	unsigned long n = 1UL << order;
	struct page_info *pg = NULL;
	bool scrubbing = true;

	for (unsigned int tries = 0; !pg && scrubbing && tries < SCRUB_WAIT_MAX; tries++) {
		spin_lock(&heap_lock);
		if (n > frames_available(d)) {
			spin_unlock(&heap_lock);
			return NULL;
		}
		pg = zones_take(order, memf);
		if (pg) {
			nr_free -= n;
			*claim = d ? (unsigned int)min((unsigned long)d->claimed_pages, n) : 0;
			nr_claimed -= *claim;
			if (d)
				d->claimed_pages -= *claim;
		}
		/*
		 * The last free frames may be in the hands of a CPU that clears them: it gives them back in a moment.
		 */
		scrubbing = nr_scrubbing != 0;
		spin_unlock(&heap_lock);
		if (!pg)
			cpu_relax();
	}
	return pg;
}

static void claim_restore(struct domain *d, unsigned int claim)
{
	if (!claim)
		return;
	spin_lock(&heap_lock);
	d->claimed_pages += claim;
	nr_claimed += claim;
	spin_unlock(&heap_lock);
}

/* Makes a block that was taken out ready for its next use: no stale translations, cleared, no flags. */
static void block_prepare(struct page_info *pg, unsigned int order, bool clear)
{
	unsigned long dirty = 0;

	arch_page_reused(pg, order);
	for (unsigned long i = 0; i < 1UL << order; i++) {
		if (pg[i].count_info & PGC_SCRUB) {
			dirty++;
			if (clear)
				frame_clear(page_to_mfn(pg + i));
		}
		pg[i].count_info = 0;
		pg[i].next = pg[i].prev = PAGE_LIST_NULL;
	}
	if (dirty)
		(void)atomic_sub_return(&nr_dirty, dirty);
}

struct page_info *page_alloc(struct domain *d, unsigned int order, unsigned int memf)
{
	bool counted = d && !(memf & (MEMF_NO_ASSIGN | MEMF_NO_REFCOUNT));
	unsigned int claim = 0;
	struct page_info *pg;

	if (order > MAX_ORDER)
		return NULL;
	/* Looked at again, under the lock, when the frames are assigned; here it saves the work. */
	if (counted && (u64)READ_ONCE(d->tot_pages) + (1UL << order) > READ_ONCE(d->max_pages))
		return NULL;
	pg = block_take(counted ? d : NULL, order, memf, &claim);
	if (!pg)
		return NULL;
	block_prepare(pg, order, !(memf & MEMF_NO_SCRUB));
	if (d && !(memf & MEMF_NO_ASSIGN) && page_assign_prepared(d, pg, order, memf)) {
		block_free(pg, order, memf & MEMF_NO_SCRUB);
		claim_restore(d, claim);
		return NULL;
	}
	return pg;
}

/* --- scrubbing --- */

/*
 * How often the scrubber has other CPUs flush, at most. A domain that gives back one frame after the other would
 * otherwise have it interrupt them for each. One flush is good for all that was freed before it.
 */
#define SCRUB_FLUSH_INTERVAL MILLISECS(10)

/* Of the CPU that scrubs. */
static s_time_t scrub_flush_next; /* not earlier than that */
static s_time_t scrub_resume;	  /* a block waits for that; 0: none does */

/* A block that may be dirty, off the free lists of zone *z; NULL: there is none. */
static struct page_info *scrub_take(unsigned int *z, unsigned int *order)
{
	struct page_info *pg = NULL;

	spin_lock(&heap_lock);
	for (*z = NR_ZONES; !pg && (*z)-- > 0;)
		if (zones[*z].nonempty)
			pg = buddy_take_dirty(&zones[*z], SCRUB_ORDER, order);
	if (pg) {
		zone_scrubbing[*z] += 1UL << *order;
		nr_scrubbing += 1UL << *order;
	}
	spin_unlock(&heap_lock);
	return pg;
}

static void scrub_give_back(struct page_info *pg, unsigned int z, unsigned int order, unsigned int first_dirty)
{
	spin_lock(&heap_lock);
	zone_scrubbing[z] -= 1UL << order;
	nr_scrubbing -= 1UL << order;
	buddy_insert(&zones[z], pg, order, first_dirty);
	spin_unlock(&heap_lock);
}

/* May other CPUs be interrupted for this block now, if that is needed? */
static bool scrub_may_begin(const struct page_info *pg, unsigned int order)
{
	s_time_t now;

	if (!arch_page_reuse_interrupts(pg, order))
		return true;
	now = time_now();
	if (now < scrub_flush_next) {
		scrub_resume = scrub_flush_next;
		return false;
	}
	scrub_flush_next = now + SCRUB_FLUSH_INTERVAL;
	return true;
}

static void scrub_block(struct page_info *pg, unsigned int order)
{
	unsigned long cleared = 0;

	arch_page_reused(pg, order);
	for (unsigned long i = 0; i < 1UL << order; i++) {
		if (pg[i].count_info & PGC_SCRUB) {
			frame_clear(page_to_mfn(pg + i));
			pg[i].count_info &= ~(u32)PGC_SCRUB;
			cleared++;
		}
	}
	(void)atomic_sub_return(&nr_dirty, cleared);
}

bool page_alloc_scrub_some(void)
{
	struct page_info *pg;
	unsigned int z, order;

	if (!READ_ONCE(nr_dirty) || (scrub_resume && time_now() < scrub_resume))
		return false;
	scrub_resume = 0;
	pg = scrub_take(&z, &order);
	if (!pg)
		return false;
	if (!scrub_may_begin(pg, order)) {
		scrub_give_back(pg, z, order, 0);
		return false;
	}
	scrub_block(pg, order);
	scrub_give_back(pg, z, order, BUDDY_CLEAN);
	return true;
}

unsigned long page_alloc_dirty_count(void)
{
	return READ_ONCE(nr_dirty);
}

/* --- counts and claims --- */

unsigned long page_alloc_free_count(void)
{
	return READ_ONCE(nr_free) + hv_heap_free_count();
}

unsigned long page_alloc_free_in(unsigned int min_bits, unsigned int max_bits)
{
	unsigned long sum = 0;

	spin_lock(&heap_lock);
	for (unsigned int z = 0; z < NR_ZONES; z++)
		if (z + PAGE_SHIFT >= min_bits && (!max_bits || z + PAGE_SHIFT <= max_bits))
			sum += zones[z].nr_free + zone_scrubbing[z];
	spin_unlock(&heap_lock);
	return sum;
}

int page_claim(struct domain *d, unsigned long pages)
{
	unsigned long more;
	int err = 0;

	spin_lock(&d->page_lock);
	spin_lock(&heap_lock);
	if (!pages) {
		nr_claimed -= d->claimed_pages;
		d->claimed_pages = 0;
	} else if (d->claimed_pages || domain_is_dying(d) || pages < d->tot_pages || pages > d->max_pages) {
		err = -EINVAL;
	} else {
		more = pages - d->tot_pages;
		if (more > frames_available(NULL)) {
			err = -ENOMEM;
		} else {
			d->claimed_pages = (u32)more;
			nr_claimed += more;
		}
	}
	spin_unlock(&heap_lock);
	spin_unlock(&d->page_lock);
	return err;
}

unsigned long page_claimed_total(void)
{
	return READ_ONCE(nr_claimed);
}
