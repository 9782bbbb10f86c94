/* SPDX-License-Identifier: MIT */
/*
 * The p2m: from a guest's frame numbers to the machine's, in the tables that the processor walks
 * (AMD's nested page tables, Intel's EPT; struct p2m_format is the difference).
 *
 * An entry holds on its frame what an L1 entry of a paravirtualized guest holds: a general
 * reference, and a writable type reference if the guest may write. Whoever takes an entry away
 * clears it, flushes, and only then drops the references. Tables are freed with the domain only,
 * so a lookup takes no lock: it reads the entry, takes a reference on the frame, and reads the
 * entry again.
 */
#ifndef X86_HVM_P2M_H
#define X86_HVM_P2M_H

#include "hv/frame.h"
#include "hv/spinlock.h"

struct domain;

enum p2m_type {
	P2M_NONE,
	P2M_RAM_RW,
	P2M_RAM_RO,	/* writes go to whoever emulates */
	P2M_RAM_LOGDIRTY, /* RAM_RW, but not written since the last round of the dirty log */
	P2M_GRANT_RW,	/* frames of other domains, mapped by grant_map */
	P2M_GRANT_RO,
	P2M_FOREIGN,	/* frames of other domains, by add_to_physmap's gmfn_foreign */
	P2M_MMIO,
};

struct p2m_format; /* p2m_format.h: how one processor's entries look */

struct p2m {
	spinlock_t lock; /* LOCK_P2M: every change of an entry */
	const struct p2m_format *format; /* [I] */
	u64 *root;	   /* [I] */
	unsigned int table_pages;  /* tables in use; bounded by the domain's paging pool */
	unsigned long max_gfn;	   /* the highest that ever had an entry */
	/*
	 * [A] Incremented when translations must be forgotten. A vCPU that enters the guest with
	 * an older number in mind takes a new ASID, or flushes its EPT context.
	 */
	u32 generation;
};

/* 0, -ENOMEM. root and format are ready afterwards. */
int __must_check p2m_create(struct domain *d, const struct p2m_format *format);
/* Drops all entries' references, in bounded steps: 0 or -ERESTART. No vCPU runs any more. */
int __must_check p2m_relinquish(struct domain *d);
void p2m_free(struct domain *d); /* the tables */

/*
 * Enters 2^order frames from mfn on at gfn (order 0 or 9, both aligned). The caller hands over the
 * references that the type asks for, on each frame. An entry that was there is replaced: its
 * references are dropped after a flush. 0, -ENOMEM (nothing changed; the references stay the
 * caller's), -EINVAL.
 */
int __must_check p2m_set(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order,
			 enum p2m_type type);
/* Takes the entry away if it maps mfn (INVALID_MFN: whatever it maps). 0, -ENOENT, -ENOMEM (a
 * split). Flushes, then drops the references. */
int __must_check p2m_remove(struct domain *d, gfn_t gfn, mfn_t mfn);
/* What gfn maps; *type is P2M_NONE and the result INVALID_MFN if nothing. No reference is taken. */
mfn_t p2m_lookup(const struct domain *d, gfn_t gfn, enum p2m_type *type);
/* guest_frame_get for such a guest; write: only frames that it may write. */
struct page_info *p2m_frame_get(struct domain *d, gfn_t gfn, mfn_t *mfn);
/*
 * A nested page fault: true if the guest may try again (a first write that the log wants to know,
 * or another vCPU's change came first). Interrupts are on.
 */
bool p2m_fault(struct vcpu *v, u64 gpa, bool write, bool fetch);
/* Makes every vCPU of d forget its translations before it returns. */
void p2m_flush(struct domain *d);

#endif
