/* SPDX-License-Identifier: MIT */
/*
 * Descriptor tables. Guests' selectors are those of xen/arch-x86/xen-x86_64.h (FLAT_KERNEL_CS
 * 0xe033 and so on, from FIRST_RESERVED_GDT_ENTRY). They and the hypervisor's own descriptors lie
 * in one reserved page, page 14 of every GDT. Each CPU has its own such page, which holds its TSS
 * descriptor.
 */
#ifndef X86_CPU_DESC_H
#define X86_CPU_DESC_H

#define HV_CS 0xe008
#define HV_SS 0xe010
/* 0xe018: unused; 0xe023 32-bit user code, 0xe02b user data, 0xe033 64-bit user code: public ABI */
#define HV_TSS	   0xe040 /* 16 bytes */
#define HV_LDT	   0xe050 /* 16 bytes */
#define HV_CPU_SEL 0xe060 /* limit: the CPU's number */

#define IST_NMI 1
#define IST_DF	2
#define IST_MC	3
#define IST_DB	4

#ifndef __ASSEMBLY__
#include "hv/percpu.h"

struct tss64 {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3, iobase;
} __packed;
_Static_assert(sizeof(struct tss64) == 104, "SDM 3A 7.7");

struct idt_entry {
	u16 offset0;
	u16 selector;
	u8 ist, type;
	u16 offset1;
	u32 offset2, reserved;
};
_Static_assert(sizeof(struct idt_entry) == 16, "SDM 3A 6.14.1");

extern struct idt_entry idt_table[256];
DECLARE_PER_CPU(struct tss64, tss);
DECLARE_PER_CPU(void *, gdt_page); /* the reserved page of this CPU's GDT */

/*
 * Boot CPU, first of all: makes and loads IDT and descriptors. Its stacks are at `stacks`
 * (STACK_STRIDE bytes, aligned).
 */
void desc_boot_init(unsigned long stacks);
/*
 * desc_cpu_prepare makes `cpu`'s GDT page and TSS: 0, -ENOMEM. desc_cpu_load loads this CPU's,
 * together with the IDT and the MSRs of SYSCALL and SYSENTER.
 */
int desc_cpu_prepare(unsigned int cpu);
void desc_cpu_load(void);
/* Points the IDT's entries to the stubs of entry.S. */
void idt_init(void);
#endif

#endif
