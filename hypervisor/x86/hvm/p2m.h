/* SPDX-License-Identifier: MIT */
/*
 * The p2m: from a guest's frame numbers to the machine's, in the tables that the processor walks
 * (AMD's nested page tables, Intel's EPT; struct p2m_format is the difference). The top of p2m.c
 * explains it.
 */
#ifndef X86_HVM_P2M_H
#define X86_HVM_P2M_H

#include "hv/frame.h"
#include "hv/spinlock.h"
#include "x86/arch_domain.h"

/*
 * The types that hold references, on each frame: a general one; and a writable type reference for
 * RAM_RW, RAM_LOGDIRTY, GRANT_RW and FOREIGN. The owner of RAM is the domain itself (pages that the
 * hypervisor shares with it, too). MMIO holds none.
 */
enum p2m_type {
	P2M_NONE,
	P2M_RAM_RW,
	P2M_RAM_RO,	  /* writes go to whoever emulates */
	P2M_RAM_LOGDIRTY, /* RAM_RW, but not written since the last round of the dirty log */
	P2M_GRANT_RW,	  /* frames of other domains, mapped by grant_map */
	P2M_GRANT_RO,
	P2M_FOREIGN, /* frames of other domains, by add_to_physmap's gmfn_foreign */
	P2M_MMIO,
};

struct p2m_format; /* p2m_format.h: how one processor's entries look */

struct p2m {
	spinlock_t lock;		 /* LOCK_P2M: every change of an entry */
	const struct p2m_format *format; /* [I] */
	u64 *root;			 /* [I] */
	unsigned int table_pages;	 /* under lock: tables in use; bounded by the paging pool */
	unsigned long max_gfn;		 /* [A] the highest that ever had an entry */
	/*
	 * [A] Incremented when translations must be forgotten. A vCPU that enters the guest with
	 * an older number in mind takes a new ASID, or flushes its EPT context. It reads the number
	 * after its CPU has joined dirty_cpus, with interrupts off until the guest runs.
	 */
	u32 generation;
	unsigned long relinquish_next; /* how far p2m_relinquish has come: a gfn */
	bool relinquished;	       /* no entry is left */
	unsigned long log_next; /* LOCK_DOMCTL: how far the start of the dirty log has come */
};

static inline struct p2m *p2m_of(const struct domain *d)
{
	return d->arch->p2m;
}

/* The first gfn beyond what the tables can map. */
#define P2M_GFN_END BIT(36)

/* Sets d->arch->p2m: 0, -ENOMEM. */
int __must_check p2m_create(struct domain *d, const struct p2m_format *format);
/*
 * Drops all entries' references and gives up all of d's RAM, in bounded steps: 0 or -ERESTART. No
 * vCPU runs any more.
 */
int __must_check p2m_relinquish(struct domain *d);
void p2m_free(struct domain *d); /* the tables; d->arch->p2m may be NULL */

/* Takes, or drops, the references that an entry of d of that type holds on a frame. 0, -EINVAL. */
int __must_check p2m_refs_get(const struct domain *d, mfn_t mfn, enum p2m_type type);
void p2m_refs_put(const struct domain *d, mfn_t mfn, enum p2m_type type);

/*
 * Enters 2^order frames from mfn on at gfn (order 0 or 9, both aligned). The caller hands over the
 * references that the type asks for, on each frame. What was there is replaced, as by p2m_take
 * with P2M_GIVE_UP. No lock. 0; -ENOMEM or -EINVAL: nothing changed, the references stay the
 * caller's.
 */
int __must_check p2m_set(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order,
			 enum p2m_type type);

/*
 * Entries that were taken away, and that TLBs may still have. p2m_batch_finish flushes and drops
 * their references. Until then nobody may reuse the frames, so each batch is finished before its
 * hypercall ends.
 */
#define P2M_BATCH 64
struct p2m_batch {
	unsigned int nr;
	struct {
		u32 mfn;
		u8 type, order;
		bool give_up;
	} gone[P2M_BATCH];
};
enum p2m_take {
	P2M_KEEP,    /* d's RAM stays d's, without a number */
	P2M_GIVE_UP, /* only d's RAM, and it loses its allocation; not the hypervisor's pages */
};
/*
 * Takes the entries of 2^order frames away, if they map mfn and the frames after it (INVALID_MFN:
 * whatever they map). order 0 or 9; 9 only if one entry of 2 MiB is there: else -ENOENT. The batch
 * has room. 0; -ENOENT; -ENOMEM (a split).
 */
int __must_check p2m_take(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order,
			  enum p2m_take how, struct p2m_batch *b);
void p2m_batch_finish(struct domain *d, struct p2m_batch *b);
/* p2m_take of one frame (P2M_KEEP), and p2m_batch_finish. */
int __must_check p2m_remove(struct domain *d, gfn_t gfn, mfn_t mfn);

/*
 * What gfn maps; *type is P2M_NONE and the result INVALID_MFN if nothing. No reference is taken.
 */
mfn_t p2m_lookup(const struct domain *d, gfn_t gfn, enum p2m_type *type);
/*
 * For reads without a reference: finds the frame that gfn maps. False: none, or MMIO. What was read
 * counts only if p2m_peek_holds says true afterwards: the same entry is still, or again, there.
 */
struct p2m_peek {
	const u64 *slot;
	u64 entry;
	mfn_t mfn;
};
bool p2m_peek(const struct domain *d, gfn_t gfn, struct p2m_peek *peek);
static inline bool p2m_peek_holds(const struct p2m_peek *peek)
{
	return READ_ONCE(*peek->slot) == peek->entry;
}
/* guest_frame_get for such a guest: d's RAM and shared pages. */
struct page_info *p2m_frame_get(struct domain *d, gfn_t gfn, mfn_t *mfn);
/*
 * The frame that d may read (write: write) at gfn, also another domain's, for an access by the
 * hypervisor; NULL: there is none. p2m_frame_put ends the access, and logs it.
 */
struct page_info *p2m_access_get(struct domain *d, gfn_t gfn, bool write, mfn_t *mfn);
void p2m_access_put(const struct domain *d, struct page_info *pg, bool write);
/*
 * A nested page fault: true if the guest may try again (a first write that the log wants to know,
 * or another vCPU's change came first). Interrupts are on.
 */
bool p2m_fault(struct vcpu *v, u64 gpa, bool write, bool fetch);
/* Makes every vCPU of d forget its translations before it returns. */
void p2m_flush(struct domain *d);

#endif
