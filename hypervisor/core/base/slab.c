/* SPDX-License-Identifier: MIT */
/*
 * hv_alloc and hv_free. Sizes up to half a page come from a few size classes, and each class has
 * pages of its own. Larger sizes get whole pages.
 *
 * The struct page_info of such a page holds all that is known of it (a page of the heap has no
 * other use for these fields):
 *
 *   count_info  low bits: SLAB_PAGE | size class; or SLAB_SPAN | number of pages, in the first page
 *               of a larger allocation
 *   type_info   SLAB_PAGE: index of the first free object (15..0), number of used objects (31..16)
 *   next, prev  SLAB_PAGE: list of the pages of its class that have a free object
 *
 * The first two bytes of a free object hold the index of the next free one. A debug build fills the
 * rest with a pattern, and checks the pattern when the object is allocated.
 */
#include "hv/hv_heap.h"

#include "hv/arch/map.h"
#include "hv/console.h"
#include "hv/spinlock.h"
#include "lib/string.h"

#define SLAB_PAGE      BIT(16)
#define SLAB_SPAN      BIT(17)
#define SLAB_VALUE     (BIT(16) - 1)
#define SLAB_END       0xffffU /* no free object */
#define SLAB_USED_ONE  BIT(16)
#define SLAB_MAX_BYTES MiB(1)
#define POISON	       0x6b
#ifdef HV_DEBUG
#define SLAB_POISONS true
#else
#define SLAB_POISONS false
#endif

/* Powers of two are aligned to their size. All are multiples of 16. */
static const u16 class_sizes[] = { 16,	32,  48,  64,  96,   128,  192,
				   256, 384, 512, 672, 1024, 1360, 2048 };
#define NR_CLASSES ARRAY_SIZE(class_sizes)

static DEFINE_SPINLOCK(slab_lock, LOCK_SLAB);
/* [slab_lock] Pages that have a free object. */
static struct page_list partial[NR_CLASSES] = { [0 ... NR_CLASSES - 1] = PAGE_LIST_INIT };

static unsigned int class_of(size_t size)
{
	unsigned int c = 0;

	while (class_sizes[c] < size)
		c++;
	return c;
}

static void poison_set(u8 *object, unsigned int size)
{
	if (SLAB_POISONS)
		memset(object + sizeof(u16), POISON, size - sizeof(u16));
}

static void poison_check(const u8 *object, unsigned int size)
{
	for (unsigned int i = sizeof(u16); SLAB_POISONS && i < size; i++)
		BUG_ON(object[i] != POISON); /* somebody wrote to it after it was freed */
}

/* A fresh page of class c, all objects free, on no list. */
static struct page_info *slab_page_new(unsigned int c)
{
	unsigned int size = class_sizes[c], n = PAGE_SIZE / size;
	u8 *va = hv_alloc_pages(0);
	struct page_info *pg;

	if (!va)
		return NULL;
	for (unsigned int i = 0; i < n; i++) {
		*(u16 *)(va + (size_t)i * size) = (u16)(i + 1 < n ? i + 1 : SLAB_END);
		poison_set(va + (size_t)i * size, size);
	}
	pg = virt_to_page(va);
	pg->type_info = 0;
	pg->count_info |= (u32)(SLAB_PAGE | c);
	return pg;
}

/*
 * Takes an object from a page that has a free one. Caller holds slab_lock; the page is on its
 * class's list.
 */
static u8 *slab_take(struct page_info *pg, unsigned int c)
{
	u8 *object = (u8 *)mfn_to_hv_virt(page_to_mfn(pg)) +
		     (pg->type_info & SLAB_VALUE) * class_sizes[c];
	u16 next = *(u16 *)object;

	pg->type_info = ((pg->type_info & ~SLAB_VALUE) | next) + SLAB_USED_ONE;
	if (next == SLAB_END)
		page_list_del(pg, &partial[c]);
	return object;
}

static void *slab_alloc(size_t size)
{
	unsigned int c = class_of(size);
	struct page_info *pg;
	u8 *object;

	spin_lock(&slab_lock);
	pg = page_list_first(&partial[c]);
	if (!pg) {
		/* hv_alloc_pages takes a lock of the same rank, and these do not nest. */
		spin_unlock(&slab_lock);
		pg = slab_page_new(c);
		if (!pg)
			return NULL;
		spin_lock(&slab_lock);
		page_list_add(pg, &partial[c]);
	}
	object = slab_take(pg, c);
	spin_unlock(&slab_lock);
	poison_check(object, class_sizes[c]);
	memset(object, 0, class_sizes[c]);
	return object;
}

static void slab_free(struct page_info *pg, u8 *object)
{
	unsigned int c = pg->count_info & SLAB_VALUE, size = class_sizes[c];
	unsigned long offset = (unsigned long)object & ~PAGE_MASK;
	bool empty;

	BUG_ON(offset % size || !(pg->type_info >> 16));
	poison_set(object, size);
	spin_lock(&slab_lock);
	*(u16 *)object = (u16)(pg->type_info & SLAB_VALUE);
	if ((pg->type_info & SLAB_VALUE) == SLAB_END)
		page_list_add(pg, &partial[c]);
	pg->type_info = ((pg->type_info & ~SLAB_VALUE) | offset / size) - SLAB_USED_ONE;
	/* Keep one page of each class: a lone object that comes and goes then costs little. */
	empty = !(pg->type_info >> 16) && partial[c].nr > 1;
	if (empty)
		page_list_del(pg, &partial[c]);
	spin_unlock(&slab_lock);
	if (empty) {
		pg->count_info &= ~(u32)PGC_COUNT_MASK;
		hv_free_pages((void *)((unsigned long)object & PAGE_MASK), 0);
	}
}

/* Frees frames [first, end) of a larger allocation in the largest aligned blocks. */
static void span_free(u8 *va, unsigned int first, unsigned int end)
{
	while (first < end) {
		unsigned int order = first ? (unsigned int)__builtin_ctz(first) : 31;

		while (order > 0 && (order > 9 || first + (1U << order) > end))
			order--;
		hv_free_pages(va + first * PAGE_SIZE, order);
		first += 1U << order;
	}
}

static void *span_alloc(size_t size)
{
	unsigned int pages = (unsigned int)DIV_ROUND_UP(size, PAGE_SIZE), order = 0;
	u8 *va;

	while ((1U << order) < pages)
		order++;
	va = hv_alloc_pages(order);
	if (!va)
		return NULL;
	span_free(va, pages, 1U << order);
	virt_to_page(va)->count_info |= (u32)(SLAB_SPAN | pages);
	return va;
}

void *hv_alloc(size_t size)
{
	if (size > SLAB_MAX_BYTES)
		return NULL;
	return size <= class_sizes[NR_CLASSES - 1] ? slab_alloc(size) : span_alloc(size);
}

void hv_free(void *p)
{
	struct page_info *pg;
	unsigned int pages;

	if (!p)
		return;
	pg = virt_to_page(p);
	if (pg->count_info & SLAB_PAGE) {
		slab_free(pg, p);
		return;
	}
	BUG_ON(!(pg->count_info & SLAB_SPAN) || ((unsigned long)p & ~PAGE_MASK));
	pages = pg->count_info & SLAB_VALUE;
	pg->count_info &= ~(u32)PGC_COUNT_MASK;
	span_free(p, 0, pages);
}
