/* SPDX-License-Identifier: MIT */
/*
 * A guest's own page tables (SDM 3A 4, APM 2 5): from linear to guest-physical addresses, for no
 * paging, 32-bit, PAE and 4-level paging. Pure: what lies in the guest's memory comes through two
 * callbacks.
 */
#ifndef X86_HVM_GUEST_WALK_H
#define X86_HVM_GUEST_WALK_H

#include "lib/types.h"

/* The registers that decide. */
struct guest_paging {
	u64 cr0, cr3, cr4, efer, rflags;
	unsigned int paddr_bits; /* as the guest's CPUID says, at most 52 */
	bool has_1gib;		 /* so says its CPUID, too */
};

/* Bits of a page fault's error code; those of an access are WRITE, USER and FETCH. */
#define WALK_PRESENT  BIT(0)
#define WALK_WRITE    BIT(1)
#define WALK_USER     BIT(2)
#define WALK_RESERVED BIT(3)
#define WALK_FETCH    BIT(4)

struct guest_walk_memory {
	/* Reads an entry of `size` (4 or 8) bytes, aligned. 0, or -EFAULT: no memory is there. */
	int (*read)(void *ctx, u64 gpa, unsigned int size, u64 *entry);
	/* Sets it to `new` if it still is `old`. 0, -EAGAIN: it is not; -EFAULT: it is read-only.
	 */
	int (*cmpxchg)(void *ctx, u64 gpa, unsigned int size, u64 old, u64 new);
};

struct guest_walk {
	u64 gpa;	/* on success */
	u64 page_size;	/* on success: of the page that maps it; 4 GiB without paging */
	u32 error_code; /* of the page fault, after -EFAULT with `fault` */
	bool fault;	/* -EFAULT: a page fault, as the guest's own access would have got */
};

/*
 * Translates `linear` for an access (WALK_WRITE, WALK_USER, WALK_FETCH), and sets accessed and
 * dirty as the processor does. Without long mode, and in 32-bit code of it, the caller has cut
 * `linear` to 32 bits.
 *
 * 0; -EFAULT: a page fault, or (without `fault`) a table that is no memory, or an address that is
 * not canonical; -EAGAIN: other vCPUs change the tables all the time.
 */
int __must_check guest_walk(const struct guest_paging *p, u64 linear, u32 access,
			    const struct guest_walk_memory *memory, void *ctx,
			    struct guest_walk *out);

#endif
