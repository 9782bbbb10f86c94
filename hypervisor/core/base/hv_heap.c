/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's own pages. RAM comes from page_alloc in chunks of 2 MiB. One page-table entry
 * maps each chunk at HEAP_VIRT + machine address. Callers get blocks of pages; a chunk that is
 * empty again goes back, except for one spare.
 */
#include "hv/hv_heap.h"

#include "core/base/buddy.h"
#include "core/base/page_alloc_internal.h"
#include "hv/arch/map.h"
#include "hv/atomic.h"
#include "hv/console.h"
#include "hv/domain.h"
#include "hv/page_alloc.h"
#include "hv/spinlock.h"
#include "lib/string.h"

#define CHUNK_ORDER 9

static DEFINE_SPINLOCK(chunk_lock, LOCK_SLAB);
static struct buddy chunks;	   /* [chunk_lock] the chunks' free parts */
static bool chunks_ready;	   /* [chunk_lock] */
static unsigned long chunk_frames; /* [A] frames of all chunks except boot's */
static unsigned long boot_frames;  /* frames of boot's chunks, which page_alloc counts as held */

static void block_mark(struct page_info *pg, unsigned int order, u32 flags)
{
	for (unsigned long i = 0; i < 1UL << order; i++) {
		pg[i].type_info = 0;
		pg[i].owner = 0;
		pg[i].count_info = flags;
		pg[i].next = pg[i].prev = PAGE_LIST_NULL;
	}
}

/* Caller holds chunk_lock. */
static void block_insert(struct page_info *pg, unsigned int order)
{
	if (!chunks_ready) {
		buddy_init(&chunks, CHUNK_ORDER, (u32)PGC_HV);
		chunks_ready = true;
	}
	block_mark(pg, order, (u32)(PGC_HV | PGC_STATE_FREE));
	buddy_insert(&chunks, pg, order, BUDDY_CLEAN);
}

/* Takes 2^order frames, in whole chunks, from the allocator and maps them. */
static struct page_info *chunks_get(unsigned int order)
{
	struct page_info *pg =
		page_alloc(NULL, order, MEMF_NO_SCRUB | MEMF_BITS(ARCH_HEAP_ADDRESS_BITS));

	if (!pg)
		return NULL;
	block_mark(pg, order, (u32)PGC_HV);
	for (unsigned long i = 0; i < 1UL << order; i += 1UL << CHUNK_ORDER)
		arch_heap_map(page_to_mfn(pg + i));
	(void)atomic_add_return(&chunk_frames, 1UL << order);
	return pg;
}

static void chunks_put(struct page_info *pg, unsigned int order)
{
	(void)atomic_sub_return(&chunk_frames, 1UL << order);
	for (unsigned long i = 0; i < 1UL << order; i += 1UL << CHUNK_ORDER)
		arch_heap_unmap(page_to_mfn(pg + i));
	block_mark(pg, order, 0);
	page_free(pg, order);
}

void hv_heap_add_boot_chunk(mfn_t first, unsigned int used)
{
	struct page_info *pg = mfn_to_page(first);

	boot_frames += 1UL << CHUNK_ORDER;
	block_mark(pg, CHUNK_ORDER, (u32)PGC_HV);
	for (unsigned int i = used; i < 1U << CHUNK_ORDER; i++)
		block_insert(pg + i, 0);
}

void *hv_alloc_pages(unsigned int order)
{
	struct page_info *pg;
	void *va;

	if (order > CHUNK_ORDER) {
		pg = order <= MAX_ORDER ? chunks_get(order) : NULL;
	} else {
		for (;;) {
			struct page_info *chunk;

			spin_lock(&chunk_lock);
			pg = buddy_take(&chunks, order, BUDDY_PREFER_CLEAN);
			spin_unlock(&chunk_lock);
			if (pg)
				break;
			chunk = chunks_get(CHUNK_ORDER);
			if (!chunk)
				return NULL;
			spin_lock(&chunk_lock);
			block_insert(chunk, CHUNK_ORDER);
			spin_unlock(&chunk_lock);
		}
		block_mark(pg, order, (u32)PGC_HV);
	}
	if (!pg)
		return NULL;
	va = mfn_to_hv_virt(page_to_mfn(pg));
	memset(va, 0, PAGE_SIZE << order);
	return va;
}

void hv_free_pages(void *va, unsigned int order)
{
	struct page_info *pg = virt_to_page(va), *spare = NULL;

	ASSERT((pg->count_info & (PGC_HV | PGC_STATE_FREE | PGC_ALLOCATED)) == PGC_HV);
	if (order > CHUNK_ORDER) {
		chunks_put(pg, order);
		return;
	}
	spin_lock(&chunk_lock);
	block_insert(pg, order);
	if (chunks.free[CHUNK_ORDER].nr > 1)
		spare = buddy_take(&chunks, CHUNK_ORDER, BUDDY_PREFER_CLEAN);
	spin_unlock(&chunk_lock);
	if (spare)
		chunks_put(spare, CHUNK_ORDER);
}

unsigned long hv_heap_free_count(void)
{
	return READ_ONCE(chunks.nr_free);
}

unsigned long hv_heap_used_count(void)
{
	return READ_ONCE(chunk_frames) + boot_frames - hv_heap_free_count();
}

unsigned long hv_memory_pages(void)
{
	return page_alloc_held_count() - boot_frames + hv_heap_used_count();
}
