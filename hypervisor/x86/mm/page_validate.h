/* SPDX-License-Identifier: MIT */
/* What entries of guests' page tables may be, and the references that they hold.
 * x86/mm/page_types.c has the invariants. */
#ifndef X86_MM_PAGE_VALIDATE_H
#define X86_MM_PAGE_VALIDATE_H

#include "hv/console.h"
#include "x86/cpu/feature.h"
#include "x86/mm/page_types.h"
#include "x86/mm/paging.h"

/* Bits 52 to 62, which the processor ignores (SDM 3A 4.5.4; CR4.PKE is off). */
#define PTE_AVAIL_HIGH (0x7ffUL << 52)
/* What no reference and no check depends on. */
#define PTE_HARMLESS (PTE_ACCESSED | PTE_DIRTY | PTE_NX | PTE_AVAIL | PTE_AVAIL_HIGH)
/* Refused in entries of L2 to L4: no large pages, and tables are always cached. */
#define PTE_TABLE_DISALLOWED (PTE_PSE | PTE_GLOBAL | PTE_PWT | PTE_PCD)

static inline bool l4_slot_is_hypervisor(unsigned int index)
{
	return index >= HV_FIRST_SLOT && index <= HV_LAST_SLOT;
}

/* May map device memory or memory that is not write-back, and flush caches: a domain that drives
 * hardware. */
static inline bool domain_has_hardware(const struct domain *d)
{
	return d->is_privileged || READ_ONCE(d->iomem_caps.nr) ||
	       READ_ONCE(d->arch->ioport_caps.nr);
}

/* The entry as the hypervisor lets a guest have it: user pages only (its kernel runs in ring 3),
 * none global. */
static inline u64 l1e_adjust(u64 e)
{
	return (e & ~PTE_GLOBAL) | PTE_USER;
}

/*
 * Takes the references of a present L1 entry of a table of `d`, mapping a frame of `target_owner`
 * (d; another domain or dom_xen, whom the caller has checked d may map; dom_io: device memory
 * only), and adjusts it. -EINVAL, -EPERM (device memory), -EBUSY.
 */
int __must_check l1e_get(struct domain *d, const struct domain *target_owner, u64 *entry);
/* Drops those of an entry that was present. */
void l1e_put(u64 entry);

/* The child's frame that a present entry of an L2, L3 or L4 table may point to, its bits adjusted:
 * 0, -EINVAL. */
int __must_check table_entry_check(u64 *entry);

/*
 * Goes on validating (devalidating) a table or descriptor page, whose owner's mmu_lock is held,
 * from where it is; the caller has a type reference. -ERESTART: preempted; -EINVAL: an entry is
 * bad. On an error the page is partial, the reference still there.
 */
int __must_check page_validate(struct page_info *pg);
int __must_check page_devalidate(struct page_info *pg);
/* Takes a type reference that is kept even when validation fails: *kept. */
int __must_check page_type_get_keep(struct page_info *pg, u64 type, bool *kept);

/* A segment descriptor that a guest may have, made safe in place (DPL 3, accessed, not conforming);
 * false: none. */
bool descriptor_make_safe(u64 *desc);

/* Does a validated table hold all the references that it should, as far as one can see from here?
 * (page_check.c) */
bool page_table_is_consistent(struct page_info *pg);
#ifdef HV_DEBUG
static inline void page_table_debug_check(struct page_info *pg)
{
	BUG_ON(!page_table_is_consistent(pg));
}
#else
static inline void page_table_debug_check(struct page_info *pg)
{
}
#endif

#endif
