/* SPDX-License-Identifier: MIT */
/*
 * Which entries guests' page tables may have, and the references that entries hold. The top of
 * x86/mm/page_types.c states the invariants.
 */
#ifndef X86_MM_PAGE_VALIDATE_H
#define X86_MM_PAGE_VALIDATE_H

#include "hv/arch/frame.h"
#include "hv/console.h"
#include "hv/frame.h"
#include "x86/cpu/feature.h"
#include "x86/cpu/guards.h"
#include "x86/mm/page_types.h"
#include "x86/mm/paging.h"

/* Bits 52 to 62, which the processor ignores (SDM 3A 4.5.4; CR4.PKE is off). */
#define PTE_AVAIL_HIGH (0x7ffUL << 52)
/* Bits that affect no reference and no check. */
#define PTE_HARMLESS (PTE_ACCESSED | PTE_DIRTY | PTE_NX | PTE_AVAIL | PTE_AVAIL_HIGH)
/* Refused in entries of L2 to L4: no large pages, and tables are always cached. */
#define PTE_TABLE_DISALLOWED (PTE_PSE | PTE_GLOBAL | PTE_PWT | PTE_PCD)

static inline bool l4_slot_is_hypervisor(unsigned int index)
{
	return index >= HV_FIRST_SLOT && index <= HV_LAST_SLOT;
}

/*
 * The domain drives hardware: it may map device memory, map memory that is not write-back, and
 * flush caches.
 */
static inline bool domain_has_hardware(const struct domain *d)
{
	return d->is_privileged || READ_ONCE(d->iomem_caps.nr) ||
	       READ_ONCE(d->arch->ioport_caps.nr);
}

/*
 * Makes an L1 entry fit for a guest: a user page (the guest's kernel runs in ring 3), not global.
 */
static inline u64 l1e_adjust(u64 e)
{
	return (e & ~PTE_GLOBAL) | PTE_USER;
}

/*
 * Processors with L1TF read what lies in their cache at the address of an entry that is not
 * present. True: a table of d may not have this entry, which is not present and names memory.
 */
static inline bool pte_shows_memory(const struct domain *d, u64 e)
{
	u32 guard = d->is_privileged ? CPU_GUARD_L1TF_DOM0 : CPU_GUARD_L1TF;

	return unlikely(cpu_guards & guard) && !(e & PTE_PRESENT) && e &&
	       mfn_x(pte_mfn(e & (BIT(cpu_features.paddr_bits) - 1))) < max_page;
}

/* Tells that such an entry was refused. -EINVAL. */
int pte_refuse(struct domain *d);

/*
 * Takes the references of a present L1 entry in a table of `d`, and adjusts the entry. The entry
 * maps a frame of `target_owner`: d; another domain or dom_xen, if the caller has checked that d
 * may map its frames; or dom_io, for device memory only. 0, -EINVAL, -EPERM (device memory),
 * -EBUSY.
 */
int __must_check l1e_get(struct domain *d, const struct domain *target_owner, u64 *entry);
/* Drops the references of an entry of a table of `d` that was present. */
void l1e_put(const struct domain *d, u64 entry);

/*
 * Checks a present entry of an L2, L3 or L4 table, except for its child's type, and adjusts its
 * bits. 0, -EINVAL.
 */
int __must_check table_entry_check(u64 *entry);

/*
 * Continues to validate (devalidate) a table or descriptor page from its present state. The caller
 * holds the owner's mmu_lock and a type reference. -ERESTART: preempted; -EINVAL, -EBUSY: an entry
 * is bad, or its frame's count is full. After an error the page is partial, and the caller still
 * has the type reference.
 */
int __must_check page_validate(struct page_info *pg);
int __must_check page_devalidate(struct page_info *pg);
/*
 * As page_type_get, but *kept says whether the caller has the type reference, even after an error.
 */
int __must_check page_type_get_keep(struct page_info *pg, u64 type, bool *kept);

/*
 * Makes a segment descriptor safe in place (DPL 3, accessed, not conforming). False: a guest may
 * not have it.
 */
bool descriptor_make_safe(u64 *desc);

/*
 * Does a validated table hold all its references, as far as can be seen from the table?
 * (page_check.c)
 */
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
