/* SPDX-License-Identifier: MIT */
/*
 * The log of dirty pages. A tool copies a running domain's memory round by round. A round tells
 * which pages were written to since the round before, so that the tool copies those again.
 *
 * WHO MARKS. The guest's own writes, and the hypervisor's through the guest's addresses
 * (copy_to_guest, frames of exceptions, runstate and time areas), fault in a mirror of the page
 * tables (mirror.c). Everything else that writes says so: grants for writing and other domains'
 * mappings when they end, changes of page tables, hypercalls that write to a frame. A page is also
 * marked when it becomes a table, stops being one, or gets or loses a pin, because the copy
 * depends on that; and a number (pfn) when another frame gets it. LOGDIRTY_FINAL adds the pages to
 * which somebody else can still write.
 *
 * A MARK IS NEVER LOST. Every writer marks after its write, or after it got the right to write
 * through an entry of a mirror. A round does, in this order:
 *   take      The bits are copied and cleared, word by word.
 *   protect   Entries of mirrors lose the right to write.
 *   flush     So do the TLBs.
 * The tool reads the pages after the round. A write before the flush is thus in what the tool
 * reads, if the page's bit was taken; and an entry that allows writes was taken by this round, or
 * its mark comes after the take. A write after the flush faults, and marks. (Protecting before
 * taking would be wrong: a page could get the right to write in between, and the take would clear
 * its mark.) The last round comes when the guest's vCPUs are paused, so no mark is still on its
 * way.
 *
 * WITHOUT MIRRORS (d->arch->log_ops) the first write is found by entries of the p2m. Each piece of
 * the bitmap is taken, and then the entries of the pages that it names lose the right to write. An
 * entry with that right always has its bit set, or whoever gave the right is about to set it. So
 * entries without a bit need no visit.
 *
 * ON AND OFF happen while the domain is paused. Other domains' CPUs may mark at any time, with
 * interrupts off and no lock. So after the log is off, every CPU serves one interrupt before the
 * bitmap is freed. struct log_dirty itself lives as long as the domain.
 */
#include "x86/mm/log_dirty.h"

#include "hv/arch/cpu.h"
#include "hv/arch/frame.h"
#include "hv/arch/map.h"
#include "hv/atomic.h"
#include "hv/console.h"
#include "hv/hv_heap.h"
#include "hv/hypercall.h"
#include "hv/pause.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/mm/map_frame.h"
#include "x86/mm/page_types.h"
#include "x86/mm/tlb.h"

u32 log_dirty_domains;

/* --- marks --- */

static void mark_pfn(const struct domain *d, unsigned long pfn)
{
	unsigned long flags = arch_irq_save();
	struct log_dirty *log = log_dirty_of(d);

	if (log)
		dirty_map_set(&log->map, pfn);
	arch_irq_restore(flags);
}

noinline void log_dirty_mark_page(const struct page_info *pg)
{
	const struct domain *d = page_owner(pg);

	if (d && d->arch)
		mark_pfn(d, m2p_get(page_to_mfn(pg)));
}

void arch_pfn_written(const struct domain *d, unsigned long pfn)
{
	if (unlikely(READ_ONCE(log_dirty_domains)))
		mark_pfn(d, pfn);
}

noinline void log_dirty_table_written(const u64 *slot)
{
	const struct page_info *table = mfn_to_page(map_frame_mfn(slot));
	struct domain *d = page_owner(table);

	if (!log_dirty_of(d))
		return;
	log_dirty_mark_page(table);
	mirror_update(d, table, slot);
}

noinline void log_dirty_table_changed(const struct page_info *table, bool valid)
{
	struct domain *d = page_owner(table);

	if (!log_dirty_of(d))
		return;
	log_dirty_mark_page(table);
	if (!valid)
		mirror_drop(d, table);
}

/* --- on and off --- */

#define MIN_FRAMES_PER_VCPU 12 /* two L4s, and two writes to two pages each */
#define EXTRA_FRAMES	    16

static unsigned long highest_pfn(const struct domain *d)
{
	unsigned long told;

	/* Pages of devices and tables lie below 4 GiB; a guest may have some anywhere. */
	if (d->arch->log_ops)
		return min(d->arch->log_ops->pages(d),
			   2UL * d->memory.max_pages + GiB(4) / PAGE_SIZE);
	/* The guest's own word; it may have more numbers than pages. */
	told = READ_ONCE(d->shared_info->arch.max_pfn);
	return max(min(told, 2UL * d->memory.max_pages + DIRTY_MAP_LEAF_BITS),
		   (unsigned long)d->memory.tot_pages);
}

static int map_make(struct log_dirty *log, const struct domain *d)
{
	struct dirty_map *map = &log->map;

	if (!map->leaves) {
		log->leaves = highest_pfn(d) / DIRTY_MAP_LEAF_BITS + 1;
		map->leaves = hv_alloc(log->leaves * sizeof(map->leaves[0]));
		if (!map->leaves)
			return -ENOMEM;
	}
	while (map->nr_leaves < log->leaves) {
		u64 *leaf = hv_alloc_pages(0);

		if (!leaf)
			return -ENOMEM;
		map->leaves[map->nr_leaves++] = leaf;
		if (map->nr_leaves % 64 == 0 && hypercall_preempt_check())
			return -ERESTART;
	}
	return 0;
}

static int map_free(struct log_dirty *log)
{
	struct dirty_map *map = &log->map;

	while (map->nr_leaves) {
		hv_free_pages(map->leaves[--map->nr_leaves], 0);
		if (map->nr_leaves % 64 == 0 && hypercall_preempt_check())
			return -ERESTART;
	}
	hv_free(map->leaves);
	map->leaves = NULL;
	map->count = 0;
	return 0;
}

/* A table of each level for each 2 MiB, some for processes, and what small guests need. */
static unsigned long pool_frames(const struct domain *d)
{
	unsigned long frames = d->memory.tot_pages / 400 + EXTRA_FRAMES -
			       (d->memory.tot_pages / DIRTY_MAP_LEAF_BITS + 2);

	if (d->arch->paging_pool_pages)
		frames = d->arch->paging_pool_pages;
	return max(frames, (unsigned long)MIN_FRAMES_PER_VCPU * d->max_vcpus);
}

unsigned long log_dirty_pool_pages(const struct domain *d)
{
	const struct log_dirty *log = d->arch->log_dirty;

	return log && log->mirrors.nr_frames ? log->mirrors.nr_frames : d->arch->paging_pool_pages;
}

/* Lets d's vCPUs run on mirrors from now on, or on their own tables again. */
static void turn(struct domain *d, bool on, reload_tables_fn *reload)
{
	struct vcpu *v;

	domain_pause(d);
	spin_lock(&d->arch->mmu_lock);
	WRITE_ONCE(d->arch->log_dirty->on, on);
	for_each_vcpu(d, v)
		if (reload)
			reload(v);
	spin_unlock(&d->arch->mmu_lock);
	tlb_flush_mask(&d->arch->dirty_cpus);
	domain_unpause(d);
}

int log_dirty_enable(struct domain *d, reload_tables_fn *reload)
{
	struct log_dirty *log = d->arch->log_dirty;
	const struct log_dirty_ops *ops = d->arch->log_ops;
	int err;

	if (log && log->starting)
		goto start;
	if (domain_is_dying(d) || (log && log->on))
		return -EINVAL;
	if (log && log->stopping) {
		err = log_dirty_disable(d, reload);
		if (err)
			return err;
	}
	if (!log) {
		log = hv_alloc(sizeof(*log));
		if (!log)
			return -ENOMEM;
		WRITE_ONCE(d->arch->log_dirty, log);
	}
	err = map_make(log, d);
	if (!err && !ops)
		err = mirror_pool_fill(&log->mirrors, pool_frames(d));
	if (err == -ERESTART)
		return err;
	if (err) {
		/* If this is preempted, the rest goes with the next attempt, or with the domain. */
		(void)log_dirty_disable(d, reload);
		return err;
	}
	memset(&log->round, 0, sizeof(log->round));
	log->faults = 0;
	if (!log->claimed) {
		log->claimed = true;
		atomic_inc(&log_dirty_domains);
	}
	turn(d, true, reload);
	if (!ops)
		return 0;
	log->starting = true;
start:
	err = ops->start(d);
	if (err != -ERESTART)
		log->starting = false;
	return err;
}

int log_dirty_disable(struct domain *d, reload_tables_fn *reload)
{
	struct log_dirty *log = d->arch->log_dirty;
	int err;

	if (!log)
		return 0;
	log->stopping = true;
	log->starting = false;
	if (log->on)
		turn(d, false, reload);
	if (log->claimed) {
		/* No CPU marks any more once each has served this. */
		tlb_flush_mask(&cpu_online_map);
		atomic_dec(&log_dirty_domains);
		log->claimed = false;
	}
	err = mirror_pool_drain(&log->mirrors);
	if (!err)
		err = map_free(log);
	if (!err)
		log->stopping = false;
	return err;
}

void log_dirty_free(struct domain *d)
{
	hv_free(d->arch->log_dirty);
	d->arch->log_dirty = NULL;
}

/* --- rounds --- */

/*
 * Marks pages that another domain has mapped for writing, or that the hypervisor writes to. Walks
 * the list in pieces: what was visited moves to its end.
 */
#define VISITS_PER_STEP 1024

static int mark_still_writable(struct domain *d, unsigned long *left)
{
	struct page_list *list = &d->memory.pages;

	while (*left > 1) {
		struct page_info *pg;

		spin_lock(&d->memory.lock);
		pg = page_list_first(list);
		if (!pg)
			*left = 1;
		for (unsigned int n = 0; pg && *left > 1 && n < VISITS_PER_STEP; n++, (*left)--) {
			if (page_has_foreign_writer(pg))
				log_dirty_mark_page(pg);
			pg = page_list_next(pg);
		}
		if (pg)
			page_list_rotate(list, pg);
		spin_unlock(&d->memory.lock);
		if (*left > 1 && hypercall_preempt_check())
			return -ERESTART;
	}
	return 0;
}

static void mark_vcpu_infos(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(d, v) {
		mfn_t mfn = READ_ONCE(v->vcpu_info_mfn);

		if (!mfn_eq(mfn, INVALID_MFN))
			log_dirty_mark_page(mfn_to_page(mfn));
	}
}

#define CHUNK_WORDS 64

static int copy_chunk(struct domain *d, u64 word, u64 bits, bool take, log_dirty_copy_fn *copy,
		      void *data)
{
	const struct log_dirty_ops *ops = d->arch->log_ops;
	struct dirty_map *map = &d->arch->log_dirty->map;
	unsigned int n = (unsigned int)min(DIV_ROUND_UP(bits, 64), (u64)CHUNK_WORDS);
	u64 chunk[CHUNK_WORDS], beyond;
	int err;

	if (take)
		dirty_map_take(map, word, chunk, n);
	else
		dirty_map_read(map, word, chunk, n);
	if (bits < (u64)n * 64) {
		/* Not the caller's: the bits from its end on. */
		beyond = chunk[n - 1] & (~0UL << bits % 64);
		chunk[n - 1] &= ~beyond;
		if (take)
			dirty_map_give_back(map, word + n - 1, &beyond, 1);
	}
	if (take && ops)
		ops->protect(d, word * 64, chunk, n);
	err = copy(data, word * 8, chunk, min((u64)n * 64, ROUND_UP(bits, 8)) / 8);
	if (err && take)
		dirty_map_give_back(map, word, chunk, n);
	return err;
}

int log_dirty_round(struct domain *d, log_dirty_copy_fn *copy, void *data, u64 pages,
		    unsigned int flags, struct log_dirty_result *result)
{
	struct log_dirty *log = log_dirty_of(d);
	bool take = flags & LOG_DIRTY_TAKE;
	int err;

	if (!log || log->starting)
		return -EINVAL;
	if ((flags & LOG_DIRTY_FINAL) && !log->round.copied && !log->round.word) {
		if (!log->round.visit)
			log->round.visit = 1 + d->memory.pages.nr;
		err = mark_still_writable(d, &log->round.visit);
		if (err)
			return err;
		mark_vcpu_infos(d);
	}
	while (copy && !log->round.copied && log->round.word * 64 < pages) {
		err = copy_chunk(d, log->round.word, pages - log->round.word * 64, take, copy,
				 data);
		if (err) {
			/* What was taken is lost to the caller: it belongs to the next round. */
			if (take)
				dirty_map_set_all(&log->map, log->round.word);
			memset(&log->round, 0, sizeof(log->round));
			return err;
		}
		log->round.word += CHUNK_WORDS;
		if (log->round.word % DIRTY_MAP_LEAF_WORDS == 0 && log->round.word * 64 < pages &&
		    hypercall_preempt_check())
			return -ERESTART;
	}
	if (!log->round.copied) {
		log->round.copied = true;
		log->round.dirty =
			take ? atomic_xchg(&log->map.count, 0) : READ_ONCE(log->map.count);
	}
	if (take && d->arch->log_ops) {
		d->arch->log_ops->flush(d);
	} else if (take) {
		spin_lock(&d->arch->mmu_lock);
		err = mirror_protect(d);
		if (!err)
			mirror_check(d);
		spin_unlock(&d->arch->mmu_lock);
		if (err)
			return err;
		tlb_flush_mask(&d->arch->dirty_cpus);
	}
	result->dirty = log->round.dirty;
	result->faults = take ? atomic_xchg(&log->faults, 0) : READ_ONCE(log->faults);
	memset(&log->round, 0, sizeof(log->round));
	return 0;
}
