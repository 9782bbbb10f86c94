/* SPDX-License-Identifier: MIT */
/*
 * The p2m of a guest under hardware virtualization.
 *
 * REFERENCES. An entry holds on its frame what an L1 entry of a paravirtualized guest holds: a
 * general reference, and a writable type reference if the guest may write. So a frame that a guest
 * can reach is never freed, and never becomes a page table of its owner.
 *
 * TAKING AN ENTRY AWAY has three steps, always in this order:
 *   clear   The entry becomes 0 under the lock. Whoever takes it away now owns its references.
 *   flush   p2m_flush: the generation moves, and each CPU in dirty_cpus serves an interrupt. A vCPU
 *           that was in the guest has left it then, and before it enters again it sees the new
 *           generation, and takes a new ASID or flushes its EPT context. A vCPU that a CPU loads
 *           only now also sees the new generation: its CPU joins dirty_cpus before it reads the
 *           generation; the flush changes the generation before it reads dirty_cpus.
 *   drop    The references go, and the frame may be used for something else. Until then the TLB
 *           clock (x86/mm/tlb.c) knows nothing of the guest's translations, since a load of CR3
 *           drops none of an ASID or EPT context. After the flush there are none that it should
 *           know of.
 * A batch takes several entries away with one flush.
 *
 * LOOKUPS TAKE NO LOCK. Tables are freed with the domain only, and whoever looks has a reference on
 * the domain. An entry that pointed to a table does so for ever. A reader loads each entry once.
 * To use the frame, it takes its own reference, and then loads the last entry of its walk again.
 *   The entry is the same: at that moment it maps the frame, so the frame is d's by its own
 *   reference, and the reader's reference keeps it from changing owner before it is dropped. It
 *   does not matter whether the entry had changed in between and came back.
 *   The entry is another one: the reference may be on a frame that is somebody else's meanwhile, or
 *   d's under another number. It is dropped, and the reader starts again.
 * A frame that left d between the two loads cannot be taken for d's: page_get checks the owner in
 * the same step in which it counts. (Other domains' frames, for accesses by the hypervisor: the
 * owner is read first, and page_get checks that it is still the same.)
 * A split replaces an entry of 2 MiB by a table that maps the same frames, so a lookup in between
 * finds the same frame either way.
 *
 * MACHINE TO PHYS. The entry of the table for a frame of d's RAM is the gfn that maps it, changed
 * under the lock together with the p2m.
 */
#include "x86/hvm/p2m.h"

#include "hv/arch/frame.h"
#include "hv/arch/map.h"
#include "hv/atomic.h"
#include "hv/console.h"
#include "hv/hv_heap.h"
#include "hv/hypercall.h"
#include "lib/errno.h"
#include "x86/hvm/p2m_internal.h"
#include "x86/mm/page_types.h"
#include "x86/mm/tlb.h"

static bool type_is_ram(enum p2m_type type)
{
	return type == P2M_RAM_RW || type == P2M_RAM_RO || type == P2M_RAM_LOGDIRTY;
}

static bool type_holds_writable(enum p2m_type type)
{
	return type == P2M_RAM_RW || type == P2M_RAM_LOGDIRTY || type == P2M_GRANT_RW ||
	       type == P2M_FOREIGN;
}

/* --- references --- */

int p2m_refs_get(const struct domain *d, mfn_t mfn, enum p2m_type type)
{
	const struct domain *owner = d;
	struct page_info *pg;

	if (type == P2M_MMIO)
		return 0;
	if (!mfn_valid(mfn))
		return -EINVAL;
	pg = mfn_to_page(mfn);
	if (!type_is_ram(type))
		owner = page_owner(pg);
	if (!owner || owner == dom_io || !page_get(pg, owner))
		return -EINVAL;
	if (!type_holds_writable(type))
		return 0;
	if (page_type_get(pg, PGT_WRITABLE)) {
		page_put(pg);
		return -EINVAL;
	}
	if (owner != d)
		page_foreign_get(pg);
	return 0;
}

void p2m_refs_put(const struct domain *d, mfn_t mfn, enum p2m_type type)
{
	struct page_info *pg;

	if (type == P2M_MMIO)
		return;
	pg = mfn_to_page(mfn);
	if (type_holds_writable(type)) {
		if (page_owner(pg) != d) {
			page_foreign_put(pg);
			log_dirty_mark(pg);
		}
		/* A WRITABLE type is never preempted. */
		if (page_type_put(pg))
			BUG();
	}
	page_put(pg);
}

/* --- tables --- */

static unsigned int table_index(unsigned long gfn, unsigned int level)
{
	return (gfn >> (9 * (level - 1))) & (P2M_ENTRIES - 1);
}

static u64 *table_of(u64 entry)
{
	return mfn_to_hv_virt(p2m_entry_mfn(entry));
}

/* The most tables that d may have: what its tools have set, or what its memory needs and some. */
static unsigned long tables_max(const struct domain *d)
{
	return d->arch->paging_pool_pages ?: READ_ONCE(d->memory.max_pages) / 256 + 128;
}

/* Under the lock. */
static u64 *table_alloc(struct domain *d)
{
	u64 *table;

	if (p2m_of(d)->table_pages >= tables_max(d))
		return NULL;
	table = hv_alloc_pages(0);
	if (table)
		p2m_of(d)->table_pages++;
	return table;
}

/* The entry of a frame that an entry of `level` maps together with others. */
static mfn_t frame_in(u64 e, unsigned long gfn, unsigned int level)
{
	return mfn_add(p2m_entry_mfn(e), level == 2 ? gfn & (P2M_LARGE_FRAMES - 1) : 0);
}

int p2m_entry_split(struct domain *d, u64 *slot)
{
	const struct p2m_format *f = p2m_of(d)->format;
	u64 e = *slot, *table = table_alloc(d);

	if (!table)
		return -ENOMEM;
	for (unsigned int i = 0; i < P2M_ENTRIES; i++)
		table[i] = p2m_entry_leaf(f, mfn_add(p2m_entry_mfn(e), i), 1, p2m_entry_type(f, e));
	smp_wmb();
	WRITE_ONCE(*slot, p2m_entry_table(f, virt_to_mfn(table)));
	return 0;
}

/* Under the lock: the entry of gfn at `level`; tables are made, and entries split, for it. */
static u64 *entry_make(struct domain *d, unsigned long gfn, unsigned int level)
{
	struct p2m *p2m = p2m_of(d);
	unsigned int at = P2M_LEVELS;
	u64 *slot = p2m->root + table_index(gfn, at);

	for (; at > level; slot = table_of(*slot) + table_index(gfn, --at)) {
		if (!*slot) {
			u64 *table = table_alloc(d);

			if (!table)
				return NULL;
			smp_wmb();
			WRITE_ONCE(*slot, p2m_entry_table(p2m->format, virt_to_mfn(table)));
		} else if (!p2m_entry_is_table(p2m->format, *slot) && p2m_entry_split(d, slot)) {
			return NULL;
		}
	}
	return slot;
}

/* --- life --- */

int p2m_create(struct domain *d, const struct p2m_format *format)
{
	struct p2m *p2m = hv_alloc(sizeof(*p2m));

	if (!p2m)
		return -ENOMEM;
	spin_lock_init(&p2m->lock, LOCK_P2M);
	p2m->format = format;
	/* 0 is what a vCPU has in mind before it first enters. */
	p2m->generation = 1;
	p2m->root = hv_alloc_pages(0);
	if (!p2m->root) {
		hv_free(p2m);
		return -ENOMEM;
	}
	p2m->table_pages = 1;
	d->arch->p2m = p2m;
	d->arch->log_ops = &p2m_log_ops;
	return 0;
}

static void tables_free(const struct p2m *p2m, u64 *table, unsigned int level)
{
	for (unsigned int i = 0; level > 1 && i < P2M_ENTRIES; i++)
		if (p2m_entry_is_table(p2m->format, table[i]))
			tables_free(p2m, table_of(table[i]), level - 1);
	hv_free_pages(table, 0);
}

void p2m_free(struct domain *d)
{
	struct p2m *p2m = p2m_of(d);

	if (!p2m)
		return;
	tables_free(p2m, p2m->root, P2M_LEVELS);
	hv_free(p2m);
	d->arch->p2m = NULL;
}

/* --- changes --- */

void p2m_flush(struct domain *d)
{
	/* A locked instruction: changed entries before it, dirty_cpus after it. */
	atomic_inc(&p2m_of(d)->generation);
	tlb_flush_mask(&d->arch->dirty_cpus);
}

/* Under the lock: the frames of an entry, from `gfn` on, get their numbers. */
static void name_frames(const struct domain *d, u64 e, unsigned int level, unsigned long gfn)
{
	unsigned long n = level == 2 ? P2M_LARGE_FRAMES : 1;

	if (type_is_ram(p2m_entry_type(p2m_of(d)->format, e)))
		for (unsigned long i = 0; i < n; i++)
			m2p_set(mfn_add(p2m_entry_mfn(e), i), gfn + i);
}

/* Under the lock: they lose them, but a shared page may have got another one meanwhile. */
static void unname_frames(const struct domain *d, u64 e, unsigned int level, unsigned long gfn)
{
	unsigned long n = level == 2 ? P2M_LARGE_FRAMES : 1;

	if (type_is_ram(p2m_entry_type(p2m_of(d)->format, e)))
		for (unsigned long i = 0; i < n; i++)
			if (m2p_get(mfn_add(p2m_entry_mfn(e), i)) == gfn + i)
				m2p_set(mfn_add(p2m_entry_mfn(e), i), M2P_INVALID);
}

/*
 * Under the lock: takes the entry that maps memory from `gfn` on away from its slot, into the
 * batch, which has room.
 */
static void entry_take(struct domain *d, u64 *slot, unsigned int level, unsigned long gfn,
		       enum p2m_take how, struct p2m_batch *b)
{
	u64 e = atomic_xchg(slot, 0UL);

	unname_frames(d, e, level, gfn);
	ASSERT(b->nr < P2M_BATCH);
	b->gone[b->nr].mfn = (u32)mfn_x(p2m_entry_mfn(e));
	b->gone[b->nr].type = (u8)p2m_entry_type(p2m_of(d)->format, e);
	b->gone[b->nr].order = level == 2 ? P2M_LARGE_ORDER : 0;
	b->gone[b->nr].give_up = how == P2M_GIVE_UP;
	b->nr++;
}

static void frame_drop(const struct domain *d, mfn_t mfn, enum p2m_type type, bool give_up)
{
	if (give_up && type_is_ram(type) && !(READ_ONCE(mfn_to_page(mfn)->count_info) & PGC_HV))
		page_put_alloc_ref(mfn_to_page(mfn));
	p2m_refs_put(d, mfn, type);
}

void p2m_batch_finish(struct domain *d, struct p2m_batch *b)
{
	if (!b->nr)
		return;
	p2m_flush(d);
	for (unsigned int i = 0; i < b->nr; i++)
		for (unsigned long j = 0; j < 1UL << b->gone[i].order; j++)
			frame_drop(d, MFN(b->gone[i].mfn + j), (enum p2m_type)b->gone[i].type,
				   b->gone[i].give_up);
	b->nr = 0;
}

/* Under the lock, for an empty slot. */
static void entry_enter(struct domain *d, u64 *slot, unsigned int level, unsigned long gfn,
			mfn_t mfn, enum p2m_type type)
{
	struct p2m *p2m = p2m_of(d);
	u64 e = p2m_entry_leaf(p2m->format, mfn, level, type);
	unsigned long n = level == 2 ? P2M_LARGE_FRAMES : 1;

	name_frames(d, e, level, gfn);
	WRITE_ONCE(p2m->max_gfn, max(p2m->max_gfn, gfn + n - 1));
	WRITE_ONCE(*slot, e);
	for (unsigned long i = 0; i < n; i++)
		arch_pfn_written(d, gfn + i);
}

/*
 * One entry. -EEXIST: an entry of 2 MiB does not fit, because a table is in its place. -EAGAIN: an
 * entry was there, and is in the batch now; call again once the batch is finished.
 *
 * The new entry must not appear before the old one is flushed: a vCPU with an old translation and
 * one with a new one would see different memory at the same address, and the old frame's m2p entry
 * is gone already.
 */
static int set_one(struct domain *d, unsigned long gfn, mfn_t mfn, unsigned int level,
		   enum p2m_type type, struct p2m_batch *b)
{
	struct p2m *p2m = p2m_of(d);
	int err = 0;
	u64 *slot;

	spin_lock(&p2m->lock);
	slot = domain_is_dying(d) ? NULL : entry_make(d, gfn, level);
	if (!slot)
		err = domain_is_dying(d) ? -EINVAL : -ENOMEM;
	else if (p2m_entry_is_table(p2m->format, *slot))
		err = -EEXIST;
	else if (*slot)
		err = -EAGAIN;
	if (err == -EAGAIN)
		entry_take(d, slot, level, gfn, P2M_GIVE_UP, b);
	else if (!err)
		entry_enter(d, slot, level, gfn, mfn, type);
	spin_unlock(&p2m->lock);
	return err;
}

static int set_retry(struct domain *d, unsigned long gfn, mfn_t mfn, unsigned int level,
		     enum p2m_type type)
{
	struct p2m_batch b = { .nr = 0 };
	int err;

	while ((err = set_one(d, gfn, mfn, level, type, &b)) == -EAGAIN)
		p2m_batch_finish(d, &b);
	return err;
}

int p2m_set(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order, enum p2m_type type)
{
	unsigned long g = gfn_x(gfn), low = (1UL << order) - 1;
	int err;

	if (g >= P2M_GFN_END || (order && order != P2M_LARGE_ORDER) || ((g | mfn_x(mfn)) & low) ||
	    type == P2M_NONE || (mfn_x(mfn) & ~(P2M_FRAME_MASK >> PAGE_SHIFT)))
		return -EINVAL;
	err = set_retry(d, g, mfn, order ? 2 : 1, type);
	if (err != -EEXIST)
		return err;
	/* The table is there, so only a dying domain can make one of these fail, and not the first.
	 */
	for (unsigned long i = 0; i <= low; i++) {
		err = set_retry(d, g + i, mfn_add(mfn, i), 1, type);
		if (err && !i)
			return err;
		if (err)
			p2m_refs_put(d, mfn_add(mfn, i), type);
	}
	return 0;
}

int p2m_take(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order, enum p2m_take how,
	     struct p2m_batch *b)
{
	struct p2m *p2m = p2m_of(d);
	unsigned long g = gfn_x(gfn);
	unsigned int level;
	int err = 0;
	u64 *slot, e;

	if (g >= P2M_GFN_END)
		return -ENOENT;
	spin_lock(&p2m->lock);
	slot = p2m_entry_find(p2m, g, &level, &e);
	if (!e || (!mfn_eq(mfn, INVALID_MFN) && !mfn_eq(frame_in(e, g, level), mfn)) ||
	    (order && (level != 2 || (g & (P2M_LARGE_FRAMES - 1)))) ||
	    (how == P2M_GIVE_UP && !type_is_ram(p2m_entry_type(p2m->format, e))))
		err = -ENOENT;
	else if (!order && level == 2 && !(slot = entry_make(d, g, level = 1)))
		err = -ENOMEM;
	else
		entry_take(d, slot, level, g, how, b);
	spin_unlock(&p2m->lock);
	if (!err)
		for (unsigned long i = 0; i < 1UL << order; i++)
			arch_pfn_written(d, g + i);
	return err;
}

int p2m_remove(struct domain *d, gfn_t gfn, mfn_t mfn)
{
	struct p2m_batch b = { .nr = 0 };
	int err = p2m_take(d, gfn, mfn, 0, P2M_KEEP, &b);

	p2m_batch_finish(d, &b);
	return err;
}

/* --- lookups --- */

mfn_t p2m_lookup(const struct domain *d, gfn_t gfn, enum p2m_type *type)
{
	const struct p2m *p2m = p2m_of(d);
	unsigned int level;
	u64 e = 0;

	if (gfn_x(gfn) < P2M_GFN_END)
		(void)p2m_entry_find(p2m, gfn_x(gfn), &level, &e);
	*type = p2m_entry_type(p2m->format, e);
	return e ? frame_in(e, gfn_x(gfn), level) : INVALID_MFN;
}

bool p2m_peek(const struct domain *d, gfn_t gfn, struct p2m_peek *peek)
{
	const struct p2m *p2m = p2m_of(d);
	unsigned int level;

	if (gfn_x(gfn) >= P2M_GFN_END)
		return false;
	peek->slot = p2m_entry_find(p2m, gfn_x(gfn), &level, &peek->entry);
	if (!peek->entry || p2m_entry_type(p2m->format, peek->entry) == P2M_MMIO)
		return false;
	peek->mfn = frame_in(peek->entry, gfn_x(gfn), level);
	return true;
}

/* What gfn maps, with a reference, if it is RAM; any_owner: or another domain's frame. */
static struct page_info *frame_get(const struct domain *d, gfn_t gfn, bool any_owner, mfn_t *mfn,
				   enum p2m_type *type)
{
	for (;;) {
		const struct domain *owner = d;
		struct p2m_peek peek;
		struct page_info *pg;
		bool got;

		if (!p2m_peek(d, gfn, &peek))
			return NULL;
		*mfn = peek.mfn;
		*type = p2m_entry_type(p2m_of(d)->format, peek.entry);
		if (!any_owner && !type_is_ram(*type))
			return NULL;
		pg = mfn_to_page(*mfn);
		if (!type_is_ram(*type))
			owner = page_owner(pg);
		got = owner && page_get(pg, owner);
		if (p2m_peek_holds(&peek))
			return got ? pg : NULL; /* not got: its count is full */
		if (got)
			page_put(pg);
	}
}

struct page_info *p2m_frame_get(struct domain *d, gfn_t gfn, mfn_t *mfn)
{
	enum p2m_type type;

	return frame_get(d, gfn, false, mfn, &type);
}

/*
 * The type reference is needed for other domains' frames: once d's entry is gone, their owner could
 * make a page table of one while the hypervisor still writes to it. No frame of d's own ever gets
 * another type.
 */
struct page_info *p2m_access_get(struct domain *d, gfn_t gfn, bool write, mfn_t *mfn)
{
	enum p2m_type type;
	struct page_info *pg = frame_get(d, gfn, true, mfn, &type);

	if (!pg || !write)
		return pg;
	if (type_holds_writable(type) && (type_is_ram(type) || !page_type_get(pg, PGT_WRITABLE)))
		return pg;
	page_put(pg);
	return NULL;
}

void p2m_access_put(const struct domain *d, struct page_info *pg, bool write)
{
	if (write) {
		log_dirty_mark(pg);
		if (page_owner(pg) != d && page_type_put(pg))
			BUG();
	}
	page_put(pg);
}

bool p2m_fault(struct vcpu *v, u64 gpa, bool write, bool fetch)
{
	const struct p2m *p2m = p2m_of(v->domain);
	unsigned long gfn = gpa >> PAGE_SHIFT;
	u64 need = write ? p2m->format->writable : 0, e = 0;
	unsigned int level;

	if (gfn < P2M_GFN_END)
		(void)p2m_entry_find(p2m, gfn, &level, &e);
	if (write && p2m_entry_type(p2m->format, e) == P2M_RAM_LOGDIRTY)
		return p2m_log_first_write(v->domain, gfn);
	/* Fetches from MMIO and other domains' frames are refused for good. */
	return e && (e & need) == need && !(fetch && !type_is_ram(p2m_entry_type(p2m->format, e)));
}

/* --- the end --- */

#define RELINQUISH_FRAMES 512  /* references dropped between two checks for preemption */
#define RELINQUISH_EMPTY  4096 /* empty entries passed */

static int drop_entries(struct domain *d)
{
	struct p2m *p2m = p2m_of(d);
	unsigned int frames = 0, empty = 0;

	while (p2m->relinquish_next <= p2m->max_gfn) {
		unsigned long gfn = p2m->relinquish_next, n;
		unsigned int level;
		u64 *slot, e;

		spin_lock(&p2m->lock);
		slot = p2m_entry_find(p2m, gfn, &level, &e);
		if (e) {
			WRITE_ONCE(*slot, 0);
			unname_frames(d, e, level, gfn);
		}
		spin_unlock(&p2m->lock);
		n = 1UL << (9 * (level - 1));
		p2m->relinquish_next = (gfn | (n - 1)) + 1;
		if (e) {
			for (unsigned long i = 0; i < n; i++)
				p2m_refs_put(d, mfn_add(p2m_entry_mfn(e), i),
					     p2m_entry_type(p2m->format, e));
			frames += (unsigned int)n;
		} else {
			empty++;
		}
		if (frames < RELINQUISH_FRAMES && empty < RELINQUISH_EMPTY)
			continue;
		frames = empty = 0;
		if (hypercall_preempt_check())
			return -ERESTART;
	}
	return 0;
}

/*
 * Gives up the allocation of the first page of d's list, which moves to the list's end: another
 * domain may still use the page. False: the list is empty.
 */
static bool give_up_page(struct domain *d)
{
	struct page_info *pg;
	bool got = false;

	spin_lock(&d->memory.lock);
	pg = page_list_first(&d->memory.pages);
	if (pg) {
		page_list_del(pg, &d->memory.pages);
		page_list_add_tail(pg, &d->memory.pages);
		/* Not got: it is being freed, or has lost its allocation already. */
		got = page_get(pg, d);
	}
	spin_unlock(&d->memory.lock);
	if (got) {
		page_put_alloc_ref(pg);
		page_put(pg);
	}
	return pg != NULL;
}

int p2m_relinquish(struct domain *d)
{
	unsigned long *left = &d->arch->relinquish_pages;
	struct p2m *p2m = p2m_of(d);
	int err;

	if (!p2m->relinquished) {
		/*
		 * d is dying, so no new entry appears once the lock was free. No vCPU enters the
		 * guest again; this flush is for what the TLBs still have.
		 */
		if (!p2m->relinquish_next) {
			spin_lock(&p2m->lock);
			spin_unlock(&p2m->lock);
			p2m_flush(d);
		}
		err = drop_entries(d);
		if (err)
			return err;
		p2m->relinquished = true;
		*left = 0;
	}
	if (!*left) {
		spin_lock(&d->memory.lock);
		*left = 1 + d->memory.pages.nr;
		spin_unlock(&d->memory.lock);
	}
	for (unsigned int n = 1; *left > 1 && give_up_page(d); n++) {
		(*left)--;
		if (n % 64 == 0 && hypercall_preempt_check())
			return -ERESTART;
	}
	*left = 1;
	return 0;
}
