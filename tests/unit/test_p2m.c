/* SPDX-License-Identifier: MIT */
/*
 * The p2m against a model: an array of what each gfn maps. After each step every reference that
 * should exist is counted afresh and compared with the frame table. A frame that loses its last
 * reference must have been flushed from the TLBs since its entry went away.
 */
/* links: hypervisor/x86/hvm/p2m.c hypervisor/x86/hvm/p2m_log.c hypervisor/x86/hvm/p2m_format.c */
/* links: hypervisor/x86/mm/page_types.c hypervisor/x86/mm/page_validate.c hypervisor/x86/mm/page_check.c */
/* links: hypervisor/core/domain/page_ref.c hypervisor/core/base/page_list.c */
/* links: hypervisor/x86/mm/log_dirty.c hypervisor/x86/mm/mirror.c hypervisor/lib/dirty_map.c */
/* links: hypervisor/lib/bitmap.c hypervisor/lib/rangeset.c */
#include "x86/hvm/p2m.h"

#include <string.h>
#include "core/base/page_alloc_internal.h"
#include "host/host.h"
#include "hv/arch/frame.h"
#include "hv/arch/map.h"
#include "hv/hv_heap.h"
#include "hv/page_alloc.h"
#include "hv/pause.h"
#include "lib/errno.h"
#include "unit.h"
#include "x86/cpu/feature.h"
#include "x86/hvm/p2m_format.h"
#include "x86/mm/log_dirty.h"
#include "x86/mm/page_types.h"
#include "x86/mm/paging.h"
#include "x86/mm/tlb.h"

#define RAM_PAGES   8192
#define OWN_FIRST   1024
#define OWN_PAGES   4096
#define FREE_FIRST  512 /* the other domain's frames */
#define OTHER_PAGES 64

/* The gfns that the test uses: 2048 low ones, 512 and 512 far up. */
#define GFNS 3072
static unsigned long gfn_at(unsigned int i)
{
	if (i < 2048)
		return i;
	return i < 2560 ? BIT(21) - 512 + (i - 2048) : P2M_GFN_END - 512 + (i - 2560);
}

static struct {
	unsigned long mfn;
	enum p2m_type type;
} model[GFNS];

struct domain *dom0, *dom_io, *dom_xen, *idle_domain;
struct cpu_features cpu_features = { .paddr_bits = 40 };
u64 *idle_l4;

static struct domain *own, *other;
static unsigned long m2p[RAM_PAGES];
static unsigned long flushes, taken_at[RAM_PAGES], freed_pages;
static unsigned int pending[RAM_PAGES], pending_type[RAM_PAGES]; /* references of a batch */
static u64 seed;
static unsigned int preempt_chance;

/* --- the dirty log --- */
#define LOGGED 2048UL /* the gfns below this are in the test's bitmaps */
static bool logged;   /* it was on once */
static bool written[LOGGED];
static u64 bitmap[LOGGED / 64];

bool hypercall_preempt_check(void)
{
	return preempt_chance && unit_random(&seed) % 256 < preempt_chance;
}

bool domain_get(struct domain *d)
{
	d->refcount++;
	return true;
}

void domain_put(struct domain *d)
{
	d->refcount--;
}

void arch_page_reused(struct page_info *pg, unsigned int order)
{
}

void arch_page_freed(struct page_info *pg, unsigned int order)
{
}

bool arch_page_has_type(const struct page_info *pg)
{
	return page_type_count(pg) != 0;
}

void page_alloc_release(struct page_info *pg, const struct domain *d)
{
	unsigned long mfn = mfn_x(page_to_mfn(pg));

	assert_int_equal(page_type_count(pg), 0);
	assert_true(flushes > taken_at[mfn]);
	m2p[mfn] = M2P_INVALID;
	freed_pages++;
}

void shared_page_release(struct page_info *pg)
{
	fail();
}

void m2p_set(mfn_t mfn, unsigned long pfn)
{
	m2p[mfn_x(mfn)] = pfn;
}

unsigned long m2p_get(mfn_t mfn)
{
	return m2p[mfn_x(mfn)];
}

/* For mirrors, which such a guest has not. */
struct page_info *page_alloc(struct domain *d, unsigned int order, unsigned int memf)
{
	return NULL;
}

void page_free(struct page_info *pg, unsigned int order)
{
}

void tlb_ipi_handler(void)
{
}

void domain_pause(struct domain *d)
{
}

void domain_unpause(struct domain *d)
{
}

void tlb_flush_mask(const cpumask_t *cpus)
{
	assert_int_equal(host_locks_held(), 0);
	if (cpus == &cpu_online_map)
		return; /* the log is off: each CPU serves an interrupt */
	assert_ptr_equal(cpus, &own->arch->dirty_cpus);
	flushes++;
}

u32 tlb_clock(void)
{
	return 1;
}

void tlb_filter(cpumask_t *cpus, u32 stamp)
{
	cpumask_zero(cpus);
}

void l4_fill_hypervisor_slots(u64 *l4, const struct domain *d)
{
}

/* --- domains and frames --- */

static struct domain *domain_new(unsigned int id)
{
	struct domain *d = hv_alloc_pages(2);

	_Static_assert(sizeof(struct domain) <= 4 * PAGE_SIZE, "");
	d->id = (domid_t)id;
	d->memory.pages = (struct page_list)PAGE_LIST_INIT;
	d->memory.max_pages = OWN_PAGES;
	d->arch = hv_alloc_pages(0);
	_Static_assert(sizeof(struct arch_domain) <= PAGE_SIZE, "");
	spin_lock_init(&d->memory.lock, LOCK_PAGE_LIST);
	return d;
}

static void give(struct domain *d, unsigned long mfn)
{
	struct page_info *pg = mfn_to_page(MFN(mfn));

	memset(pg, 0, sizeof(*pg));
	assert_int_equal(page_assign_prepared(d, pg, 0, 0), 0);
}

static int setup(void **state)
{
	host_cpus_init(1);
	host_ram_init(RAM_PAGES);
	memset(m2p, 0xff, sizeof(m2p));
	memset(taken_at, 0, sizeof(taken_at));
	memset(model, 0, sizeof(model));
	memset(pending, 0, sizeof(pending));
	memset(pending_type, 0, sizeof(pending_type));
	flushes = freed_pages = 0;
	logged = false;
	memset(written, 0, sizeof(written));
	preempt_chance = 0;
	seed = UNIT_SEED;
	dom_io = domain_new(100);
	own = domain_new(1);
	other = domain_new(2);
	for (unsigned int i = 0; i < OWN_PAGES; i++)
		give(own, OWN_FIRST + i);
	for (unsigned int i = 0; i < OTHER_PAGES; i++)
		give(other, FREE_FIRST + i);
	return 0;
}

static int teardown(void **state)
{
	p2m_free(own);
	return 0;
}

static bool holds_writable(enum p2m_type type)
{
	return type == P2M_RAM_RW || type == P2M_GRANT_RW || type == P2M_FOREIGN ||
	       type == P2M_RAM_LOGDIRTY;
}

static bool is_ram(enum p2m_type type)
{
	return type == P2M_RAM_RW || type == P2M_RAM_RO || type == P2M_RAM_LOGDIRTY;
}

static void check(void)
{
	static unsigned int refs[RAM_PAGES], types[RAM_PAGES];
	enum p2m_type type;

	memcpy(refs, pending, sizeof(refs));
	memcpy(types, pending_type, sizeof(types));
	for (unsigned int i = 0; i < GFNS; i++) {
		mfn_t mfn = p2m_lookup(own, GFN(gfn_at(i)), &type);

		if (type == P2M_RAM_LOGDIRTY) {
			assert_true(logged);
			type = P2M_RAM_RW;
		} else if (type == P2M_RAM_RW && log_dirty_of(own)) {
			/* Whoever may write is marked. */
			assert_true(gfn_at(i) >= LOGGED ||
				    dirty_map_test(&own->arch->log_dirty->map, gfn_at(i)));
		}
		assert_int_equal(type, model[i].type);
		if (type == P2M_NONE) {
			assert_true(mfn_eq(mfn, INVALID_MFN));
			continue;
		}
		assert_int_equal(mfn_x(mfn), model[i].mfn);
		if (type == P2M_MMIO)
			continue;
		refs[model[i].mfn]++;
		types[model[i].mfn] += holds_writable(type);
		if (is_ram(type))
			assert_int_equal(m2p[model[i].mfn], gfn_at(i));
	}
	for (unsigned long m = FREE_FIRST; m < OWN_FIRST + OWN_PAGES; m++) {
		const struct page_info *pg = mfn_to_page(MFN(m));

		if (m >= FREE_FIRST + OTHER_PAGES && m < OWN_FIRST)
			continue;
		assert_int_equal(pg->count_info & PGC_COUNT_MASK,
				 refs[m] + !!(pg->count_info & PGC_ALLOCATED));
		assert_int_equal(page_type_count(pg), types[m]);
	}
	assert_int_equal(host_locks_held(), 0);
}

/* --- the model's steps --- */

static bool is_mapped(unsigned long mfn)
{
	for (unsigned int i = 0; i < GFNS; i++)
		if (is_ram(model[i].type) && model[i].mfn == mfn)
			return true;
	return false;
}

/* A frame of own's without a number; if none, a freed one is given to it again. */
static unsigned long spare_frame(void)
{
	for (unsigned int tries = 0; tries < 200; tries++) {
		unsigned long mfn = OWN_FIRST + unit_random(&seed) % OWN_PAGES;
		struct page_info *pg = mfn_to_page(MFN(mfn));

		if (!pg->count_info)
			give(own, mfn);
		if ((pg->count_info & PGC_ALLOCATED) && !pending[mfn] && !is_mapped(mfn))
			return mfn;
	}
	return 0;
}

static void model_gone(unsigned int i)
{
	if (model[i].type != P2M_NONE && model[i].type != P2M_MMIO)
		taken_at[model[i].mfn] = flushes;
	model[i].type = P2M_NONE;
}

static void random_set(void)
{
	static const enum p2m_type types[] = { P2M_RAM_RW,   P2M_RAM_RW,  P2M_RAM_RO, P2M_GRANT_RW,
					       P2M_GRANT_RO, P2M_FOREIGN, P2M_MMIO };
	unsigned int i = (unsigned int)(unit_random(&seed) % GFNS);
	enum p2m_type type = types[unit_random(&seed) % ARRAY_SIZE(types)];
	unsigned long mfn;

	if (type == P2M_MMIO)
		mfn = BIT(30) + unit_random(&seed) % 1000;
	else if (!is_ram(type))
		mfn = FREE_FIRST + unit_random(&seed) % OTHER_PAGES;
	else if (!(mfn = spare_frame()))
		return;
	if (type != P2M_MMIO)
		assert_int_equal(p2m_refs_get(own, MFN(mfn), type), 0);
	if (unit_random(&seed) % 8 == 0)
		host_alloc_fail_after = (long)(unit_random(&seed) % 3);
	/* What was there goes while p2m_set runs. */
	if (model[i].type != P2M_NONE && model[i].type != P2M_MMIO)
		taken_at[model[i].mfn] = flushes;
	if (p2m_set(own, GFN(gfn_at(i)), MFN(mfn), 0, type)) {
		assert_true(host_alloc_fail_after < 0);
		p2m_refs_put(own, MFN(mfn), type);
	} else {
		model_gone(i);
		model[i].mfn = mfn;
		model[i].type = type;
	}
	host_alloc_fail_after = -1;
}

static void random_set_large(void)
{
	unsigned int i = (unsigned int)(unit_random(&seed) % (GFNS / 512)) * 512;
	unsigned long mfn = OWN_FIRST + unit_random(&seed) % (OWN_PAGES / 512) * 512;

	for (unsigned long m = mfn; m < mfn + 512; m++)
		if (pending[m] || is_mapped(m))
			return;
	for (unsigned long m = mfn; m < mfn + 512; m++) {
		if (!(mfn_to_page(MFN(m))->count_info & PGC_ALLOCATED))
			give(own, m);
		assert_int_equal(p2m_refs_get(own, MFN(m), P2M_RAM_RW), 0);
	}
	for (unsigned int j = i; j < i + 512; j++)
		if (model[j].type != P2M_NONE && model[j].type != P2M_MMIO)
			taken_at[model[j].mfn] = flushes;
	assert_int_equal(p2m_set(own, GFN(gfn_at(i)), MFN(mfn), 9, P2M_RAM_RW), 0);
	for (unsigned int j = 0; j < 512; j++) {
		model[i + j].type = P2M_RAM_RW;
		model[i + j].mfn = mfn + j;
	}
}

static void take(struct p2m_batch *b, unsigned int i, unsigned int order, enum p2m_take how,
		 mfn_t mfn)
{
	unsigned int before = b->nr;
	int err = p2m_take(own, GFN(gfn_at(i)), mfn, order, how, b);

	if (model[i].type == P2M_NONE || (how == P2M_GIVE_UP && !is_ram(model[i].type)) ||
	    (!mfn_eq(mfn, INVALID_MFN) && mfn_x(mfn) != model[i].mfn)) {
		assert_int_equal(err, -ENOENT);
		return;
	}
	if (err)
		return; /* not of that size, or no memory for a split */
	assert_int_equal(b->nr, before + 1);
	for (unsigned int j = i; j < i + (1U << order); j++) {
		if (model[j].type != P2M_MMIO) {
			pending[model[j].mfn]++;
			pending_type[model[j].mfn] += holds_writable(model[j].type);
		}
		if (is_ram(model[j].type))
			assert_int_equal(m2p[model[j].mfn], M2P_INVALID);
		model_gone(j);
	}
}

static void random_take(void)
{
	struct p2m_batch b = { .nr = 0 };
	unsigned int n = 1 + (unsigned int)(unit_random(&seed) % P2M_BATCH);
	unsigned long freed = freed_pages, at = flushes;

	for (unsigned int k = 0; k < n; k++) {
		unsigned int i = (unsigned int)(unit_random(&seed) % GFNS);
		mfn_t mfn = unit_random(&seed) % 2 ? INVALID_MFN : MFN(model[i].mfn);
		bool large = unit_random(&seed) % 8 == 0;

		if (unit_random(&seed) % 8 == 0)
			mfn = MFN(model[i].mfn + 1);
		if (unit_random(&seed) % 16 == 0)
			host_alloc_fail_after = 0;
		take(&b, large ? i & ~511U : i, large ? 9 : 0,
		     unit_random(&seed) % 2 ? P2M_GIVE_UP : P2M_KEEP, large ? INVALID_MFN : mfn);
		host_alloc_fail_after = -1;
	}
	/* Nothing is freed, and no reference dropped, before the flush. */
	assert_int_equal(freed_pages, freed);
	assert_int_equal(flushes, at);
	check();
	n = b.nr;
	p2m_batch_finish(own, &b);
	memset(pending, 0, sizeof(pending));
	memset(pending_type, 0, sizeof(pending_type));
	assert_int_equal(flushes, at + (n ? 1 : 0));
}

static void random_lookups(void)
{
	for (unsigned int k = 0; k < 20; k++) {
		unsigned int i = (unsigned int)(unit_random(&seed) % GFNS);
		bool write = unit_random(&seed) % 2;
		struct page_info *pg;
		mfn_t mfn;

		pg = p2m_frame_get(own, GFN(gfn_at(i)), &mfn);
		assert_int_equal(pg != NULL, is_ram(model[i].type));
		if (pg) {
			assert_int_equal(mfn_x(mfn), model[i].mfn);
			assert_ptr_equal(pg, mfn_to_page(mfn));
			page_put(pg);
		}
		pg = p2m_access_get(own, GFN(gfn_at(i)), write, &mfn);
		assert_int_equal(pg != NULL, model[i].type != P2M_NONE &&
						     model[i].type != P2M_MMIO &&
						     (!write || holds_writable(model[i].type)));
		if (pg) {
			p2m_access_put(own, pg, write);
			if (write && is_ram(model[i].type) && gfn_at(i) < LOGGED)
				written[gfn_at(i)] = true;
		}
	}
}

/* What the processor finds for a gfn. */
static u64 walk(unsigned long gfn, unsigned int *level)
{
	const u64 *table = p2m_of(own)->root;

	for (*level = 4;; (*level)--) {
		u64 e = table[(gfn >> (9 * (*level - 1))) & 511];

		if (*level == 1 || !e || (e & (u64)PTE_PSE))
			return e;
		table = mfn_to_hv_virt(p2m_entry_mfn(e));
	}
}

/* A vCPU writes to what it may write to. */
static void random_guest_writes(void)
{
	static struct vcpu v;
	unsigned int level;

	unsigned int fail_chance = unit_random(&seed) % 2 ? 16 : 1;

	v.domain = own;
	for (unsigned int n = 0; n < 50; n++) {
		unsigned int i = (unsigned int)(unit_random(&seed) % GFNS);
		bool may = holds_writable(model[i].type) || model[i].type == P2M_MMIO;

		if (unit_random(&seed) % fail_chance == 0)
			host_alloc_fail_after = 0; /* no table for a split */
		if (!(walk(gfn_at(i), &level) & p2m_of(own)->format->writable))
			assert_int_equal(p2m_fault(&v, gfn_at(i) << PAGE_SHIFT, true, false), may);
		host_alloc_fail_after = -1;
		assert_int_equal(!!(walk(gfn_at(i), &level) & p2m_of(own)->format->writable), may);
		if (may && model[i].type == P2M_RAM_RW && gfn_at(i) < LOGGED)
			written[gfn_at(i)] = true;
	}
}

static int copy_bits(void *fail_at, u64 at, const void *from, size_t n)
{
	if (fail_at && at == *(u64 *)fail_at)
		return -EFAULT;
	memcpy((char *)bitmap + at, from, n);
	return 0;
}

/* What was written since the last round is in this one. */
static void random_round(void)
{
	struct log_dirty_result result;
	u64 fail_at = 0;
	int err;

	if (!log_dirty_of(own)) {
		preempt_chance = 100;
		while ((err = log_dirty_enable(own, NULL)) == -ERESTART)
			;
		preempt_chance = 0;
		assert_int_equal(err, 0);
		logged = true;
		memset(written, 0, sizeof(written));
		return;
	}
	if (unit_random(&seed) % 8 == 0) {
		err = log_dirty_disable(own, NULL);
		assert_int_equal(err, 0);
		return;
	}
	if (unit_random(&seed) % 8 == 0) {
		/* It fails midway: nothing is lost. */
		assert_int_equal(log_dirty_round(own, copy_bits, &fail_at, LOGGED, LOG_DIRTY_TAKE,
						 &result),
				 -EFAULT);
		return;
	}
	memset(bitmap, 0, sizeof(bitmap));
	assert_int_equal(log_dirty_round(own, copy_bits, NULL, LOGGED, LOG_DIRTY_TAKE, &result), 0);
	for (unsigned long g = 0; g < LOGGED; g++)
		if (written[g])
			assert_true(bitmap[g / 64] & BIT(g % 64));
	memset(written, 0, sizeof(written));
}

static void relinquish(void)
{
	unsigned int steps = 0;

	own->state = DOMAIN_DYING;
	preempt_chance = 200;
	while (p2m_relinquish(own) == -ERESTART)
		steps++;
	assert_true(steps > 3);
	memset(model, 0, sizeof(model));
	check();
	for (unsigned long m = OWN_FIRST; m < OWN_FIRST + OWN_PAGES; m++)
		assert_int_equal(mfn_to_page(MFN(m))->count_info, 0);
	assert_int_equal(own->memory.tot_pages, 0);
	assert_int_equal(other->memory.tot_pages, OTHER_PAGES);
}

static void test_random(const struct p2m_format *format)
{
	unsigned long live;

	setup(NULL);
	live = host_allocs_live;
	assert_int_equal(p2m_create(own, format), 0);
	for (unsigned int step = 0; step < 2000; step++) {
		switch (unit_random(&seed) % 10) {
		case 8:
			random_guest_writes();
			break;
		case 9:
			random_round();
			break;
		case 0:
			random_set_large();
			break;
		case 1:
			random_take();
			break;
		case 2:
			random_lookups();
			break;
		default:
			for (unsigned int n = 0; n < 10; n++)
				random_set();
		}
		check();
	}
	assert_true(freed_pages > 1000);
	relinquish();
	while (log_dirty_disable(own, NULL) == -ERESTART)
		;
	log_dirty_free(own);
	p2m_free(own);
	assert_int_equal(host_allocs_live, live);
}

static void test_random_npt(void **state)
{
	test_random(&p2m_format_npt);
}

static void test_random_ept(void **state)
{
	test_random(&p2m_format_ept);
}

/* --- single behaviours --- */

static void set_ram(unsigned long gfn, unsigned long mfn, unsigned int order)
{
	for (unsigned long i = 0; i < 1UL << order; i++)
		assert_int_equal(p2m_refs_get(own, MFN(mfn + i), P2M_RAM_RW), 0);
	assert_int_equal(p2m_set(own, GFN(gfn), MFN(mfn), order, P2M_RAM_RW), 0);
}

static void test_entries_npt(void **state)
{
	unsigned int level;

	assert_int_equal(p2m_create(own, &p2m_format_npt), 0);
	set_ram(7, OWN_FIRST + 7, 0);
	assert_true(walk(7, &level) == ((OWN_FIRST + 7) * PAGE_SIZE | 0x267));
	assert_int_equal(level, 1);
	set_ram(512, OWN_FIRST + 512, 9);
	assert_true(walk(512 + 5, &level) == ((OWN_FIRST + 512) * PAGE_SIZE | 0x2e7));
	assert_int_equal(level, 2);
	/* Each type's rights: writable, executable. */
	for (enum p2m_type t = P2M_RAM_RW; t <= P2M_MMIO; t++) {
		u64 e = p2m_entry_leaf(&p2m_format_npt, MFN(0x12345), 1, t);
		bool writable =
			t == P2M_RAM_RW || t == P2M_GRANT_RW || t == P2M_FOREIGN || t == P2M_MMIO;

		assert_int_equal(!!(e & PTE_RW), writable);
		assert_int_equal(!!(e & PTE_NX), !is_ram(t));
		assert_true((e & (PTE_PRESENT | PTE_USER)) == (PTE_PRESENT | PTE_USER));
		assert_int_equal(p2m_entry_type(&p2m_format_npt, e), t);
		assert_int_equal(mfn_x(p2m_entry_mfn(e)), 0x12345);
	}
}

static void test_entries_ept(void **state)
{
	unsigned int level;

	assert_int_equal(p2m_create(own, &p2m_format_ept), 0);
	set_ram(7, OWN_FIRST + 7, 0);
	assert_true(walk(7, &level) == ((OWN_FIRST + 7) * PAGE_SIZE | 0x37 | 1UL << 52));
	set_ram(512, OWN_FIRST + 512, 9);
	assert_true(walk(512 + 5, &level) == ((OWN_FIRST + 512) * PAGE_SIZE | 0xb7 | 1UL << 52));
	assert_int_equal(level, 2);
	for (enum p2m_type t = P2M_RAM_RW; t <= P2M_MMIO; t++) {
		u64 e = p2m_entry_leaf(&p2m_format_ept, MFN(0x12345), 1, t);
		bool writable =
			t == P2M_RAM_RW || t == P2M_GRANT_RW || t == P2M_FOREIGN || t == P2M_MMIO;

		assert_true(e & 1);
		assert_int_equal(!!(e & 2), writable);
		assert_int_equal(!!(e & 4), is_ram(t));
		assert_int_equal((e >> 3) & 7, t == P2M_MMIO ? 0 : 6);
		assert_int_equal(p2m_entry_type(&p2m_format_ept, e), t);
	}
}

/* A new translation needs no flush; a change of one does, before the new one appears. */
static void test_flushes(void **state)
{
	u32 generation;

	assert_int_equal(p2m_create(own, &p2m_format_npt), 0);
	generation = p2m_of(own)->generation;
	set_ram(7, OWN_FIRST + 7, 0);
	assert_int_equal(flushes, 0);
	taken_at[OWN_FIRST + 7] = 0;
	set_ram(7, OWN_FIRST + 8, 0);
	assert_int_equal(flushes, 1);
	assert_int_equal(freed_pages, 1);
	assert_int_equal(p2m_of(own)->generation, generation + 1);
	assert_int_equal(p2m_remove(own, GFN(7), MFN(OWN_FIRST + 9)), -ENOENT);
	assert_int_equal(flushes, 1);
	assert_int_equal(p2m_remove(own, GFN(7), MFN(OWN_FIRST + 8)), 0);
	assert_int_equal(flushes, 2);
	assert_int_equal(freed_pages, 1); /* it is still the domain's */
}

static void test_limits(void **state)
{
	unsigned long n;
	int err = 0;

	assert_int_equal(p2m_create(own, &p2m_format_npt), 0);
	assert_int_equal(p2m_set(own, GFN(P2M_GFN_END), MFN(BIT(30)), 0, P2M_MMIO), -EINVAL);
	assert_int_equal(p2m_set(own, GFN(~0UL), MFN(BIT(30)), 0, P2M_MMIO), -EINVAL);
	assert_int_equal(p2m_set(own, GFN(1), MFN(BIT(30)), 9, P2M_MMIO), -EINVAL);
	assert_int_equal(p2m_set(own, GFN(1), MFN(BIT(40)), 0, P2M_MMIO), -EINVAL);
	assert_int_equal(p2m_set(own, GFN(1), MFN(BIT(30)), 0, P2M_NONE), -EINVAL);
	assert_true(p2m_frame_get(own, GFN(~0UL), &(mfn_t){ 0 }) == NULL);
	assert_int_equal(p2m_refs_get(own, MFN(FREE_FIRST), P2M_RAM_RW), -EINVAL);
	assert_int_equal(p2m_refs_get(own, MFN(RAM_PAGES), P2M_FOREIGN), -EINVAL);
	/* The tables are paid from the pool. */
	own->arch->paging_pool_pages = 40;
	for (n = 0; !err; n++)
		err = p2m_set(own, GFN(n << 18), MFN(BIT(30)), 0, P2M_MMIO);
	assert_int_equal(err, -ENOMEM);
	assert_true(n > 10 && n < 40);
	assert_int_equal(p2m_of(own)->table_pages, 40);
	own->state = DOMAIN_DYING;
	assert_int_equal(p2m_set(own, GFN(0), MFN(BIT(30)), 0, P2M_MMIO), -EINVAL);
}

/* A fault is tried again if the entry allows the access by now. */
static void test_fault(void **state)
{
	struct vcpu *v = hv_alloc_pages(0);

	v->domain = own;
	assert_int_equal(p2m_create(own, &p2m_format_npt), 0);
	assert_false(p2m_fault(v, 0x7123, false, false));
	set_ram(7, OWN_FIRST + 7, 0);
	assert_true(p2m_fault(v, 0x7123, false, false));
	assert_true(p2m_fault(v, 0x7123, true, false));
	assert_true(p2m_fault(v, 0x7123, false, true));
	assert_int_equal(p2m_refs_get(own, MFN(OWN_FIRST + 8), P2M_RAM_RO), 0);
	assert_int_equal(p2m_set(own, GFN(8), MFN(OWN_FIRST + 8), 0, P2M_RAM_RO), 0);
	assert_true(p2m_fault(v, 0x8123, false, true));
	assert_false(p2m_fault(v, 0x8123, true, false));
	assert_int_equal(p2m_refs_get(own, MFN(FREE_FIRST), P2M_GRANT_RW), 0);
	assert_int_equal(p2m_set(own, GFN(9), MFN(FREE_FIRST), 0, P2M_GRANT_RW), 0);
	assert_true(p2m_fault(v, 0x9000, true, false));
	assert_false(p2m_fault(v, 0x9000, false, true));
	assert_false(p2m_fault(v, ~0UL, false, false));
}

static unsigned int marked(unsigned long first, unsigned long n)
{
	unsigned int count = 0;

	for (unsigned long g = first; g < first + n; g++)
		count += dirty_map_test(&own->arch->log_dirty->map, g);
	return count;
}

/* A first write splits an entry of 2 MiB; without a table for that, all of it is marked. */
static void test_log_large(void **state)
{
	static struct vcpu v;
	unsigned int level;

	v.domain = own;
	assert_int_equal(p2m_create(own, &p2m_format_npt), 0);
	set_ram(512, OWN_FIRST + 512, 9);
	set_ram(1024, OWN_FIRST + 1024, 9);
	set_ram(1536, OWN_FIRST + 1536, 9);
	assert_int_equal(log_dirty_enable(own, NULL), 0);
	assert_int_equal(log_dirty_enable(own, NULL), -EINVAL);
	assert_false(walk(512, &level) & PTE_RW);
	assert_int_equal(level, 2);
	assert_true(p2m_fault(&v, 515UL << PAGE_SHIFT, true, false));
	assert_int_equal(marked(512, 512), 1);
	assert_true(walk(515, &level) & PTE_RW);
	assert_int_equal(level, 1);
	assert_false(walk(516, &level) & PTE_RW);
	host_alloc_fail_after = 0;
	assert_true(p2m_fault(&v, 1030UL << PAGE_SHIFT, true, false));
	assert_int_equal(marked(1024, 512), 512);
	assert_true(walk(1024, &level) & PTE_RW);
	assert_int_equal(level, 2);
	/* Reads mark nothing; once the log is off, a write splits nothing. */
	assert_true(p2m_fault(&v, 1540UL << PAGE_SHIFT, false, false));
	assert_int_equal(marked(1536, 512), 0);
	assert_int_equal(log_dirty_disable(own, NULL), 0);
	assert_true(p2m_fault(&v, 1540UL << PAGE_SHIFT, true, false));
	assert_true(walk(1540, &level) & PTE_RW);
	assert_int_equal(level, 2);
	log_dirty_free(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_npt),
		cmocka_unit_test(test_random_ept),
		cmocka_unit_test_setup_teardown(test_entries_npt, setup, teardown),
		cmocka_unit_test_setup_teardown(test_entries_ept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flushes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fault, setup, teardown),
		cmocka_unit_test_setup_teardown(test_log_large, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
