/* SPDX-License-Identifier: MIT */
/*
 * The state of a PV vCPU that this CPU has while it runs the vCPU: page tables, descriptor tables,
 * segments and debug registers.
 */
#include "hv/arch/map.h"
#include "lib/string.h"
#include "x86/cpu/desc.h"
#include "x86/guest/guest_ops.h"
#include "x86/mm/paging.h"
#include "x86/pv/bounce.h"

#define GDT_RESERVED_PAGE 14
#define GDT_LIMIT	  ((GDT_RESERVED_PAGE + 1) * PAGE_SIZE - 1)
_Static_assert(HV_CS >> PAGE_SHIFT == GDT_RESERVED_PAGE,
	       "the reserved page of each GDT holds our descriptors");

struct table_pointer {
	u16 limit;
	u64 base;
} __packed;

static void load_gdt(unsigned long base)
{
	const struct table_pointer p = { GDT_LIMIT, base };

	__asm__ __volatile__("lgdt %0" : : "m"(p));
}

/*
 * A GDT of which only the reserved page is mapped. It is valid in every address space, so it is
 * loaded while address spaces change (an NMI may come at any time) and on an idle CPU.
 */
static void load_own_gdt(void)
{
	load_gdt((unsigned long)this_cpu(gdt_page) - GDT_RESERVED_PAGE * PAGE_SIZE);
}

#define DESC_LDT 0x0000820000000000UL /* present, system, LDT */

void pv_load_ldt(const struct vcpu *v)
{
	u64 *desc = (u64 *)((char *)this_cpu(gdt_page) + (HV_LDT & ~PAGE_MASK));
	unsigned long base = perdomain_virt(v, PERDOMAIN_LDT_PAGE), limit;
	u16 sel = 0;

	if (v->arch->pv.ldt_entries) {
		limit = v->arch->pv.ldt_entries * 8UL - 1;
		desc[0] = DESC_LDT | (limit & 0xffff) | (base & 0xffffff) << 16 |
			  ((base >> 24) & 0xff) << 56;
		desc[1] = base >> 32;
		sel = HV_LDT;
	}
	__asm__ __volatile__("lldt %0" : : "r"(sel) : "memory");
}

void pv_save(struct vcpu *v)
{
	pv_save_segments(v);
	pv_unload_debugregs(v);
	load_own_gdt();
}

void pv_load(struct vcpu *v)
{
	v->arch->perdomain_l1[PERDOMAIN_GDT_PAGE + GDT_RESERVED_PAGE] =
		pte_make(virt_to_mfn(this_cpu(gdt_page)), PTE_HV_RW);
	address_space_load(v);
	load_gdt(perdomain_virt(v, PERDOMAIN_GDT_PAGE));
	pv_load_ldt(v);
	pv_load_segments(v);
	pv_load_debugregs(v);
}
