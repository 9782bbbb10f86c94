/* SPDX-License-Identifier: MIT */
/*
 * How one processor's entries of a p2m look: AMD's nested page tables (APM 2 15.25.5), Intel's EPT
 * (SDM 3C 29.3.2). Both have four levels of 512 entries, a frame number in the same bits, and bits
 * that the processor ignores. There the p2m keeps the type of an entry that maps memory. So an
 * entry is 0 (nothing), or has a type (it maps memory), or has none (it points to a table).
 */
#ifndef X86_HVM_P2M_FORMAT_H
#define X86_HVM_P2M_FORMAT_H

#include "hv/frame.h"
#include "x86/hvm/p2m.h"

#define P2M_LEVELS     4
#define P2M_ENTRIES    512
#define P2M_TYPES      8
#define P2M_FRAME_MASK 0x000ffffffffff000UL

struct p2m_format {
	const char *name;
	u64 rights[P2M_TYPES]; /* the bits of an entry of that type, but for `large` and the type */
	u64 table;	       /* the bits of an entry that points to a table */
	u64 large;	       /* marks an entry of level 2 that maps 2 MiB */
	u64 writable;	       /* the guest may write */
	unsigned int type_shift; /* three bits that the processor ignores */
};

extern const struct p2m_format p2m_format_npt, p2m_format_ept;

static inline enum p2m_type p2m_entry_type(const struct p2m_format *f, u64 e)
{
	return (enum p2m_type)((e >> f->type_shift) & (P2M_TYPES - 1));
}
static inline bool p2m_entry_is_table(const struct p2m_format *f, u64 e)
{
	return e && p2m_entry_type(f, e) == P2M_NONE;
}
static inline mfn_t p2m_entry_mfn(u64 e)
{
	return MFN((e & P2M_FRAME_MASK) >> PAGE_SHIFT);
}
static inline u64 p2m_entry_table(const struct p2m_format *f, mfn_t table)
{
	return mfn_to_maddr(table) | f->table;
}
/* level 1: 4 KiB; level 2: 2 MiB, and mfn is aligned to it. type is not P2M_NONE. */
static inline u64 p2m_entry_leaf(const struct p2m_format *f, mfn_t mfn, unsigned int level,
				 enum p2m_type type)
{
	return mfn_to_maddr(mfn) | f->rights[type] | (level > 1 ? f->large : 0) |
	       (u64)type << f->type_shift;
}

#endif
