/* SPDX-License-Identifier: MIT */
/*
 * The allocator of RAM: a buddy system for each zone. Zone z holds the frames whose number has z
 * significant bits: machine addresses below 2^(z + 12). An allocation comes from the highest zone
 * that its address limit allows, which spares low memory for those who need it.
 *
 * Freed memory is dirty (PGC_SCRUB on each frame) until it is cleared: by an idle CPU
 * (page_alloc_scrub_some), or by the next allocation of it. Both call arch_page_reused first.
 * Otherwise a CPU could write through an old translation after the frame was cleared, and the next
 * owner would see that.
 *
 * A single freed frame waits in a queue (`fresh`) before it joins the free blocks. To reuse a frame
 * that was freed a moment ago, every CPU that has not flushed since must flush. A guest that frees
 * one frame and allocates one, over and over, must not get that frame each time. So there is at
 * most one flush for FRESH_MAX freed frames, or for all that are free.
 *
 * heap_lock [H] covers the free blocks and the claims. Clearing and flushing happen outside of it:
 * whoever took a block out of the lists owns it.
 */
#include "hv/page_alloc.h"

#include "core/base/buddy.h"
#include "core/base/page_alloc_internal.h"
#include "hv/arch/frame.h"
#include "hv/arch/map.h"
#include "hv/arch/time.h"
#include "hv/atomic.h"
#include "hv/console.h"
#include "hv/sched.h"
#include "hv/spinlock.h"
#include "hv/timer.h"
#include "lib/errno.h"

#define NR_ZONES       33 /* struct page_info links frames by 32-bit numbers */
#define SCRUB_ORDER    5  /* page_alloc_scrub_some clears 128 KiB at once */
#define SCRUB_WAIT_MAX 1000000
#define FRESH_MAX      256 /* frames of a zone in its queue of fresh frames */

static DEFINE_SPINLOCK(heap_lock, LOCK_HEAP);
static struct buddy zones[NR_ZONES];	 /* [H] */
static struct page_list fresh[NR_ZONES]; /* [H] the frames freed last, oldest first */
static bool zones_ready;		 /* set at boot */
/* [H] Frames that page_alloc_scrub_some has taken out: free, but not available at the moment. */
static unsigned long zone_scrubbing[NR_ZONES];
static unsigned long nr_scrubbing; /* [H] sum of zone_scrubbing */
/* [H] Free frames of all zones, with those in the queues and those being scrubbed. */
static unsigned long nr_free;
static unsigned long nr_fresh;	 /* [H] frames that ever entered a queue */
static unsigned long nr_claimed; /* [H] sum of all d->memory.claimed_pages */
static unsigned long nr_dirty;	 /* [A] free frames with PGC_SCRUB */
static unsigned long nr_held;	 /* frames held by page_alloc_hold_range; boot only */

static unsigned int zone_of(mfn_t mfn)
{
	return mfn_x(mfn) ? 64 - (unsigned int)__builtin_clzl(mfn_x(mfn)) : 0;
}

/* The highest zone whose addresses are all below 2^bits; -1: none. */
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

/* Caller holds heap_lock. The oldest frame of the queue joins the free blocks. */
static void fresh_leave(unsigned int z)
{
	struct page_info *pg = page_list_first(&fresh[z]);

	page_list_del(pg, &fresh[z]);
	buddy_insert(&zones[z], pg, 0, pg->count_info & PGC_SCRUB ? 0 : BUDDY_CLEAN);
}

static void fresh_leave_all(unsigned int z)
{
	while (fresh[z].nr)
		fresh_leave(z);
}

/* Caller holds heap_lock. */
static void fresh_add(struct page_info *pg)
{
	unsigned int z = zone_of(page_to_mfn(pg));

	page_list_add_tail(pg, &fresh[z]);
	nr_free++;
	nr_fresh++;
	if (fresh[z].nr > FRESH_MAX)
		fresh_leave(z);
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

/* A single frame enters the queue first. */
static noinline void frame_free(struct page_info *pg, bool dirty)
{
	arch_page_freed(pg, 0);
	block_mark_free(pg, 0, dirty);
	spin_lock(&heap_lock);
	fresh_add(pg);
	spin_unlock(&heap_lock);
}

static void frames_free(struct page_info *pg, unsigned int order, bool dirty)
{
	if (order)
		block_free(pg, order, dirty);
	else
		frame_free(pg, dirty);
}

void page_free(struct page_info *pg, unsigned int order)
{
	ASSERT(!pg->owner && !(pg->count_info & (PGC_COUNT_MASK | PGC_STATE_FREE)));
	frames_free(pg, order, true);
}

void page_alloc_release(struct page_info *pg, const struct domain *d)
{
	/* A dying domain takes no more frames, and has many to give back: skip the queue. */
	if (domain_is_dying(d))
		block_free(pg, 0, true);
	else
		frame_free(pg, true);
}

static void zones_init(void)
{
	for (unsigned int z = 0; z < NR_ZONES; z++) {
		buddy_init(&zones[z], MAX_ORDER, 0);
		fresh[z] = (struct page_list)PAGE_LIST_INIT;
	}
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
	/* Never give out frame 0: in too many interfaces number 0 means "none". */
	mfn = max(mfn, 1UL);
	while (mfn < last) {
		struct page_info *pg = mfn_to_page(MFN(mfn));
		unsigned int order =
			min((unsigned int)__builtin_ctzl(mfn), (unsigned int)MAX_ORDER);

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

/*
 * Caller holds heap_lock. The number of free frames that others' claims leave for d (NULL: for
 * somebody without a claim).
 */
static unsigned long frames_available(const struct domain *d)
{
	unsigned long others = nr_claimed - (d ? d->memory.claimed_pages : 0);

	return nr_free > others ? nr_free - others : 0;
}

static struct page_info *zones_take(unsigned int order, unsigned int memf)
{
	enum buddy_preference prefer =
		memf & MEMF_NO_SCRUB ? BUDDY_PREFER_DIRTY : BUDDY_PREFER_CLEAN;
	int limit = zone_limit(MEMF_GET_BITS(memf));
	struct page_info *pg;

	for (int z = limit; z >= 0; z--) {
		pg = zones[z].nonempty ? buddy_take(&zones[z], order, prefer) : NULL;
		if (pg)
			return pg;
	}
	/* Frames in the queues may be all that is left, or may merge to a large enough block. */
	for (int z = limit; z >= 0; z--) {
		if (!fresh[z].nr)
			continue;
		fresh_leave_all((unsigned int)z);
		pg = buddy_take(&zones[z], order, prefer);
		if (pg)
			return pg;
	}
	return NULL;
}

/* Takes a block off the free lists. *claim: how many frames of d's claim it used up. */
static struct page_info *block_take(struct domain *d, unsigned int order, unsigned int memf,
				    unsigned int *claim)
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
			*claim = d ? (unsigned int)min((unsigned long)d->memory.claimed_pages, n) :
				     0;
			nr_claimed -= *claim;
			if (d)
				d->memory.claimed_pages -= *claim;
		}
		/*
		 * A CPU that scrubs may hold the last free frames: it gives them back in a moment.
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
	d->memory.claimed_pages += claim;
	nr_claimed += claim;
	spin_unlock(&heap_lock);
}

/* Prepares a block for its next use: no stale translations, cleared if `clear`, no flags. */
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
	/* An early check saves the work. page_assign_prepared checks again, under the lock. */
	if (counted &&
	    (u64)READ_ONCE(d->memory.tot_pages) + (1UL << order) > READ_ONCE(d->memory.max_pages))
		return NULL;
	pg = block_take(counted ? d : NULL, order, memf, &claim);
	if (!pg)
		return NULL;
	block_prepare(pg, order, !(memf & MEMF_NO_SCRUB));
	if (d && !(memf & MEMF_NO_ASSIGN) && page_assign_prepared(d, pg, order, memf)) {
		frames_free(pg, order, memf & MEMF_NO_SCRUB);
		claim_restore(d, claim);
		return NULL;
	}
	return pg;
}

/* --- scrubbing --- */

/*
 * The scrubber makes other CPUs flush at most once in this interval, or once for FRESH_MAX freed
 * frames, whichever comes first. Otherwise a domain that frees frame after frame would cause an
 * interrupt of all CPUs for each. One flush is good for all frames that were freed before it.
 */
#define SCRUB_FLUSH_INTERVAL MILLISECS(10)

/* Used only by the CPU that scrubs. */
static s_time_t scrub_flush_next;	/* end of the interval */
static unsigned long scrub_flush_fresh; /* nr_fresh at the last flush */
static struct timer scrub_timer;	/* set for scrub_flush_next while frames wait for it */

/* Takes a block that may be dirty off the free lists of zone *z; NULL: there is none. */
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

static void scrub_give_back(struct page_info *pg, unsigned int z, unsigned int order,
			    unsigned int first_dirty)
{
	spin_lock(&heap_lock);
	zone_scrubbing[z] -= 1UL << order;
	nr_scrubbing -= 1UL << order;
	buddy_insert(&zones[z], pg, order, first_dirty);
	spin_unlock(&heap_lock);
}

/* May the scrubber make other CPUs flush now, to clear frames that were freed lately? */
static bool scrub_may_interrupt(void)
{
	return READ_ONCE(nr_fresh) - scrub_flush_fresh >= FRESH_MAX ||
	       time_now() >= scrub_flush_next;
}

/* May the scrubber clear this block now? If that needs a flush, counts the flush as done. */
static bool scrub_may_begin(const struct page_info *pg, unsigned int order)
{
	if (!arch_page_reuse_interrupts(pg, order))
		return true;
	if (!scrub_may_interrupt())
		return false;
	scrub_flush_next = time_now() + SCRUB_FLUSH_INTERVAL;
	scrub_flush_fresh = READ_ONCE(nr_fresh);
	return true;
}

/*
 * Called when no free block is dirty. Lets a zone's queue join the free blocks. False: no queue
 * may, for now.
 */
static bool scrub_take_fresh(void)
{
	bool found = false;

	spin_lock(&heap_lock);
	for (int z = NR_ZONES - 1; z >= 0 && !found; z--) {
		/*
		 * If the last frame of the queue needs no flush, none of the queue does: it was
		 * freed last.
		 */
		found = fresh[z].nr &&
			(!arch_page_reuse_interrupts(frame_table + fresh[z].tail, 0) ||
			 scrub_may_interrupt());
		if (found)
			fresh_leave_all((unsigned int)z);
	}
	spin_unlock(&heap_lock);
	return found;
}

/* The timer's CPU may have a vCPU to run by now, so an idle CPU goes on. */
static void scrub_wake(void *unused)
{
	(void)unused;
	sched_wake_idle_cpu();
}

/*
 * This CPU is about to halt. The timer wakes it when other CPUs may be interrupted again. If an
 * allocation holds the dirty frames, the timer wakes it soon.
 */
static void scrub_wait(void)
{
	if (!scrub_timer.fn)
		timer_init(&scrub_timer, scrub_wake, NULL, smp_processor_id());
	if (timer_is_armed(&scrub_timer))
		return;
	timer_migrate(&scrub_timer, smp_processor_id());
	timer_set(&scrub_timer, max(scrub_flush_next, time_now() + MICROSECS(100)));
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

	if (!READ_ONCE(nr_dirty))
		return false;
	pg = scrub_take(&z, &order);
	if (!pg && scrub_take_fresh())
		pg = scrub_take(&z, &order);
	if (pg && scrub_may_begin(pg, order)) {
		scrub_block(pg, order);
		scrub_give_back(pg, z, order, BUDDY_CLEAN);
		return true;
	}
	if (pg)
		scrub_give_back(pg, z, order, 0);
	scrub_wait();
	return false;
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
			sum += zones[z].nr_free + fresh[z].nr + zone_scrubbing[z];
	spin_unlock(&heap_lock);
	return sum;
}

int page_claim(struct domain *d, unsigned long pages)
{
	unsigned long more;
	int err = 0;

	spin_lock(&d->memory.lock);
	spin_lock(&heap_lock);
	if (!pages) {
		nr_claimed -= d->memory.claimed_pages;
		d->memory.claimed_pages = 0;
	} else if (d->memory.claimed_pages || domain_is_dying(d) || pages < d->memory.tot_pages ||
		   pages > d->memory.max_pages) {
		err = -EINVAL;
	} else {
		more = pages - d->memory.tot_pages;
		if (more > frames_available(NULL)) {
			err = -ENOMEM;
		} else {
			d->memory.claimed_pages = (u32)more;
			nr_claimed += more;
		}
	}
	spin_unlock(&heap_lock);
	spin_unlock(&d->memory.lock);
	return err;
}

unsigned long page_claimed_total(void)
{
	return READ_ONCE(nr_claimed);
}
