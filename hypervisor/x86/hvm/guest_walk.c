/* SPDX-License-Identifier: MIT */
#include "x86/hvm/guest_walk.h"

#include "lib/errno.h"

#define CR0_WP	  BIT(16)
#define CR0_PG	  BIT(31)
#define CR4_PSE	  BIT(4)
#define CR4_PAE	  BIT(5)
#define CR4_SMEP  BIT(20)
#define CR4_SMAP  BIT(21)
#define EFER_LMA  BIT(10)
#define EFER_NXE  BIT(11)
#define RFLAGS_AC BIT(18)

#define E_PRESENT  BIT(0)
#define E_RW	   BIT(1)
#define E_USER	   BIT(2)
#define E_ACCESSED BIT(5)
#define E_DIRTY	   BIT(6)
#define E_PS	   BIT(7)
#define E_NX	   BIT(63)
#define E_ADDR	   0x000ffffffffff000UL

/* Bits from `low` to `high`, both included; none if low > high. */
static u64 bits(unsigned int high, unsigned int low)
{
	return low > high ? 0 : (~0UL >> (63 - high)) & (~0UL << low);
}

/* --- the modes --- */

/* How the tables of a mode are laid out. Levels count down to 1. */
struct mode {
	unsigned int levels;
	unsigned int entry_size; /* bytes */
	unsigned int index_bits; /* of each level, but for level 3 of PAE, which has 2 */
};
static const struct mode mode_32 = { 2, 4, 10 }, mode_pae = { 3, 8, 9 }, mode_long = { 4, 8, 9 };

static const struct mode *mode_of(const struct guest_paging *p)
{
	if (p->efer & EFER_LMA)
		return &mode_long;
	return p->cr4 & CR4_PAE ? &mode_pae : &mode_32;
}

static unsigned int shift_of(const struct mode *m, unsigned int level)
{
	return 12 + m->index_bits * (level - 1);
}

/* The four entries of PAE's top level hold no rights, and have no accessed bit. */
static bool is_pdpte(const struct mode *m, unsigned int level)
{
	return m == &mode_pae && level == 3;
}

static bool entry_is_page(const struct guest_paging *p, const struct mode *m, unsigned int level,
			  u64 e)
{
	if (level == 1)
		return true;
	if (!(e & E_PS))
		return false;
	if (m == &mode_32)
		return p->cr4 & CR4_PSE;
	return level == 2 || (level == 3 && m == &mode_long && p->has_1gib);
}

/* The bits of a present entry that must be 0. */
static u64 reserved_bits(const struct guest_paging *p, const struct mode *m, unsigned int level,
			 bool page)
{
	unsigned int width = p->paddr_bits;
	u64 r;

	if (m == &mode_32) {
		/* A page of 4 MiB has bits 39:32 of its address in 20:13 (SDM 3A, table 4-4). */
		if (level == 2 && page)
			return bits(21, (width < 40 ? width : 40) - 19);
		return 0;
	}
	if (is_pdpte(m, level))
		return bits(63, width) | bits(8, 5) | bits(2, 1);
	/* PAE reserves all that the address does not need; 4-level paging lets 62:52 be. */
	r = bits(m == &mode_pae ? 62 : 51, width);
	if (!(p->efer & EFER_NXE))
		r |= E_NX;
	if (page && level > 1)
		r |= bits(shift_of(m, level) - 1, 13);
	else if (!page && level > 2)
		r |= E_PS;
	return r;
}

static u64 page_address(const struct mode *m, unsigned int level, u64 e)
{
	if (m == &mode_32)
		return level == 2 ? (e & 0xffc00000UL) | (e & bits(20, 13)) << 19 :
				    e & 0xfffff000UL;
	return e & E_ADDR & ~((1UL << shift_of(m, level)) - 1);
}

/* --- rights --- */

static u32 fault_code(const struct guest_paging *p, u32 access, u32 why)
{
	bool knows_fetch = (p->cr4 & CR4_SMEP) || ((p->cr4 & CR4_PAE) && (p->efer & EFER_NXE));

	return (u32)((access & (WALK_WRITE | WALK_USER)) | why |
		     (knows_fetch ? access & WALK_FETCH : 0));
}

/*
 * rights: E_RW and E_USER if all levels allow it, E_NX if one forbids it. A supervisor's explicit
 * access to user memory is allowed while RFLAGS.AC is set.
 */
static bool allowed(const struct guest_paging *p, u64 rights, u32 access)
{
	if ((access & WALK_FETCH) && (rights & E_NX))
		return false;
	if (access & WALK_USER)
		return (rights & E_USER) && (!(access & WALK_WRITE) || (rights & E_RW));
	if ((access & WALK_WRITE) && !(rights & E_RW) && (p->cr0 & CR0_WP))
		return false;
	if (!(rights & E_USER))
		return true;
	if (access & WALK_FETCH)
		return !(p->cr4 & CR4_SMEP);
	return !(p->cr4 & CR4_SMAP) || (p->rflags & RFLAGS_AC);
}

/* --- the walk --- */

struct step {
	u64 gpa, entry;
};

static int set_flags(const struct mode *m, unsigned int leaf, const struct step *steps, u32 access,
		     const struct guest_walk_memory *memory, void *ctx)
{
	for (unsigned int level = m->levels; level >= leaf; level--) {
		u64 e = steps[level].entry, want = E_ACCESSED;
		int err;

		if (is_pdpte(m, level))
			continue;
		if (level == leaf && (access & WALK_WRITE))
			want |= E_DIRTY;
		if ((e & want) == want)
			continue;
		err = memory->cmpxchg(ctx, steps[level].gpa, m->entry_size, e, e | want);
		if (err)
			return err;
	}
	return 0;
}

static int walk_once(const struct guest_paging *p, const struct mode *m, u64 linear, u32 access,
		     const struct guest_walk_memory *memory, void *ctx, struct guest_walk *out)
{
	u64 table = p->cr3 & (m == &mode_long ? E_ADDR :
			      m == &mode_pae  ? 0xffffffe0UL :
						0xfffff000UL);
	u64 rights = E_RW | E_USER;
	struct step steps[5];
	unsigned int level;
	bool page = false;

	for (level = m->levels;; level--) {
		u64 index = linear >> shift_of(m, level) & ((1UL << m->index_bits) - 1), e;
		int err;

		if (is_pdpte(m, level))
			index &= 3;
		steps[level].gpa = table + index * m->entry_size;
		err = memory->read(ctx, steps[level].gpa, m->entry_size, &e);
		if (err)
			return err;
		steps[level].entry = e;
		if (!(e & E_PRESENT)) {
			out->fault = true;
			out->error_code = fault_code(p, access, 0);
			return -EFAULT;
		}
		page = entry_is_page(p, m, level, e);
		if (e & reserved_bits(p, m, level, page)) {
			out->fault = true;
			out->error_code = fault_code(p, access, WALK_PRESENT | WALK_RESERVED);
			return -EFAULT;
		}
		if (!is_pdpte(m, level))
			rights = (rights & e & (E_RW | E_USER)) | ((rights | e) & E_NX);
		if (page)
			break;
		table = m == &mode_32 ? e & 0xfffff000UL : e & E_ADDR;
	}
	if (m == &mode_32)
		rights &= ~E_NX;
	if (!allowed(p, rights, access)) {
		out->fault = true;
		out->error_code = fault_code(p, access, WALK_PRESENT);
		return -EFAULT;
	}
	out->page_size = 1UL << shift_of(m, level);
	out->gpa = page_address(m, level, steps[level].entry) | (linear & (out->page_size - 1));
	return set_flags(m, level, steps, access, memory, ctx);
}

/* After so many changes of the tables by other vCPUs during one walk, the walk fails. */
#define WALK_TRIES 16

int guest_walk(const struct guest_paging *p, u64 linear, u32 access,
	       const struct guest_walk_memory *memory, void *ctx, struct guest_walk *out)
{
	const struct mode *m = mode_of(p);
	int err = -EAGAIN;

	out->fault = false;
	out->error_code = 0;
	if (!(p->cr0 & CR0_PG)) {
		out->gpa = (u32)linear;
		out->page_size = GiB(4);
		return 0;
	}
	if (m == &mode_long && (u64)((s64)(linear << 16) >> 16) != linear)
		return -EFAULT;
	for (unsigned int tries = 0; err == -EAGAIN && tries < WALK_TRIES; tries++)
		err = walk_once(p, m, linear, access, memory, ctx, out);
	return err;
}
