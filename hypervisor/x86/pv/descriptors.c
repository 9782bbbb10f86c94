/* SPDX-License-Identifier: MIT */
/*
 * A guest's GDT and LDT. Their pages have type SEG_DESC while in use, so the guest cannot write
 * them and each descriptor in them is safe (descriptor_make_safe). They are mapped read-only in the
 * vCPU's own part of the per-domain area when the guest sets the table. A page of the LDT that
 * cannot be a descriptor page at that time is mapped when the processor accesses it.
 */
#include "x86/pv/pv_mmu.h"

#include "hv/arch/cpu.h"
#include "hv/arch/guest_access.h"
#include "hv/console.h"
#include "hypercall_table.h"
#include "lib/errno.h"
#include "x86/mm/log_dirty.h"
#include "x86/pv/bounce.h"

#define DESCS_PER_PAGE	(PAGE_SIZE / sizeof(u64))
#define GDT_FRAMES	FIRST_RESERVED_GDT_PAGE
#define LDT_PAGES	16
#define LDT_MAX_ENTRIES (LDT_PAGES * DESCS_PER_PAGE)
#define DESC_PTE	(PTE_PRESENT | PTE_ACCESSED | PTE_NX)

_Static_assert(FIRST_RESERVED_GDT_PAGE == 14,
	       "page 14 of each GDT is the hypervisor's (hv/config.h)");
_Static_assert(sizeof(((struct pv_vcpu *)0)->gdt_frames) == GDT_FRAMES * sizeof(mfn_t),
	       "a frame for each page");

/*
 * Mapped beyond the part of the GDT that a guest has set: descriptors that are not present, so that
 * a selector there faults in the guest.
 */
static u8 no_descriptors[PAGE_SIZE] __aligned(4096);

/* v is current or does not run. */
static void desc_page_map(struct vcpu *v, unsigned int page, u64 pte)
{
	WRITE_ONCE(v->arch->perdomain_l1[page], pte);
	if (v == current)
		invlpg(perdomain_virt(v, page));
}

static void desc_frame_put(struct domain *d, mfn_t mfn)
{
	pv_mmu_lock(d);
	page_put_and_type(mfn_to_page(mfn));
	pv_mmu_unlock(d);
}

static int desc_frame_get(struct domain *d, mfn_t mfn)
{
	struct page_info *pg;
	int err;

	pv_mmu_lock(d);
	err = page_get_and_type(mfn, d, PGT_SEG_DESC, &pg);
	pv_mmu_unlock(d);
	return err;
}

/* --- GDT --- */

void pv_destroy_gdt(struct vcpu *v)
{
	struct pv_vcpu *pv = pv_of(v);
	unsigned int nr = (unsigned int)DIV_ROUND_UP(pv->gdt_entries, DESCS_PER_PAGE);

	for (unsigned int i = 0; i < GDT_FRAMES; i++)
		desc_page_map(v, PERDOMAIN_GDT_PAGE + i,
			      pte_make(virt_to_mfn(no_descriptors), DESC_PTE));
	for (unsigned int i = 0; i < nr; i++)
		desc_frame_put(v->domain, pv->gdt_frames[i]);
	pv->gdt_entries = 0;
}

/*
 * Sets v's GDT to `entries` descriptors in as many frames as they need. v is current or does not
 * run. -EINVAL, -EBUSY: nothing changed.
 */
int pv_set_gdt(struct vcpu *v, const unsigned long *frames, unsigned int entries)
{
	struct pv_vcpu *pv = pv_of(v);
	unsigned int nr = (unsigned int)DIV_ROUND_UP(entries, DESCS_PER_PAGE), i;
	int err = 0;

	if (entries > FIRST_RESERVED_GDT_ENTRY)
		return -EINVAL;
	for (i = 0; !err && i < nr; i++)
		err = desc_frame_get(v->domain, MFN(frames[i]));
	if (err) {
		for (i--; i-- > 0;)
			desc_frame_put(v->domain, MFN(frames[i]));
		return err;
	}
	pv_destroy_gdt(v);
	for (i = 0; i < nr; i++) {
		pv->gdt_frames[i] = MFN(frames[i]);
		desc_page_map(v, PERDOMAIN_GDT_PAGE + i, pte_make(MFN(frames[i]), DESC_PTE));
	}
	pv->gdt_entries = entries;
	return 0;
}

/* frame list, entries */
long do_set_gdt(unsigned long a0, unsigned long a1, unsigned long a2, unsigned long a3,
		unsigned long a4, unsigned long a5)
{
	unsigned long frames[GDT_FRAMES];
	unsigned int entries = (unsigned int)a1;
	int err;

	if (entries > FIRST_RESERVED_GDT_ENTRY)
		return -EINVAL;
	if (copy_from_guest(frames, (const void __guest *)a0,
			    DIV_ROUND_UP(entries, DESCS_PER_PAGE) * sizeof(frames[0])))
		return -EFAULT;
	err = page_held_settle(NULL);
	return err ? err : pv_set_gdt(current, frames, entries);
}

/* machine address of a descriptor, its new value */
long do_update_descriptor(unsigned long a0, unsigned long a1, unsigned long a2, unsigned long a3,
			  unsigned long a4, unsigned long a5)
{
	struct domain *d = current->domain;
	struct page_info *pg;
	u64 desc = a1, type, *table;
	int err;

	if ((a0 & 7) || !descriptor_make_safe(&desc))
		return -EINVAL;
	pg = page_get_from_mfn(maddr_to_mfn(a0), d);
	if (!pg)
		return -EINVAL;
	pv_mmu_lock(d);
	/*
	 * A page in use as a descriptor page stays one. Any other page must be one that the guest
	 * may write.
	 */
	type = page_type_count(pg) && page_type(pg) == PGT_SEG_DESC ? PGT_SEG_DESC : PGT_WRITABLE;
	err = page_type_get(pg, type);
	if (!err) {
		table = map_frame(maddr_to_mfn(a0));
		WRITE_ONCE(table[(a0 & ~PAGE_MASK) / sizeof(u64)], desc);
		unmap_frame(table);
		err = page_type_put(pg);
		log_dirty_mark(pg);
	}
	pv_mmu_unlock(d);
	page_put(pg);
	return err;
}

/* --- LDT --- */

void pv_destroy_ldt(struct vcpu *v)
{
	struct pv_vcpu *pv = pv_of(v);

	for (unsigned int i = 0; i < LDT_PAGES && pv->ldt_mapped; i++) {
		unsigned int page = PERDOMAIN_LDT_PAGE + i;
		mfn_t mfn;

		if (!(pv->ldt_mapped & BIT(i)))
			continue;
		mfn = pte_mfn(v->arch->perdomain_l1[page]);
		desc_page_map(v, page, 0);
		pv->ldt_mapped &= ~(u32)BIT(i);
		desc_frame_put(v->domain, mfn);
	}
}

/*
 * Maps page i of the current vCPU's LDT, which is not mapped. False: there is no such page, or it
 * cannot be a descriptor page.
 */
static bool ldt_page_map(struct vcpu *v, unsigned int i)
{
	struct pv_vcpu *pv = pv_of(v);
	u64 e = pv_read_guest_l1e(pv->ldt_base + i * PAGE_SIZE);

	if (!e || desc_frame_get(v->domain, pte_mfn(e)))
		return false;
	desc_page_map(v, PERDOMAIN_LDT_PAGE + i, pte_make(pte_mfn(e), DESC_PTE));
	pv->ldt_mapped |= (u32)BIT(i);
	return true;
}

/* MMUEXT_SET_LDT, v is current. -EINVAL. */
int pv_set_ldt(struct vcpu *v, unsigned long base, unsigned int entries)
{
	struct pv_vcpu *pv = pv_of(v);

	if (!entries)
		base = 0;
	else if (entries > LDT_MAX_ENTRIES || (base & ~PAGE_MASK) || !pv_guest_address_ok(base) ||
		 !pv_guest_address_ok(base + entries * sizeof(u64) - 1))
		return -EINVAL;
	if (pv->ldt_base == base && pv->ldt_entries == entries)
		return 0;
	pv_destroy_ldt(v);
	pv->ldt_base = base;
	pv->ldt_entries = entries;
	for (unsigned int i = 0; i < DIV_ROUND_UP(entries, DESCS_PER_PAGE); i++)
		(void)ldt_page_map(v, i);
	pv_load_ldt(v);
	return 0;
}

/*
 * Handles a fault at `addr`, in the mapping of the current vCPU's LDT. True: the page is mapped
 * now. False with interrupts off (a context switch, the way back to the guest): mapping takes the
 * mmu_lock and may wait for other CPUs.
 */
noinline bool pv_fault_fixup_ldt(unsigned long addr)
{
	struct vcpu *v = current;
	const struct pv_vcpu *pv = pv_of(v);
	unsigned long offset = addr - perdomain_virt(v, PERDOMAIN_LDT_PAGE);
	unsigned int i = (unsigned int)(offset >> PAGE_SHIFT);

	if (offset >= pv->ldt_entries * sizeof(u64) || (pv->ldt_mapped & BIT(i)) ||
	    !arch_irqs_enabled())
		return false;
	return ldt_page_map(v, i);
}
