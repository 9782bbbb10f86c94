/* SPDX-License-Identifier: MIT */
/* Private to the files of x86/pv that change guests' page tables. */
#ifndef X86_PV_PV_MMU_H
#define X86_PV_PV_MMU_H

#include "hv/arch/map.h"
#include "hv/frame.h"
#include "hv/hypercall.h"
#include "x86/mm/page_types.h"
#include "x86/mm/page_validate.h"
#include "x86/mm/paging.h"
#include "x86/pv/address.h"
#include "x86/pv/pv.h"

static inline void pv_mmu_lock(struct domain *d)
{
	spin_lock(&d->arch->mmu_lock);
}
static inline void pv_mmu_unlock(struct domain *d)
{
	spin_unlock(&d->arch->mmu_lock);
}

/*
 * Maps the L1 entry for `addr` in the address space of v's present mode; pv_unmap_slot unmaps it.
 * NULL: there is no L1 table. *rights: RW, USER and (inverted) NX as the upper levels allow.
 * mmu_lock held.
 */
u64 *pv_map_l1_slot(struct vcpu *v, unsigned long addr, u64 *rights);
static inline void pv_unmap_slot(const u64 *slot)
{
	unmap_frame((const void *)((unsigned long)slot & PAGE_MASK));
}

/*
 * copy_from_guest from the guest kernel's memory, which user mode's page tables need not map. 0,
 * -EFAULT.
 */
int __must_check pv_copy_from_kernel(void *dst, const void __guest *src, size_t size);

enum pv_write {
	PV_WRITE_PLAIN,	   /* *slot = val */
	PV_WRITE_KEEP_AD,  /* *slot = val | accessed and dirty of *slot, atomically */
	PV_WRITE_EXPECTED, /* only if *slot is still `expected`; else -EAGAIN */
};
/*
 * Changes an entry of a valid L1 table of `d`, whose mmu_lock is held. Takes the references of the
 * new entry (a frame of `target_owner`, see l1e_get), publishes the entry, and drops the references
 * of the old one. The caller flushes TLBs. 0, -EINVAL, -EPERM, -EBUSY, -EAGAIN.
 */
int __must_check pv_write_l1e(struct domain *d, const struct domain *target_owner, u64 *slot,
			      u64 val, enum pv_write how, u64 expected);

/*
 * The domain that a hypercall names as the owner of frames: DOMID_SELF, DOMID_IO, DOMID_XEN or an
 * ID. Any other domain than the current one comes with a reference, for pv_owner_put. NULL: *err is
 * -ESRCH, -EPERM or -EINVAL.
 */
struct domain *pv_owner_get(unsigned int id, int *err);
void pv_owner_put(struct domain *d);
/*
 * For an owner with frame numbers of its own (guest_frames_are_machine is false): replaces the
 * number in a new L1 entry by the machine's. Returns the frame with a reference; NULL: the owner
 * has none of that number.
 */
struct page_info *pv_translate_entry(struct domain *owner, u64 *entry);

/* Reloads CR3 of the current vCPU, after pv_update_cr3. */
void pv_load_cr3(struct vcpu *v);
/* NEW_USER_BASEPTR of the current vCPU; mfn 0: none. */
int __must_check pv_new_user_l4(struct vcpu *v, mfn_t mfn);

/* The CPUs that may have translations of the vCPUs in the guest's bitmap. 0, -EFAULT. */
int __must_check pv_cpus_of_vcpus(struct domain *d, const void __guest *bitmap, cpumask_t *cpus);
/* The CPUs that may have translations of d. */
void pv_cpus_of_domain(const struct domain *d, cpumask_t *cpus);

/* --- descriptors.c --- */
int __must_check pv_set_ldt(struct vcpu *v, unsigned long base, unsigned int entries);

#endif
