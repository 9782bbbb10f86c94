/* SPDX-License-Identifier: MIT */
/*
 * Private to grant.c (tables and pins), grant_map.c, grant_copy.c and grant_ops.c (the hypercall).
 *
 * A grant entry lies in memory that the granter may write at any time. When its first use begins,
 * the entry is read once, into an active entry; from then on only the active entry counts. Each use
 * is a pin, for reading or for writing. An entry with pins holds one reference on the frame; an
 * entry with writing pins also holds a writable type reference. These are taken before the use
 * begins, and dropped when nobody can reach the frame any more: after unmap and flush. Only then
 * does the granter see the entry free (GTF_reading and GTF_writing clear).
 *
 * A mapping is an entry of the mapper's maptrack; its index is the handle. The mapping holds a pin,
 * and a reference on the granter.
 *
 * [G] the table's lock, LOCK_GRANT. No CPU ever holds two of them.
 */
#ifndef CORE_GRANT_GRANT_H
#define CORE_GRANT_GRANT_H

#include "hv/grant.h"
#include "hv/speculation.h"

#include <xen/grant_table.h>
#include "hv/atomic.h"
#include "hv/frame.h"

struct active_grant {
	u32 frame;	      /* [G] valid while pinned */
	u16 readers, writers; /* [G] pins */
	domid_t user;	      /* [G] the domain it is granted to; valid while pinned */
};
_Static_assert(sizeof(struct active_grant) == 12, "6 KiB for each shared frame");

#define GRANTS_PER_FRAME   (PAGE_SIZE / sizeof(grant_entry_v1_t))
#define MAPTRACK_PER_FRAME (PAGE_SIZE / sizeof(struct maptrack))
#define MAPTRACK_NONE	   (~0U)
#define MAPTRACK_BUSY	   0x8000U /* in flags: an unmap is in progress */

struct maptrack {
	struct domain *granter; /* [G] a reference is held */
	u32 ref; /* [G] index in the granter's table; in a free entry: the next free one */
	/*
	 * [G] GNTMAP_* of the mapping. 0: free, or taken and not mapped yet; then only its taker
	 * uses the entry.
	 */
	u32 flags;
};

struct grant_table {
	spinlock_t lock;
	unsigned int nr_frames;		  /* [G] */
	unsigned int max_frames;	  /* [I] */
	grant_entry_v1_t **shared;	  /* [G] a page each */
	struct active_grant **active;	  /* [G] GRANTS_PER_FRAME each */
	struct maptrack **maptrack;	  /* [G] a page each */
	unsigned int nr_maptrack_frames;  /* [G] */
	unsigned int max_maptrack_frames; /* [I] */
	u32 maptrack_free;		  /* [G] head of the free list */
	u32 release_next;		  /* how far the release of all mappings has come */
};

enum grant_access { GRANT_READ, GRANT_WRITE };

/*
 * Pins grant `ref` of d for `user`: GNTST_okay and the frame, or another GNTST_* status. The pin
 * keeps the frame. No lock held.
 */
int grant_pin(struct domain *d, u32 ref, domid_t user, enum grant_access access, mfn_t *frame);
/* Drops a pin. Nobody can reach the frame through it any more. */
void grant_unpin(struct domain *d, u32 ref, enum grant_access access);
/* The frame of an entry that the caller has pinned. */
mfn_t grant_pinned_frame(struct domain *d, u32 ref);
/* Grows the shared table to `frames`: 0, -ENOMEM, -EINVAL past the limit. */
int __must_check grant_grow(struct domain *d, unsigned int frames);
/* Swaps two entries that are not in use: a GNTST_* status. */
int grant_swap(struct domain *d, u32 a, u32 b);

/* State that the operations of one hypercall share. */
#define UNMAP_BATCH 32
struct copy_end {
	bool held, is_ref;
	enum grant_access access;
	domid_t domid;
	u64 name;	       /* grant reference or frame number */
	struct domain *domain; /* the granter, with a reference; valid if is_ref */
	mfn_t mfn;
	char *va;
};
struct grant_batch {
	/* The mapper's TLBs may have translations that are no longer in its page tables. */
	bool stale;
	unsigned int nr;
	/* Mappings that are out of the page tables, but perhaps not out of the TLBs. */
	struct {
		struct domain *granter;
		u32 ref;
		enum grant_access access;
	} unmapped[UNMAP_BATCH];
	/* The ends of the last copy: the next copy often has the same. */
	struct copy_end source, dest;
};

void grant_map(struct gnttab_map_grant_ref *op);
/* new_addr: 0, or the address whose translation replaces the mapping. Returns a GNTST_* status. */
int grant_unmap(struct grant_batch *b, grant_handle_t handle, u64 host_addr, u64 dev_bus_addr,
		u64 new_addr);
void grant_unmap_finish(struct grant_batch *b);
void grant_copy(struct grant_batch *b, struct gnttab_copy *op);
void grant_copy_finish(struct grant_batch *b);

void maptrack_free_all(struct grant_table *gt);

#endif
