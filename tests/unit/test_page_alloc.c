/* SPDX-License-Identifier: MIT */
/* The page allocator: blocks, zones, scrubbing, references, claims, and the heap above it. */
/* links: hypervisor/core/base/buddy.c hypervisor/core/base/page_alloc.c hypervisor/core/base/page_list.c hypervisor/core/domain/page_ref.c hypervisor/core/base/hv_heap.c hypervisor/core/domain/shared_page.c hypervisor/core/base/slab.c hypervisor/lib/bitmap.c */
/* links: hypervisor/core/base/timer.c hypervisor/core/base/softirq.c hypervisor/lib/heap.c */
#include <stdlib.h>
#include <string.h>
#include "host/host.h"
#include "hv/arch/frame.h"
#include "hv/arch/map.h"
#include "hv/domain.h"
#include "hv/hv_heap.h"
#include "hv/page_alloc.h"
#include "hv/spinlock.h"
#include "lib/errno.h"
#include "unit.h"

/* 256 MiB from machine address 0, of which the first MiB belongs to nobody, as in a machine. */
enum { FRAMES = 1 << 16, FIRST = 256, RAM = FRAMES - FIRST, CHUNK = 512 };

struct domain *dom_xen;
static struct domain *dom_a, *dom_b;
static bool *in_use_before; /* frames whose reuse was announced and that were not freed since */
static bool *heap_mapped;   /* by chunk */
static unsigned int heap_chunks;

bool domain_get(struct domain *d)
{
	d->refcount++;
	return true;
}

void domain_put(struct domain *d)
{
	assert_true(d->refcount > 0);
	d->refcount--;
}

void arch_page_freed(struct page_info *pg, unsigned int order)
{
	for (unsigned long i = 0; i < 1UL << order; i++)
		in_use_before[pg - frame_table + i] = false;
}

void arch_page_reused(struct page_info *pg, unsigned int order)
{
	for (unsigned long i = 0; i < 1UL << order; i++) {
		assert_int_equal(host_locks_held(), 0);
		in_use_before[pg - frame_table + i] = true;
		pg[i].type_info = 0;
	}
}

bool arch_page_reuse_interrupts(const struct page_info *pg, unsigned int order)
{
	return false;
}

bool arch_page_has_type(const struct page_info *pg)
{
	return pg->type_info & 0xffff;
}

void arch_page_share(struct page_info *pg, bool guest_writable)
{
	pg->type_info = 1;
}

void arch_heap_map(mfn_t first)
{
	assert_int_equal(mfn_x(first) % CHUNK, 0);
	assert_false(heap_mapped[mfn_x(first) / CHUNK]);
	heap_mapped[mfn_x(first) / CHUNK] = true;
	heap_chunks++;
}

void arch_heap_unmap(mfn_t first)
{
	assert_true(heap_mapped[mfn_x(first) / CHUNK]);
	heap_mapped[mfn_x(first) / CHUNK] = false;
	heap_chunks--;
}

static unsigned long *frame_data(const struct page_info *pg)
{
	return mfn_to_hv_virt(page_to_mfn(pg));
}

static void make_dirty(struct page_info *pg, unsigned int order)
{
	for (unsigned long i = 0; i < 1UL << order; i++)
		frame_data(pg + i)[i % 512] = 0xd1d1d1d1;
}

static void assert_clear(const struct page_info *pg, unsigned int order)
{
	for (unsigned long i = 0; i < 1UL << order; i++)
		for (unsigned int w = 0; w < 512; w++)
			assert_int_equal(frame_data(pg + i)[w], 0);
}

static void scrub_all(void)
{
	while (page_alloc_scrub_some())
		;
	assert_int_equal(page_alloc_dirty_count(), 0);
}

static struct domain *new_domain(void)
{
	static unsigned int used;
	/* An owner is encoded as a page number above HEAP_VIRT, so put it into the simulated
	 * machine's first MiB. */
	struct domain *d = (struct domain *)(HEAP_VIRT + (1 + used * 4) * PAGE_SIZE);

	assert_true(sizeof(struct domain) <= 4 * PAGE_SIZE && used < 8);
	used++;
	memset(d, 0, sizeof(*d));
	spin_lock_init(&d->memory.lock, LOCK_PAGE_LIST);
	d->memory.pages = d->memory.hv_pages = (struct page_list)PAGE_LIST_INIT;
	d->memory.max_pages = 100;
	return d;
}

static int setup(void **state)
{
	host_cpus_init(1);
	host_ram_init(FRAMES);
	in_use_before = calloc(FRAMES, sizeof(*in_use_before));
	heap_mapped = calloc(FRAMES / CHUNK, sizeof(*heap_mapped));
	for (unsigned long mfn = FIRST; mfn < FRAMES; mfn++)
		frame_data(frame_table + mfn)[mfn % 512] = mfn;
	/* Add the RAM in pieces and out of order: they merge. */
	page_alloc_hold_range(PAGE_SIZE * 3000, PAGE_SIZE * 3005);
	page_alloc_add_range(PAGE_SIZE * 40000, PAGE_SIZE * FRAMES);
	page_alloc_add_range(PAGE_SIZE * FIRST, PAGE_SIZE * 3000);
	page_alloc_add_range(PAGE_SIZE * 3005, PAGE_SIZE * 40000);
	assert_int_equal(hv_memory_pages(), 5);
	page_alloc_add_range(PAGE_SIZE * 3000, PAGE_SIZE * 3005);
	assert_int_equal(hv_memory_pages(), 0);
	dom_a = new_domain();
	dom_b = new_domain();
	dom_xen = new_domain();
	return 0;
}

static int teardown(void **state)
{
	free(in_use_before);
	free(heap_mapped);
	return 0;
}

/* After each test all frames are free again, merged into the largest blocks. */
static int check_all_free(void **state)
{
	struct page_info *half, *quarter;

	assert_int_equal(page_alloc_free_count(), RAM);
	assert_int_equal(page_claimed_total(), 0);
	assert_int_equal(dom_a->refcount + dom_b->refcount + dom_xen->refcount, 0);
	assert_int_equal(dom_a->memory.tot_pages + dom_b->memory.tot_pages, 0);
	if (hv_memory_pages() == 0 && heap_chunks == 0) {
		half = page_alloc(NULL, 15, MEMF_NO_SCRUB);
		quarter = page_alloc(NULL, 14, MEMF_NO_SCRUB);
		assert_int_equal(mfn_x(page_to_mfn(half)), 1 << 15);
		assert_int_equal(mfn_x(page_to_mfn(quarter)), 1 << 14);
		page_free(half, 15);
		page_free(quarter, 14);
	}
	return 0;
}

static void boot_memory_is_dirty_and_handed_out_clear(void **state)
{
	struct page_info *pg;

	assert_int_equal(page_alloc_dirty_count(), RAM);
	pg = page_alloc(NULL, 4, 0);
	assert_non_null(pg);
	assert_clear(pg, 4);
	assert_int_equal(pg->count_info, 0);
	assert_int_equal(page_alloc_dirty_count(), RAM - 16);
	assert_int_equal(page_alloc_free_count(), RAM - 16);
	make_dirty(pg, 4);
	page_free(pg, 4);
	assert_int_equal(page_alloc_dirty_count(), RAM);
}

static void scrubbing_clears_exactly_what_is_dirty(void **state)
{
	struct page_info *pg;
	unsigned int steps = 0;

	scrub_all();
	assert_false(page_alloc_scrub_some());
	for (unsigned long mfn = FIRST; mfn < FRAMES; mfn++)
		assert_int_equal(frame_table[mfn].count_info & PGC_SCRUB, 0);
	assert_clear(frame_table + FIRST, 10);

	pg = page_alloc(NULL, 0, 0);
	make_dirty(pg, 0);
	page_free(pg, 0);
	assert_int_equal(page_alloc_dirty_count(), 1);
	/* One dirty frame in a large, merged block is found without a walk over the block. */
	while (page_alloc_scrub_some())
		steps++;
	assert_in_range(steps, 1, 2);
	assert_clear(pg, 0);
	assert_int_equal(page_alloc_free_count(), RAM);
}

static void clean_memory_is_preferred_unless_it_need_not_be(void **state)
{
	struct page_info *a, *b, *c, *later[256];

	scrub_all();
	a = page_alloc(NULL, 0, 0);
	b = page_alloc(NULL, 0, 0);
	c = page_alloc(NULL, 1, 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(later); i++)
		later[i] = page_alloc(NULL, 0, 0);
	/* b keeps a from merging, so a is a dirty block of its own, and no clean one has
	 * its size. */
	page_free(a, 0);
	/* These wait to be scrubbed now, and a does not any more. */
	for (unsigned int i = 0; i < ARRAY_SIZE(later); i++)
		page_free(later[i], 0);
	assert_ptr_equal(page_alloc(NULL, 0, MEMF_NO_SCRUB), a);
	page_free(b, 0);
	page_free(c, 1);
	page_free(a, 0);
	scrub_all();
}

static void address_limits_are_kept(void **state)
{
	struct page_info *pg;

	for (unsigned int bits = 21; bits <= 28; bits++) {
		pg = page_alloc(NULL, 0, MEMF_BITS(bits));
		assert_non_null(pg);
		assert_true(mfn_x(page_to_mfn(pg)) < 1UL << (bits - PAGE_SHIFT));
		/* The frame comes from the highest zone that fits. */
		assert_true(mfn_x(page_to_mfn(pg)) >= 1UL << (bits - 1 - PAGE_SHIFT));
		page_free(pg, 0);
	}
	assert_null(page_alloc(NULL, 0, MEMF_BITS(20)));
	assert_null(page_alloc(NULL, 0, MEMF_BITS(1)));
	pg = page_alloc(NULL, 0, MEMF_BITS(64));
	assert_non_null(pg);
	page_free(pg, 0);
	assert_int_equal(page_alloc_free_in(0, 21), 256);
	assert_int_equal(page_alloc_free_in(22, 23), 512 + 1024);
	assert_int_equal(page_alloc_free_in(0, 0), RAM);
}

static void high_memory_runs_out_before_low_memory_is_touched(void **state)
{
	struct page_info *pg[(RAM >> 8) + 1];
	unsigned int n = 0;

	/* No frame waits by itself: each is part of its block. */
	scrub_all();
	while ((pg[n] = page_alloc(NULL, 8, MEMF_NO_SCRUB)) != NULL) {
		if (n)
			assert_true(__builtin_clzl(pg[n] - frame_table) >=
				    __builtin_clzl(pg[n - 1] - frame_table));
		n++;
	}
	assert_int_equal(n, RAM >> 8);
	assert_int_equal(page_alloc_free_count(), 0);
	assert_null(page_alloc(NULL, 0, 0));
	assert_null(page_alloc(NULL, MAX_ORDER + 1, 0));
	while (n)
		page_free(pg[--n], 8);
}

static void a_domain_is_charged_and_limited(void **state)
{
	struct page_info *pg[101], *big;

	for (int i = 0; i < 100; i++) {
		pg[i] = page_alloc(dom_a, 0, 0);
		assert_non_null(pg[i]);
		assert_ptr_equal(page_owner(pg[i]), dom_a);
		assert_int_equal(pg[i]->count_info, PGC_ALLOCATED | 1);
	}
	assert_int_equal(dom_a->memory.tot_pages, 100);
	assert_int_equal(dom_a->memory.pages.nr, 100);
	assert_int_equal(dom_a->refcount, 1);
	assert_null(page_alloc(dom_a, 0, 0));
	assert_int_equal(page_alloc_free_count(), RAM - 100);
	big = page_alloc(dom_a, 2, MEMF_NO_REFCOUNT);
	assert_non_null(big);
	assert_int_equal(dom_a->memory.tot_pages, 100);
	for (int i = 0; i < 4; i++)
		assert_int_equal(page_steal(dom_a, big + i, MEMF_NO_REFCOUNT), 0);
	page_free(big, 2);
	for (int i = 0; i < 100; i++) {
		page_put_alloc_ref(pg[i]);
		page_put_alloc_ref(pg[i]); /* the second call has nothing to drop */
	}
}

static void a_dying_domain_gets_nothing(void **state)
{
	dom_a->state = DOMAIN_DYING;
	assert_null(page_alloc(dom_a, 0, 0));
	dom_a->state = DOMAIN_ALIVE;
}

static void references_keep_a_frame(void **state)
{
	struct page_info *pg = page_alloc(dom_a, 0, 0);

	assert_false(page_get(pg, dom_b));
	assert_ptr_equal(page_get_from_mfn(page_to_mfn(pg), dom_a), pg);
	assert_null(page_get_from_mfn(MFN(FRAMES), dom_a));
	assert_null(page_get_from_mfn(INVALID_MFN, dom_a));
	make_dirty(pg, 0);
	page_put_alloc_ref(pg);
	assert_ptr_equal(page_owner(pg), dom_a);
	assert_int_equal(dom_a->memory.tot_pages, 1);
	/* The page is being freed: no new references. */
	assert_false(page_get(pg, dom_a));
	page_put(pg);
	assert_int_equal(dom_a->refcount, 0);
	assert_true(pg->count_info & PGC_STATE_FREE);
	assert_false(in_use_before[pg - frame_table]);
	assert_false(page_get(pg, dom_a));
	assert_false(page_get(pg, NULL));
	pg = page_alloc(dom_b, 0, 0);
	pg->count_info |= PGC_COUNT_MASK;
	assert_false(page_get(pg, dom_b));
	pg->count_info = PGC_ALLOCATED | 1;
	page_put_alloc_ref(pg);
}

static void only_an_idle_frame_can_be_stolen(void **state)
{
	struct page_info *pg = page_alloc(dom_a, 0, 0);

	assert_int_equal(page_steal(dom_b, pg, 0), -EINVAL);
	assert_true(page_get(pg, dom_a));
	assert_int_equal(page_steal(dom_a, pg, 0), -EBUSY);
	page_put(pg);
	pg->type_info = 1;
	assert_int_equal(page_steal(dom_a, pg, 0), -EBUSY);
	pg->type_info = 0;
	assert_int_equal(page_steal(dom_a, pg, 0), 0);
	assert_null(page_owner(pg));
	assert_int_equal(dom_a->memory.tot_pages + dom_a->refcount, 0);
	assert_false(in_use_before[pg - frame_table]);
	dom_b->memory.max_pages = 0;
	assert_int_equal(page_assign(dom_b, pg, 0, 0), -E2BIG);
	dom_b->memory.max_pages = 100;
	assert_int_equal(page_assign(dom_b, pg, 0, 0), 0);
	assert_true(in_use_before[pg - frame_table]);
	assert_int_equal(dom_b->memory.tot_pages, 1);
	page_put_alloc_ref(pg);
}

static void claims_set_frames_aside(void **state)
{
	struct page_info *mine[3], *rest[64], *pg;
	unsigned int n = 0;

	dom_a->memory.max_pages = RAM;
	assert_int_equal(page_claim(dom_a, RAM + 1UL), -EINVAL);
	assert_int_equal(page_claim(dom_a, RAM - 10), 0);
	assert_int_equal(page_claimed_total(), RAM - 10);
	assert_int_equal(page_claim(dom_a, 5), -EINVAL); /* a domain has one claim */
	assert_int_equal(page_claim(dom_b, 11), -ENOMEM);
	assert_null(page_alloc(NULL, 4, 0));
	pg = page_alloc(dom_b, 3, 0);
	assert_non_null(pg);
	while ((rest[n] = page_alloc(NULL, 0, 0)))
		n++;
	assert_int_equal(n, 2);
	for (int i = 0; i < 3; i++)
		assert_non_null(mine[i] = page_alloc(dom_a, 0, 0));
	assert_int_equal(dom_a->memory.claimed_pages, RAM - 13);
	/* An allocation that fails late gives its part of the claim back. */
	dom_a->state = DOMAIN_DYING;
	assert_null(page_alloc(dom_a, 0, 0));
	dom_a->state = DOMAIN_ALIVE;
	assert_int_equal(dom_a->memory.claimed_pages, RAM - 13);
	assert_int_equal(page_claim(dom_a, 0), 0);
	assert_int_equal(page_claimed_total(), 0);
	assert_int_equal(page_claim(dom_a, 4), 0);
	assert_int_equal(page_claimed_total(), 1); /* a claim replaces the last one */
	assert_int_equal(page_claim(dom_a, 0), 0);
	while (n)
		page_free(rest[--n], 0);
	for (int i = 0; i < 3; i++)
		page_put_alloc_ref(mine[i]);
	for (int i = 0; i < 8; i++)
		page_put_alloc_ref(pg + i);
	dom_a->memory.max_pages = 100;
}

static void random_use_matches_a_model(void **state)
{
	enum { SLOTS = 500 };
	static struct {
		struct page_info *pg;
		unsigned int order;
	} slots[SLOTS];
	static bool used[FRAMES];
	uint64_t seed = UNIT_SEED;
	unsigned long free = RAM;

	for (int round = 0; round < 60000; round++) {
		unsigned int s = unit_random(&seed) % SLOTS, kind = unit_random(&seed) % 16;

		if (kind == 0) {
			page_alloc_scrub_some();
		} else if (slots[s].pg) {
			make_dirty(slots[s].pg, slots[s].order);
			memset(used + (slots[s].pg - frame_table), 0, 1UL << slots[s].order);
			page_free(slots[s].pg, slots[s].order);
			free += 1UL << slots[s].order;
			slots[s].pg = NULL;
		} else {
			unsigned int order = (unsigned int)__builtin_ctzl(unit_random(&seed) | 512);
			unsigned int memf = kind < 4 ? MEMF_NO_SCRUB : kind < 6 ? MEMF_BITS(26) : 0;
			struct page_info *pg = page_alloc(NULL, order, memf);

			if (!pg)
				continue;
			assert_int_equal((pg - frame_table) % (1L << order), 0);
			assert_true(pg - frame_table >= FIRST);
			assert_true(!(memf & MEMF_BITS(26)) || pg - frame_table < 1 << 14);
			for (unsigned long i = 0; i < 1UL << order; i++) {
				assert_false(used[pg - frame_table + i]);
				assert_true(in_use_before[pg - frame_table + i]);
				assert_int_equal(pg[i].count_info, 0);
				used[pg - frame_table + i] = true;
			}
			if (!(memf & MEMF_NO_SCRUB) && round % 8 == 0)
				assert_clear(pg, order);
			free -= 1UL << order;
			slots[s].pg = pg;
			slots[s].order = order;
		}
		assert_int_equal(page_alloc_free_count(), free);
	}
	for (unsigned int s = 0; s < SLOTS; s++)
		if (slots[s].pg)
			page_free(slots[s].pg, slots[s].order);
	scrub_all();
}

static void a_list_of_frames_keeps_its_order(void **state)
{
	struct page_list l = PAGE_LIST_INIT;
	struct page_info *f = frame_table;

	assert_null(page_list_first(&l));
	page_list_add_tail(f + 2, &l);
	page_list_add_tail(f + 3, &l);
	page_list_add(f + 1, &l);
	assert_int_equal(l.nr, 3);
	page_list_del(f + 2, &l);
	assert_ptr_equal(page_list_first(&l), f + 1);
	assert_ptr_equal(page_list_next(f + 1), f + 3);
	assert_null(page_list_next(f + 3));
	page_list_del(f + 1, &l);
	page_list_del(f + 3, &l);
	assert_int_equal(l.nr, 0);
	assert_null(page_list_first(&l));
}

static void heap_chunks_come_and_go(void **state)
{
	static void *p[5 * CHUNK];
	void *big;

	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = hv_alloc_pages(0);
		assert_non_null(p[i]);
		assert_true(heap_mapped[mfn_x(virt_to_mfn(p[i])) / CHUNK]);
		*(unsigned long *)p[i] = i;
	}
	assert_int_equal(heap_chunks, 5);
	assert_int_equal(hv_memory_pages(), 5 * CHUNK);
	assert_int_equal(page_alloc_free_count(), RAM - 5 * CHUNK);
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		hv_free_pages(p[i], 0);
	assert_int_equal(hv_memory_pages(), 0);
	assert_int_equal(heap_chunks, 1);
	big = hv_alloc_pages(11);
	assert_int_equal(heap_chunks, 5);
	assert_int_equal(*(unsigned long *)big, 0);
	hv_free_pages(big, 11);
	assert_int_equal(heap_chunks, 1);
	assert_null(hv_alloc_pages(MAX_ORDER + 1));
	assert_null(hv_alloc_pages(17));
}

static void small_allocations_are_clear_apart_and_aligned(void **state)
{
	enum { SLOTS = 400 };
	static struct {
		u8 *p;
		size_t size;
	} slots[SLOTS];
	uint64_t seed = UNIT_SEED;

	for (int round = 0; round < 40000; round++) {
		unsigned int s = unit_random(&seed) % SLOTS;
		size_t size = unit_random(&seed) % (round % 10 ? 300 : 40000);

		if (slots[s].p) {
			for (size_t i = 0; i < slots[s].size; i++)
				assert_int_equal(slots[s].p[i], (u8)s);
			hv_free(slots[s].p);
			slots[s].p = NULL;
			continue;
		}
		slots[s].p = hv_alloc(size);
		slots[s].size = size;
		assert_non_null(slots[s].p);
		assert_int_equal((unsigned long)slots[s].p % 16, 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(slots[s].p[i], 0);
		memset(slots[s].p, (int)s, size);
	}
	for (unsigned int s = 0; s < SLOTS; s++)
		hv_free(slots[s].p);
	assert_non_null(slots[0].p = hv_alloc(MiB(1)));
	assert_null(hv_alloc(MiB(1) + 1));
	hv_free(slots[0].p);
	/* Exactly the pages that it needs. */
	slots[0].p = hv_alloc(5 * PAGE_SIZE);
	assert_in_range(hv_memory_pages(), 5, 5 + 14);
	hv_free(slots[0].p);
	hv_free(NULL);
	assert_in_range(hv_memory_pages(), 0, 14);
}

static void a_shared_page_outlives_its_domain_while_it_is_mapped(void **state)
{
	unsigned long before = hv_memory_pages();
	void *va = shared_page_alloc(dom_a, true);
	struct page_info *pg = virt_to_page(va);

	assert_int_equal(dom_a->refcount, 0);
	assert_true(page_get(pg, dom_a));
	assert_int_equal(page_steal(dom_a, pg, 0), -EINVAL);
	shared_page_free(va);
	assert_int_equal(dom_a->memory.hv_pages.nr, 0);
	assert_ptr_equal(page_owner(pg), dom_xen);
	assert_false(page_get(pg, dom_xen));
	assert_int_equal(hv_memory_pages(), before + 1);
	page_put(pg);
	assert_int_equal(hv_memory_pages(), before);
	va = shared_page_alloc(dom_b, false);
	shared_page_free(va);
	assert_int_equal(hv_memory_pages(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(boot_memory_is_dirty_and_handed_out_clear,
					  check_all_free),
		cmocka_unit_test_teardown(scrubbing_clears_exactly_what_is_dirty, check_all_free),
		cmocka_unit_test_teardown(clean_memory_is_preferred_unless_it_need_not_be,
					  check_all_free),
		cmocka_unit_test_teardown(address_limits_are_kept, check_all_free),
		cmocka_unit_test_teardown(high_memory_runs_out_before_low_memory_is_touched,
					  check_all_free),
		cmocka_unit_test_teardown(a_domain_is_charged_and_limited, check_all_free),
		cmocka_unit_test_teardown(a_dying_domain_gets_nothing, check_all_free),
		cmocka_unit_test_teardown(references_keep_a_frame, check_all_free),
		cmocka_unit_test_teardown(only_an_idle_frame_can_be_stolen, check_all_free),
		cmocka_unit_test_teardown(claims_set_frames_aside, check_all_free),
		cmocka_unit_test_teardown(random_use_matches_a_model, check_all_free),
		cmocka_unit_test(a_list_of_frames_keeps_its_order),
		cmocka_unit_test(heap_chunks_come_and_go),
		cmocka_unit_test(small_allocations_are_clear_apart_and_aligned),
		cmocka_unit_test(a_shared_page_outlives_its_domain_while_it_is_mapped),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
