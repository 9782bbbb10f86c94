/* SPDX-License-Identifier: MIT */
/* Page-table entries (SDM 3A 4.5) and the hypervisor's own address space. */
#ifndef X86_MM_PAGING_H
#define X86_MM_PAGING_H

#include "hv/frame.h"
#include "x86/arch_domain.h"

#define PTE_PRESENT   BIT(0)
#define PTE_RW	      BIT(1)
#define PTE_USER      BIT(2)
#define PTE_PWT	      BIT(3)
#define PTE_PCD	      BIT(4)
#define PTE_ACCESSED  BIT(5)
#define PTE_DIRTY     BIT(6)
#define PTE_PSE	      BIT(7) /* L2, L3: large page */
#define PTE_PAT	      BIT(7) /* L1 */
#define PTE_GLOBAL    BIT(8)
#define PTE_AVAIL     (BIT(9) | BIT(10) | BIT(11))
#define PTE_NX	      BIT(63)
#define PTE_ADDR_MASK 0x000ffffffffff000UL
#define PTE_HV_RW     (PTE_PRESENT | PTE_RW | PTE_ACCESSED | PTE_DIRTY | PTE_NX)
#define PTE_TABLE     (PTE_PRESENT | PTE_RW | PTE_USER | PTE_ACCESSED | PTE_DIRTY)

/* Not for user mode. */
#define PTE_TABLE_HV (PTE_PRESENT | PTE_RW | PTE_ACCESSED | PTE_DIRTY)

#define PT_ENTRIES	    512
#define pt_index(va, level) (((unsigned long)(va) >> (12 + 9 * ((level)-1))) & (PT_ENTRIES - 1))

static inline mfn_t pte_mfn(u64 pte)
{
	return MFN((pte & PTE_ADDR_MASK) >> PAGE_SHIFT);
}
static inline u64 pte_make(mfn_t mfn, u64 flags)
{
	return ((u64)mfn_x(mfn) << PAGE_SHIFT) | flags;
}

/*
 * Boot: builds the final page tables (W^X, frame table, M2P) from the memory map and loads them.
 * page_alloc works afterwards.
 */
void paging_init(void);
extern u64 *idle_l4; /* the L4 that idle vCPUs and boot run on */

/*
 * Fills in an L4 page (mapped at l4): the slots that every address space shares, and d's PERDOMAIN
 * slot.
 */
void l4_fill_hypervisor_slots(u64 *l4, const struct domain *d);

/*
 * The per-domain area: its L3 and L2 are made with the domain, an L1 page and a window with each
 * vCPU.
 */
int __must_check perdomain_create(struct domain *d);
void perdomain_free(struct domain *d);
int __must_check perdomain_vcpu_create(struct vcpu *v);
void perdomain_vcpu_free(struct vcpu *v);
static inline unsigned long perdomain_virt(const struct vcpu *v, unsigned int page)
{
	return PERDOMAIN_VIRT + ((unsigned long)v->id << PERDOMAIN_VCPU_SHIFT) + page * PAGE_SIZE;
}

/*
 * Loads v's page tables (v->arch->cr3) and its map_frame window on this CPU, which flushes all
 * translations that are not global.
 */
void address_space_load(struct vcpu *v);
/* Empties v's window, so that no old mapping stays: for v about to run after another domain. */
void map_window_reset(struct vcpu *v);
DECLARE_PER_CPU(struct map_window *, map_window);

/*
 * Maps 4 KiB in the hypervisor's shared part (stacks, image, devices); makes page tables as needed.
 * 0, -ENOMEM.
 */
int __must_check hv_map_page(unsigned long va, mfn_t mfn, u64 flags);
void hv_unmap_page(unsigned long va); /* local TLB only; see tlb.h */
u64 hv_lookup_pte(unsigned long va);  /* 0: not mapped */

#endif
