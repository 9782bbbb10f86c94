/* SPDX-License-Identifier: MIT */
/*
 * Frames of RAM: their numbers, their owners, references to them, and lists of them.
 *
 * References. A frame that a domain owns holds one reference for its allocation (PGC_ALLOCATED) and
 * one for each use. A use as a certain type (writable page, page table, ...) also holds a type
 * reference. While the type count is above zero the type cannot change, so a frame is writable by a
 * guest or a page table, never both. The essay is in x86/mm/page_types.c.
 */
#ifndef HV_FRAME_H
#define HV_FRAME_H

#include "hv/config.h"
#include "lib/types.h"

struct domain;

/*
 * mfn: machine frame number. gfn: guest frame number, the number of what a guest calls physical
 * memory; for PV it equals the mfn. pfn: index in a PV guest's p2m.
 */
typedef struct {
	unsigned long n;
} mfn_t;
typedef struct {
	unsigned long n;
} gfn_t;
#define MFN(x)		((mfn_t){ (unsigned long)(x) })
#define GFN(x)		((gfn_t){ (unsigned long)(x) })
#define mfn_x(m)	((m).n)
#define gfn_x(g)	((g).n)
#define INVALID_MFN	MFN(~0UL)
#define INVALID_GFN	GFN(~0UL)
#define mfn_eq(a, b)	((a).n == (b).n)
#define mfn_add(m, i)	MFN((m).n + (i))
#define mfn_to_maddr(m) ((paddr_t)(m).n << PAGE_SHIFT)
#define maddr_to_mfn(a) MFN((paddr_t)(a) >> PAGE_SHIFT)

/*
 * One frame of RAM, 24 bytes: on a 4 GiB machine the table takes 24 MiB.
 * [A] atomic   [L] LOCK_HEAP while free, the owner's memory.lock while owned
 */
struct page_info {
	u64 type_info; /* [A] PGT_*: type, flags, number of type references; x86/mm/page_types.h */
	union {
		struct {
			u32 count_info; /* [A] PGC_*: flags and number of references */
			/*
			 * [L] The struct domain, as (address - HEAP_VIRT) >> PAGE_SHIFT; 0: no
			 * owner.
			 */
			u32 owner;
		};
		/*
		 * [A] Both, for code that takes a reference only while the owner is still the same.
		 */
		u64 count_and_owner;
	};
	/* [L] List links: frame numbers, PAGE_LIST_NULL at the ends. */
	u32 next, prev;
};
_Static_assert(sizeof(struct page_info) == 24, "the frame table's cost is part of the design");

#define PGC_ALLOCATED BIT(31) /* the allocation's own reference is held */
/* The hypervisor's own (hv_alloc_pages): dropping references does not free the frame. */
#define PGC_HV	       BIT(30)
#define PGC_SCRUB      BIT(29) /* free, but holds what its last owner wrote */
#define PGC_STATE_FREE BIT(28) /* in the allocator */
#define PGC_RESERVED   BIT(27) /* not RAM, or the image's: never given out */
#define PGC_COUNT_MASK (BIT(26) - 1)

#define frame_table ((struct page_info *)FRAME_TABLE_VIRT)

static inline struct page_info *mfn_to_page(mfn_t mfn)
{
	return frame_table + mfn_x(mfn);
}
static inline mfn_t page_to_mfn(const struct page_info *pg)
{
	return MFN(pg - frame_table);
}

static inline struct domain *page_owner(const struct page_info *pg)
{
	u32 o = READ_ONCE(pg->owner);

	return o ? (struct domain *)(HEAP_VIRT + ((unsigned long)o << PAGE_SHIFT)) : NULL;
}
static inline u32 domain_to_owner(const struct domain *d)
{
	return d ? (u32)(((unsigned long)d - HEAP_VIRT) >> PAGE_SHIFT) : 0;
}

/* --- lists of frames, linked through next and prev --- */
#define PAGE_LIST_NULL (~0U)
struct page_list {
	u32 head, tail;
	unsigned long nr;
};
#define PAGE_LIST_INIT                            \
	{                                         \
		PAGE_LIST_NULL, PAGE_LIST_NULL, 0 \
	}
void page_list_add_tail(struct page_info *pg, struct page_list *l);
void page_list_add(struct page_info *pg, struct page_list *l);
void page_list_del(struct page_info *pg, struct page_list *l);
/* Makes `first`, which is on the list, its first; those before it go to its end. */
void page_list_rotate(struct page_list *l, struct page_info *first);
struct page_info *page_list_first(const struct page_list *l); /* or NULL */
struct page_info *page_list_next(const struct page_info *pg); /* or NULL */

/* --- references --- */
/*
 * Takes a reference if `d` owns the frame and the frame is allocated. False: it does not, or the
 * count would overflow.
 */
bool __must_check page_get(struct page_info *pg, const struct domain *d);
/*
 * Drops a reference; the last one frees the frame. Interrupts on, no lock of rank LOCK_PAGE_LIST or
 * later.
 */
void page_put(struct page_info *pg);
/*
 * page_get for the number of a frame: NULL if it is not RAM or not d's. A number that a guest gave
 * goes through guest_frame_get instead.
 */
struct page_info *__must_check page_get_from_mfn(mfn_t mfn, const struct domain *d);
/* Drops the allocation reference, once; safe against a racing second caller. */
void page_put_alloc_ref(struct page_info *pg);

#endif
