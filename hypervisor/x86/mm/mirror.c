/* SPDX-License-Identifier: MIT */
/*
 * Mirrors of page tables. While a domain's writes are logged, the processor walks copies of the
 * domain's tables that withhold the right to write, so that each page's first write faults.
 *
 * THE RULE. A mirror never allows more than its table does: each entry maps what the table's entry
 * maps or nothing, with the same rights or fewer. So every reference that the table's entry holds
 * (page_types.c) covers the mirror's entry, too. Whoever changes an entry of a table changes the
 * mirror's before it drops the old entry's references. Both happen under the mmu_lock.
 *
 * ENTRIES OF L2 TO L4. A child that has a mirror is entered with MIRROR_CHILD and the rights of the
 * table's entry. For any other child the entry leads to the guest's own table, without PTE_RW: the
 * whole range is read-only and needs no copies. So reads never fault, and a mirror is made only for
 * a table through which the guest writes: by the first write (mirror_fault). Only the L4 tables in
 * CR3 always have one. When the pool is empty all mirrors but those of CR3 are dropped.
 *
 * ENTRIES OF L1. The table's entry without PTE_RW, with MIRROR_WRITABLE if the table has PTE_RW.
 * The first write sets accessed and dirty in the table, as the processor would, and PTE_RW in the
 * mirror; then it marks the page. An entry that was never accessed is not present in the mirror
 * (MIRROR_UNUSED), so that the first access can be told to the table. mirror_protect takes PTE_RW
 * away again, in the mirrors that have MIRROR_HOT.
 *
 * FAULTS WITHOUT A LOCK. The hypervisor itself writes to guests' memory, often with interrupts off,
 * and the processor walks the mirrors then, too. So entry_open changes an L1 entry by
 * compare-and-exchange alone, while a change of the table under the lock may be under way:
 *   - Each change by mirror_update gives the mirror's entry another generation, even if it stays
 * the same otherwise. So the exchange fails after a change: entry_open never brings back a
 *     translation that is gone, nor allows writes after the guest has cleared its dirty bit.
 *   - It marks after it has set PTE_RW. So a round (log_dirty.c) that has taken the bit either
 *     finds PTE_RW, or the mark comes after and belongs to the next round.
 *   - Interrupts are off meanwhile. A frame of the pool is used again only after all CPUs that may
 *     have found it have flushed, and for that they must serve an interrupt.
 * A missing mirror does take the mmu_lock. With interrupts off the CPU serves flushes while it
 * waits, because the lock's holder may wait for one. Nobody writes to a guest through its own
 * addresses while holding the mmu_lock.
 *
 * struct page_info of a frame of the pool, which has no owner: next is the link of its list, prev
 * the table's frame, type_info the level of the table (as a type without count), MIRROR_HOT, and in
 * an unused frame the TLB clock when it was dropped.
 */
#include "x86/mm/mirror.h"

#include "hv/arch/cpu.h"
#include "hv/arch/frame.h"
#include "hv/arch/map.h"
#include "hv/atomic.h"
#include "hv/console.h"
#include "hv/hv_heap.h"
#include "hv/hypercall.h"
#include "hv/page_alloc.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/cpu/regs.h"
#include "x86/mm/log_dirty.h"
#include "x86/mm/page_types.h"
#include "x86/mm/page_validate.h"
#include "x86/mm/paging.h"
#include "x86/mm/tlb.h"

/* Bits of a mirror's entries that only the hypervisor reads. */
#define MIRROR_WRITABLE BIT(9)	/* L1: the table allows writes */
#define MIRROR_UNUSED	BIT(10) /* L1: not present only because it was never accessed */
#define MIRROR_CHILD	BIT(11) /* L2 to L4: leads to a mirror */

/* L1: counts changes of the table's entry. The processor ignores these bits (SDM 3A 4.5.4). */
#define MIRROR_GENERATION (0x7ffUL << 52)
#define MIRROR_CHANGE	  BIT(52)

/* In type_info. */
#define MIRROR_HOT BIT(59) /* an entry may have PTE_RW */

#define NO_FRAME PAGE_LIST_NULL

/* What an entry of L1 allows, besides the right to write. */
#define L1_KEEP (PTE_ADDR_MASK | PTE_USER | PTE_PWT | PTE_PCD | PTE_PAT | PTE_NX)

static struct mirror_pool *pool_of(const struct domain *d)
{
	return &d->arch->log_dirty->mirrors;
}

static unsigned int level_of(const struct page_info *mirror)
{
	return page_table_level(READ_ONCE(mirror->type_info));
}

static mfn_t table_of(const struct page_info *mirror)
{
	return MFN(mirror->prev);
}

/* --- the pool --- */

#define FRAMES_PER_CHECK 64

int mirror_pool_fill(struct mirror_pool *pool, unsigned long frames)
{
	if (!pool->buckets) {
		pool->nr_buckets = 64;
		while (pool->nr_buckets < frames && pool->nr_buckets < KiB(128))
			pool->nr_buckets *= 2;
		pool->buckets = hv_alloc(pool->nr_buckets * sizeof(pool->buckets[0]));
		if (!pool->buckets)
			return -ENOMEM;
		for (unsigned long i = 0; i < pool->nr_buckets; i++)
			pool->buckets[i] = NO_FRAME;
		pool->free = NO_FRAME;
	}
	while (pool->nr_frames < frames) {
		struct page_info *pg = page_alloc(NULL, 0, MEMF_NO_SCRUB);

		if (!pg)
			return -ENOMEM;
		pg->type_info = 0;
		pg->next = pool->free;
		pool->free = (u32)mfn_x(page_to_mfn(pg));
		pool->nr_free++;
		pool->nr_frames++;
		if (pool->nr_frames % FRAMES_PER_CHECK == 0 && hypercall_preempt_check())
			return -ERESTART;
	}
	return 0;
}

static void pool_put(struct mirror_pool *pool, struct page_info *mirror, u32 stamp)
{
	mirror->type_info = (u64)stamp << PGT_STAMP_SHIFT;
	mirror->next = pool->free;
	pool->free = (u32)mfn_x(page_to_mfn(mirror));
	pool->nr_free++;
}

/* Takes the first mirror of a bucket out, or an unused frame. NULL: there is none. */
static struct page_info *pool_take_any(struct mirror_pool *pool)
{
	u32 *head = &pool->free;
	struct page_info *pg;

	while (pool->cursor < pool->nr_buckets && pool->buckets[pool->cursor] == NO_FRAME)
		pool->cursor++;
	if (pool->cursor < pool->nr_buckets)
		head = &pool->buckets[pool->cursor];
	if (*head == NO_FRAME)
		return NULL;
	pg = mfn_to_page(MFN(*head));
	*head = pg->next;
	return pg;
}

int mirror_pool_drain(struct mirror_pool *pool)
{
	struct page_info *pg;

	if (!pool->buckets)
		return 0;
	if (!pool->draining)
		pool->cursor = 0;
	pool->draining = true;
	while ((pg = pool_take_any(pool)) != NULL) {
		pg->type_info = 0;
		page_free(pg, 0);
		if (--pool->nr_frames % FRAMES_PER_CHECK == 0 && hypercall_preempt_check())
			return -ERESTART;
	}
	ASSERT(!pool->nr_frames);
	hv_free(pool->buckets);
	memset(pool, 0, sizeof(*pool));
	return 0;
}

static u32 *bucket_of(const struct mirror_pool *pool, mfn_t table)
{
	return &pool->buckets[mfn_x(table) & (pool->nr_buckets - 1)];
}

/* The mirror of a table; NULL: it has none. */
static struct page_info *mirror_find(const struct mirror_pool *pool, mfn_t table)
{
	for (u32 i = *bucket_of(pool, table); i != NO_FRAME;) {
		struct page_info *pg = mfn_to_page(MFN(i));

		if (pg->prev == mfn_x(table))
			return pg;
		i = pg->next;
	}
	return NULL;
}

/* --- entries --- */

/* The entry for an L1 table's entry `e`, without the right to write. */
static u64 l1_closed(u64 e)
{
	u64 m = e & (L1_KEEP | PTE_PRESENT | PTE_ACCESSED);

	if (!(e & PTE_PRESENT))
		return 0;
	if (e & PTE_RW)
		m |= MIRROR_WRITABLE;
	return e & PTE_ACCESSED ? m : (m & ~PTE_PRESENT) | MIRROR_UNUSED;
}

/* Do both give the same rights on the same frame, or none? */
static bool l1_same(u64 a, u64 b)
{
	a &= ~MIRROR_GENERATION;
	b &= ~MIRROR_GENERATION;
	return !((a ^ b) & (L1_KEEP | MIRROR_WRITABLE)) && !a == !b;
}

/*
 * The entry for `e` in a table of d. A page that is marked already may be written at once, if no
 * bit of the table must be set for that. mmu_lock held, which mirror_protect holds, too: so the
 * mark is of a round whose mirror_protect comes later.
 */
static u64 l1_entry(const struct domain *d, u64 e)
{
	const u64 ready = PTE_PRESENT | PTE_RW | PTE_ACCESSED | PTE_DIRTY;
	u64 m = l1_closed(e);

	if ((e & ready) == ready && mfn_valid(pte_mfn(e)) &&
	    page_owner(mfn_to_page(pte_mfn(e))) == d &&
	    dirty_map_test(&d->arch->log_dirty->map, m2p_get(pte_mfn(e))))
		m |= PTE_RW | PTE_DIRTY;
	return m;
}

/* The entry for entry `e` of an L2, L3 or L4 table. */
static u64 upper_entry(const struct mirror_pool *pool, u64 e)
{
	const struct page_info *child;
	u64 m = PTE_PRESENT | PTE_USER | PTE_ACCESSED | (e & PTE_NX);

	if (!(e & PTE_PRESENT))
		return 0;
	child = mirror_find(pool, pte_mfn(e));
	if (!child)
		return m | (e & PTE_ADDR_MASK);
	return pte_make(page_to_mfn(child), m | MIRROR_CHILD | (e & PTE_RW));
}

static bool is_guests_slot(unsigned int level, unsigned int i)
{
	return level < 4 || !l4_slot_is_hypervisor(i);
}

static void mirror_fill(struct domain *d, struct page_info *mirror)
{
	const struct mirror_pool *pool = pool_of(d);
	u64 *m = map_frame(page_to_mfn(mirror)), *t = map_frame(table_of(mirror)), any = 0;
	unsigned int level = level_of(mirror);

	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		u64 e = READ_ONCE(t[i]);

		if (!(e & PTE_PRESENT) || !is_guests_slot(level, i))
			m[i] = 0;
		else if (level > 1)
			m[i] = upper_entry(pool, e);
		else
			any |= m[i] = l1_entry(d, e);
	}
	if (level == 4)
		l4_fill_hypervisor_slots(m, d);
	if (any & PTE_RW)
		atomic_or(&mirror->type_info, MIRROR_HOT);
	unmap_frame(t);
	unmap_frame(m);
}

/* --- making and dropping --- */

/* Makes the mirror of a valid table. The caller has reserved a frame. */
static struct page_info *mirror_make(struct domain *d, unsigned int level, mfn_t table)
{
	struct mirror_pool *pool = pool_of(d);
	struct page_info *mirror;
	cpumask_t cpus;
	u32 *bucket;

	BUG_ON(pool->free == NO_FRAME);
	mirror = mfn_to_page(MFN(pool->free));
	/* This CPU runs on what CR3 leads to. */
	ASSERT(!mfn_eq(page_to_mfn(mirror), maddr_to_mfn(read_cr3() & PTE_ADDR_MASK)));
	pool->free = mirror->next;
	pool->nr_free--;
	/* A CPU may still walk what the frame was before. */
	cpumask_and(&cpus, &cpu_online_map, &d->arch->dirty_cpus);
	tlb_filter(&cpus, (u32)((mirror->type_info & PGT_STAMP_MASK) >> PGT_STAMP_SHIFT));
	if (!cpumask_empty(&cpus))
		tlb_flush_mask(&cpus);
	mirror->type_info = page_table_type(level);
	mirror->prev = (u32)mfn_x(table);
	mirror_fill(d, mirror);
	bucket = bucket_of(pool, table);
	mirror->next = *bucket;
	*bucket = (u32)mfn_x(page_to_mfn(mirror));
	return mirror;
}

void mirror_drop(struct domain *d, const struct page_info *table)
{
	struct mirror_pool *pool = pool_of(d);
	mfn_t mfn = page_to_mfn(table);

	for (u32 *link = bucket_of(pool, mfn); *link != NO_FRAME;) {
		struct page_info *mirror = mfn_to_page(MFN(*link));

		if (mirror->prev == mfn_x(mfn)) {
			/* No table leads to this one any more, so no mirror leads to its mirror. */
			*link = mirror->next;
			pool_put(pool, mirror, tlb_clock());
			return;
		}
		link = &mirror->next;
	}
}

static bool in_cr3(struct domain *d, const struct page_info *mirror)
{
	paddr_t maddr = mfn_to_maddr(page_to_mfn(mirror));
	struct vcpu *v;

	for_each_vcpu(d, v)
		if (pv_of(v)->mode_cr3[false] == maddr || pv_of(v)->mode_cr3[true] == maddr)
			return true;
	return false;
}

/* Makes an L4's mirror lead to no other mirror. */
static void unlink_children(struct page_info *mirror)
{
	u64 *m = map_frame(page_to_mfn(mirror)), *t = map_frame(table_of(mirror));

	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		if (is_guests_slot(4, i) && (m[i] & MIRROR_CHILD))
			WRITE_ONCE(m[i], (m[i] & PTE_NX) | PTE_PRESENT | PTE_USER | PTE_ACCESSED |
						 (READ_ONCE(t[i]) & PTE_ADDR_MASK));
	unmap_frame(t);
	unmap_frame(m);
}

/* Drops all mirrors but those in CR3. */
static noinline void drop_all(struct domain *d)
{
	struct mirror_pool *pool = pool_of(d);
	u32 stamp;

	for (unsigned int pass = 0; pass < 2; pass++) {
		/* The clock is read when nothing leads to the mirrors any more. */
		stamp = pass ? tlb_clock() : 0;
		for (unsigned long b = 0; b < pool->nr_buckets; b++) {
			for (u32 *link = &pool->buckets[b]; *link != NO_FRAME;) {
				struct page_info *mirror = mfn_to_page(MFN(*link));
				bool keep = level_of(mirror) == 4 && in_cr3(d, mirror);

				if (!pass && keep)
					unlink_children(mirror);
				if (!pass || keep) {
					link = &mirror->next;
					continue;
				}
				*link = mirror->next;
				pool_put(pool, mirror, stamp);
			}
		}
	}
}

void mirror_reserve(struct domain *d, unsigned long frames)
{
	ASSERT(spin_is_locked(&d->arch->mmu_lock));
	if (pool_of(d)->nr_free < frames)
		drop_all(d);
}

mfn_t mirror_of_l4(struct domain *d, const struct page_info *l4)
{
	mfn_t table = page_to_mfn(l4);
	const struct page_info *mirror = mirror_find(pool_of(d), table);

	return page_to_mfn(mirror ?: mirror_make(d, 4, table));
}

/* --- changes of tables --- */

void mirror_update(struct domain *d, const struct page_info *table, const u64 *slot)
{
	const struct mirror_pool *pool = pool_of(d);
	struct page_info *mirror = mirror_find(pool, page_to_mfn(table));
	unsigned int i = (unsigned int)(((unsigned long)slot & ~PAGE_MASK) / sizeof(u64));
	u64 e = READ_ONCE(*slot), *m, new;

	if (!mirror)
		return;
	m = map_frame(page_to_mfn(mirror));
	if (level_of(mirror) == 1)
		new = l1_entry(d, e) | ((READ_ONCE(m[i]) + MIRROR_CHANGE) & MIRROR_GENERATION);
	else
		new = upper_entry(pool, e);
	(void)atomic_xchg(&m[i], new);
	unmap_frame(m);
	if (level_of(mirror) == 1 && (new &PTE_RW))
		atomic_or(&mirror->type_info, MIRROR_HOT);
}

/* --- rounds --- */

static void protect(struct page_info *mirror)
{
	u64 *m;

	/* Before the entries are visited: entry_open sets it after the entry. */
	atomic_and(&mirror->type_info, ~MIRROR_HOT);
	m = map_frame(page_to_mfn(mirror));
	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		if (READ_ONCE(m[i]) & PTE_RW)
			atomic_and(&m[i], ~(PTE_RW | PTE_DIRTY));
	unmap_frame(m);
}

#define MIRRORS_PER_CHECK 32
#define BUCKETS_PER_CHECK 4096

int mirror_protect(struct domain *d)
{
	struct mirror_pool *pool = pool_of(d);
	unsigned int hot = 0, n = 0;

	for (; pool->cursor < pool->nr_buckets; pool->cursor++) {
		if ((++n % BUCKETS_PER_CHECK == 0 || hot >= MIRRORS_PER_CHECK) &&
		    hypercall_preempt_check())
			return -ERESTART;
		if (hot >= MIRRORS_PER_CHECK)
			hot = 0;
		for (u32 i = pool->buckets[pool->cursor]; i != NO_FRAME;) {
			struct page_info *mirror = mfn_to_page(MFN(i));

			i = mirror->next;
			if (READ_ONCE(mirror->type_info) & MIRROR_HOT) {
				protect(mirror);
				hot++;
			}
		}
	}
	pool->cursor = 0;
	return 0;
}

#ifdef HV_DEBUG
static bool is_in_step(const struct mirror_pool *pool, const struct page_info *mirror,
		       unsigned int i, u64 m, u64 e)
{
	unsigned int level = level_of(mirror);

	if (!is_guests_slot(level, i))
		return m == 0 || l4_slot_is_hypervisor(i);
	if (level > 1)
		return m == upper_entry(pool, e) || !(m & (PTE_RW | MIRROR_CHILD));
	if ((m & PTE_RW) && (!(m & MIRROR_WRITABLE) || !(e & PTE_DIRTY)))
		return false;
	return l1_same(m, l1_closed(e));
}

void mirror_check(struct domain *d)
{
	const struct mirror_pool *pool = pool_of(d);

	for (unsigned long b = 0; b < pool->nr_buckets; b++) {
		for (u32 link = pool->buckets[b]; link != NO_FRAME;) {
			struct page_info *mirror = mfn_to_page(MFN(link));
			u64 *m = map_frame(page_to_mfn(mirror)), *t = map_frame(table_of(mirror));

			BUG_ON(page_type(mfn_to_page(table_of(mirror))) !=
			       page_table_type(level_of(mirror)));
			for (unsigned int i = 0; i < PT_ENTRIES; i++)
				BUG_ON(!is_in_step(pool, mirror, i, READ_ONCE(m[i]),
						   READ_ONCE(t[i])));
			link = mirror->next;
			unmap_frame(t);
			unmap_frame(m);
		}
	}
}
#endif

/* --- faults --- */

enum outcome { NOT_OURS, RETRY, NO_MIRROR };

/*
 * An access through entry i of an L1 table and its mirror. The top of the file says why no lock is
 * needed. Interrupts are off.
 */
static enum outcome entry_open(struct log_dirty *log, struct page_info *mirror, u64 *table,
			       u64 *entries, unsigned int i, bool write)
{
	u64 m = READ_ONCE(entries[i]), e = READ_ONCE(table[i]), want, new;

	if (!(e & PTE_PRESENT) || (write && !(e & PTE_RW) && (m & PTE_PRESENT)))
		return NOT_OURS;
	if (!write && (m & PTE_PRESENT))
		return RETRY;
	/* A change is under way. */
	if (!l1_same(m, l1_closed(e)))
		return RETRY;
	write = write && (e & PTE_RW);
	want = e | PTE_ACCESSED | (write ? PTE_DIRTY : 0);
	if (want != e) {
		if (!atomic_cmpxchg(&table[i], &e, want))
			return RETRY;
		log_dirty_mark_page(mfn_to_page(table_of(mirror)));
	}
	new = l1_closed(want) | (m & MIRROR_GENERATION) |
	      (write ? PTE_RW | PTE_DIRTY : m & (PTE_RW | PTE_DIRTY));
	if (new == m || !atomic_cmpxchg(&entries[i], &m, new) || !write)
		return RETRY;
	atomic_or(&mirror->type_info, MIRROR_HOT);
	atomic_inc(&log->faults);
	if (mfn_valid(pte_mfn(e)))
		log_dirty_mark_page(mfn_to_page(pte_mfn(e)));
	return RETRY;
}

/* Follows the processor's walk. Interrupts are off. */
static enum outcome walk_and_open(struct log_dirty *log, unsigned long addr, bool write)
{
	struct page_info *mirror = mfn_to_page(maddr_to_mfn(read_cr3() & PTE_ADDR_MASK));
	enum outcome outcome;
	u64 *entries, *table;

	for (unsigned int level = 4; level > 1; level--) {
		u64 e;

		entries = map_frame(page_to_mfn(mirror));
		e = READ_ONCE(entries[pt_index(addr, level)]);
		unmap_frame(entries);
		if (!(e & PTE_PRESENT))
			return NOT_OURS;
		if (!(e & MIRROR_CHILD))
			return write ? NO_MIRROR : NOT_OURS;
		if (write && !(e & PTE_RW))
			return NOT_OURS;
		mirror = mfn_to_page(pte_mfn(e));
	}
	entries = map_frame(page_to_mfn(mirror));
	table = map_frame(table_of(mirror));
	outcome = entry_open(log, mirror, table, entries, pt_index(addr, 1), write);
	unmap_frame(table);
	unmap_frame(entries);
	return outcome;
}

/* May the guest write to addr, by its tables from `l4` down? */
static bool guest_may_write(mfn_t l4, unsigned long addr)
{
	const u64 needed = PTE_PRESENT | PTE_RW;
	mfn_t mfn = l4;

	for (unsigned int level = 4; level; level--) {
		u64 *table = map_frame(mfn), e = READ_ONCE(table[pt_index(addr, level)]);

		unmap_frame(table);
		if ((e & needed) != needed)
			return false;
		mfn = pte_mfn(e);
	}
	return true;
}

/* Makes the mirrors on the way to addr. False: the guest may not write there. mmu_lock held. */
static bool make_path(struct domain *d, unsigned long addr)
{
	struct page_info *mirror = mfn_to_page(maddr_to_mfn(read_cr3() & PTE_ADDR_MASK));

	if (!guest_may_write(table_of(mirror), addr))
		return false;
	mirror_reserve(d, 3);
	for (unsigned int level = 4; level > 1; level--) {
		u64 *table = map_frame(table_of(mirror)), *m = map_frame(page_to_mfn(mirror));
		unsigned int i = pt_index(addr, level);
		u64 e = READ_ONCE(table[i]);
		struct page_info *child = mirror_find(pool_of(d), pte_mfn(e));

		if (!child)
			child = mirror_make(d, level - 1, pte_mfn(e));
		if (!(e & PTE_ACCESSED)) {
			atomic_or(&table[i], PTE_ACCESSED);
			log_dirty_mark_page(mfn_to_page(table_of(mirror)));
		}
		(void)atomic_xchg(&m[i], upper_entry(pool_of(d), e));
		unmap_frame(m);
		unmap_frame(table);
		mirror = child;
	}
	return true;
}

static void lock_for_fault(struct domain *d)
{
	if (arch_irqs_enabled()) {
		spin_lock(&d->arch->mmu_lock);
		return;
	}
	while (!spin_trylock(&d->arch->mmu_lock)) {
		tlb_ipi_handler();
		cpu_relax();
	}
}

noinline bool mirror_fault(unsigned long addr, u32 error_code)
{
	struct domain *d = current->domain;
	struct log_dirty *log = log_dirty_of(d);
	bool write = error_code & PFEC_WRITE, made;
	enum outcome outcome;
	unsigned long flags;

	if (!log || (error_code & PFEC_RESERVED) || ((error_code & PFEC_PRESENT) && !write))
		return false;
	flags = arch_irq_save();
	outcome = walk_and_open(log, addr, write);
	arch_irq_restore(flags);
	if (outcome != NO_MIRROR)
		return outcome == RETRY;
	/* Not present, in a table of the guest's own. */
	if (!(error_code & PFEC_PRESENT))
		return false;
	lock_for_fault(d);
	made = make_path(d, addr);
	spin_unlock(&d->arch->mmu_lock);
	if (!made)
		return false;
	flags = arch_irq_save();
	outcome = walk_and_open(log, addr, write);
	arch_irq_restore(flags);
	/* Another vCPU may have dropped all mirrors meanwhile. */
	return outcome != NOT_OURS;
}
