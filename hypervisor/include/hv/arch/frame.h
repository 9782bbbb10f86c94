/* SPDX-License-Identifier: MIT */
/* Frames of RAM (hv/frame.h): which exist, their types, and what must happen between two uses. */
#ifndef HV_ARCH_FRAME_H
#define HV_ARCH_FRAME_H

#include "hv/frame.h"
#include "lib/types.h"

struct domain;

extern unsigned long max_page;	  /* first frame number beyond RAM */
extern unsigned long total_pages; /* frames of usable RAM */
bool mfn_valid(mfn_t mfn);	  /* there is a struct page_info for it, and it is RAM */

/* --- machine to phys: what a PV guest reads at M2P_RO_VIRT --- */
#define M2P_INVALID (~0UL)
void m2p_set(mfn_t mfn, unsigned long pfn);
unsigned long m2p_get(mfn_t mfn);
/*
 * The machine-to-phys table in pieces of 2 MiB: the first frame of piece `index`, or INVALID_MFN
 * for a hole.
 */
mfn_t arch_m2p_extent(unsigned long index);
/* The frame that d calls pfn is another one now, so what a tool has copied of it is void. */
void arch_pfn_written(const struct domain *d, unsigned long pfn);

/* --- a guest's own numbers --- */
/*
 * The frame that d calls gfn, with a reference, and in *mfn its number. NULL: d has no such frame.
 * This is the only way from a number that a guest gave to a frame.
 */
struct page_info *__must_check guest_frame_get(struct domain *d, gfn_t gfn, mfn_t *mfn);
/* Are d's frame numbers the machine's, so that d may exchange frames for others? */
bool guest_frames_are_machine(const struct domain *d);

/* --- for domains whose frame numbers are their own (guest_frames_are_machine is false) --- */
enum gfn_use {
	GFN_OWN,     /* d's RAM, or a page that the hypervisor shares with d */
	GFN_FOREIGN, /* a frame of another domain */
};
/*
 * Calls the 2^order frames from mfn on gfn and up. The caller has a reference on each frame, and
 * keeps it. RAM of d that had one of the numbers is given up. A shared page loses the number that
 * it had. 0, -EINVAL, -ENOMEM: nothing has a number of these any more.
 */
int __must_check arch_gfn_map(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order,
			      enum gfn_use use);
/* Takes the number away if it is mfn's (INVALID_MFN: from any frame). 0, -ENOENT, -ENOMEM. */
int __must_check arch_gfn_unmap(struct domain *d, gfn_t gfn, mfn_t mfn);
/*
 * Gives up d's RAM in nr extents of 2^order frames each, which begin at these numbers. Returns how
 * many extents it did: fewer if one has a frame that is not d's RAM.
 */
unsigned int arch_gfn_give_up(struct domain *d, const gfn_t *gfns, unsigned int nr,
			      unsigned int order);
/* The highest number that a frame ever had. */
unsigned long arch_gfn_max(const struct domain *d);

/* --- types --- */
/* Takes a writable type reference: 0 or -errno. */
int __must_check arch_page_get_writable(struct page_info *pg);
void arch_page_put_writable(struct page_info *pg);
/* Does the frame have a type reference? */
bool arch_page_has_type(const struct page_info *pg);
/*
 * For a frame of the hypervisor that a guest may map: takes one type reference, which fixes the
 * frame's type.
 */
void arch_page_share(struct page_info *pg, bool guest_writable);

/* --- between two uses --- */
/*
 * Both are called for each block of memory between two uses of it.
 *
 * freed: once, after the last use. No page table maps the block any more, but TLBs may.
 *
 * reused: before the block is cleared or used again. When it returns, no CPU has a translation to
 * the block and its type is none. It may make other CPUs flush, so interrupts are on, and the
 * caller holds no lock of rank LOCK_IPI or later.
 */
void arch_page_freed(struct page_info *pg, unsigned int order);
void arch_page_reused(struct page_info *pg, unsigned int order);
/* Would arch_page_reused interrupt other CPUs for a flush? */
bool arch_page_reuse_interrupts(const struct page_info *pg, unsigned int order);
/* Flushes every CPU where d runs or ran last. */
void arch_tlb_flush_domain(const struct domain *d);

#endif
