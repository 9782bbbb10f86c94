/* SPDX-License-Identifier: MIT */
/*
 * Frames of RAM and their owners: the frame table, the page allocator, the hypervisor's own memory.
 *
 * References. A frame that a domain owns holds one reference for its allocation (PGC_ALLOCATED) and
 * one for each use. A use as a certain type (writable page, page table, ...) also holds a type
 * reference. While the type count is above zero the type cannot change, so a frame is writable by a
 * guest or a page table, never both. The essay is in x86/mm/page_types.c.
 */
#ifndef HV_MM_H
#define HV_MM_H

#include "hv/config.h"
#include "hv/spinlock.h"
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
 * [A] atomic   [L] LOCK_HEAP while free, the owner's page_lock while owned
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
extern unsigned long max_page;	  /* first frame number beyond RAM */
extern unsigned long total_pages; /* frames of usable RAM */

static inline struct page_info *mfn_to_page(mfn_t mfn)
{
	return frame_table + mfn_x(mfn);
}
static inline mfn_t page_to_mfn(const struct page_info *pg)
{
	return MFN(pg - frame_table);
}
bool mfn_valid(mfn_t mfn); /* there is a struct page_info for it, and it is RAM */

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
struct page_info *page_list_first(const struct page_list *l); /* or NULL */
struct page_info *page_list_next(const struct page_info *pg); /* or NULL */

/* --- the allocator of RAM (core/base/page_alloc.c) --- */
#define MAX_ORDER	 18
#define MEMF_NO_SCRUB	 BIT(0) /* the caller overwrites all of it before anyone reads it */
#define MEMF_NO_ASSIGN	 BIT(1) /* page_alloc: owner is left NULL, no accounting */
#define MEMF_NO_REFCOUNT BIT(2) /* assigned, but not counted in d->tot_pages */
#define MEMF_BITS(n)	 ((unsigned int)(n) << 8) /* machine addresses below 2^n only; 0: any */
#define MEMF_GET_BITS(f) (((f) >> 8) & 0xff)

/* Boot: gives the range to the allocator. */
void page_alloc_add_range(paddr_t start, paddr_t end);
/*
 * Boot: marks RAM that the hypervisor keeps (PGC_HV). page_alloc_add_range may give it to the
 * allocator later.
 */
void page_alloc_hold_range(paddr_t start, paddr_t end);
/*
 * Allocates 2^order contiguous, aligned frames for `d` (NULL: for nobody), zeroed unless
 * MEMF_NO_SCRUB. No CPU has a stale translation to them. They count against d->max_pages. Each
 * frame of a domain has PGC_ALLOCATED | 1.
 *
 * NULL: out of memory, or over d's limit. Interrupts on, no lock (arch_page_reused).
 */
struct page_info *page_alloc(struct domain *d, unsigned int order, unsigned int memf);
/*
 * Unowned frames (no `d`, or MEMF_NO_ASSIGN) have no reference, and page_get cannot take one. A
 * domain's frames stay on d->pages until the last reference is dropped. Code that walks the list
 * may take frames off it only to put them back.
 */
/*
 * Frees unowned frames (page_alloc without owner). A domain's frame is freed when page_put drops
 * its last reference.
 */
void page_free(struct page_info *pg, unsigned int order);
/*
 * Gives unowned frames to `d`, with PGC_ALLOCATED | 1. -E2BIG: over max_pages (not checked with
 * MEMF_NO_REFCOUNT). -EINVAL: d is dying.
 */
int __must_check page_assign(struct domain *d, struct page_info *pg, unsigned int order,
			     unsigned int memf);
/*
 * Takes a frame away from its owner `d`. The frame must have only the allocation reference, and no
 * type reference. On success the frame is unowned and off d's list, and d's page count is lowered
 * unless MEMF_NO_REFCOUNT. -EINVAL: not d's, or the hypervisor's. -EBUSY: it has other references.
 */
int __must_check __nonnull_arg(1)
	page_steal(struct domain *d, struct page_info *pg, unsigned int memf);
/* Free frames, with the free parts of the heap's chunks. */
unsigned long page_alloc_free_count(void);
/* Free frames whose address width in bits is in the range (max_bits 0: no limit), for availheap. */
unsigned long page_alloc_free_in(unsigned int min_bits, unsigned int max_bits);
/* Free frames that are still to be scrubbed. */
unsigned long page_alloc_dirty_count(void);
/*
 * Idle work, for one CPU at a time: scrubs a bounded amount. False: nothing is left, or what is
 * left has to wait. Interrupts on, no lock, as for page_alloc.
 */
bool page_alloc_scrub_some(void);
/*
 * Claims (XENMEM_claim_pages): sets frames aside for d, so that allocations for others leave them
 * free. `pages`: d's total that the claim is for; 0 drops the claim. 0, -ENOMEM, -EINVAL.
 */
int page_claim(struct domain *d, unsigned long pages);
unsigned long page_claimed_total(void);

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
/* page_get for a frame number that a guest named: NULL if it is not RAM or not d's. */
struct page_info *__must_check page_get_from_mfn(mfn_t mfn, const struct domain *d);
/* Drops the allocation reference, once; safe against a racing second caller. */
void page_put_alloc_ref(struct page_info *pg);

/* --- the hypervisor's own memory: mapped at HEAP_VIRT + machine address, in 2 MiB chunks --- */
/* 2^order zeroed pages, aligned to their size; NULL when out of memory. */
void *hv_alloc_pages(unsigned int order);
void hv_free_pages(void *va, unsigned int order);
/* Zeroed, 16-byte aligned, up to 1 MiB; NULL when out of memory or too large. */
void *hv_alloc(size_t size);
/* p may be NULL. */
void hv_free(void *p);
unsigned long hv_memory_pages(void); /* frames that the hypervisor holds for itself */
/* Logs how much the hypervisor holds. */
void memory_log_held(void);
void memory_dump(char key); /* debug key */
/*
 * Boot: adds a 2 MiB chunk that is mapped at HEAP_VIRT already. Its first `used` frames are taken.
 */
void hv_heap_add_boot_chunk(mfn_t first, unsigned int used);

/* Translates addresses of hv_alloc'ed memory and of the image. */
mfn_t virt_to_mfn(const void *addr);
void *mfn_to_hv_virt(mfn_t mfn); /* for frames of hv_alloc_pages only */
static inline paddr_t virt_to_maddr(const void *va)
{
	return mfn_to_maddr(virt_to_mfn(va)) | ((unsigned long)va & ~PAGE_MASK);
}
static inline struct page_info *virt_to_page(const void *va)
{
	return mfn_to_page(virt_to_mfn(va));
}

/*
 * A page of the hypervisor that only `d` may map, writable or read-only: shared_info, grant table
 * frames. shared_page_free drops it; the frame is freed when the guest's last mapping is gone.
 */
void *shared_page_alloc(struct domain *d, bool guest_writable);
void shared_page_free(void *va);

/* --- mapping frames (x86/mm/map_frame.c) --- */
/*
 * Maps a frame, readable and writable, in the current address space's window. A hit in the window's
 * cache costs a few instructions. Never held across a return to a guest or a context switch; at
 * most MAP_FRAME_NESTING at once; not from interrupt handlers.
 */
#define MAP_FRAME_NESTING 32
void *map_frame(mfn_t mfn);
void unmap_frame(const void *va);
/*
 * Maps a frame in every address space until it is unmapped: for pages that events reach at any time
 * (vcpu_info). NULL when out of space.
 */
void *map_frame_global(mfn_t mfn);
void unmap_frame_global(const void *addr);
/*
 * Maps a frame of d's like map_frame_global, with a general and a writable type reference held.
 * guest_page_unmap drops both. No lock of rank LOCK_PAGE_LIST or later. -EINVAL: not d's frame, or
 * a frame of another type; -ENOMEM.
 */
struct guest_page {
	struct page_info *pg;
	void *va;
};
int __must_check guest_page_map(struct domain *d, mfn_t mfn, struct guest_page *page);
void guest_page_unmap(const struct guest_page *page);
/* Device memory, uncached. NULL when out of space. */
void *map_device(paddr_t addr, size_t size);
void unmap_device(void *addr, size_t size);
/* Copies or clears whole frames through the window. */
void frame_copy(mfn_t dst, mfn_t src);
void frame_clear(mfn_t mfn);

/* --- machine to phys: what a PV guest reads at M2P_RO_VIRT --- */
#define M2P_INVALID (~0UL)
void m2p_set(mfn_t mfn, unsigned long pfn);
unsigned long m2p_get(mfn_t mfn);

#endif
