/* SPDX-License-Identifier: MIT */
/* Each CPU's GDT page and TSS, and the one IDT. */
#include "x86/cpu/desc.h"

#include "hv/console.h"
#include "hv/hv_heap.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/cpu/entry.h"
#include "x86/cpu/regs.h"

struct idt_entry idt_table[256] __aligned(16);
DEFINE_PER_CPU(struct tss64, tss) __aligned(64);
DEFINE_PER_CPU(void *, gdt_page);

/* The boot CPU needs its descriptors before the allocator works. */
static u64 boot_cpu_gdt[PAGE_SIZE / sizeof(u64)] __aligned(4096) __section(".bss.page_aligned");

#define GDT_FIRST_SEL  0xe000 /* selector of the reserved page's first descriptor */
#define GDT_LIMIT      (GDT_FIRST_SEL + PAGE_SIZE - 1)
#define GDT_INDEX(sel) (((sel)-GDT_FIRST_SEL) / 8)

/* Descriptors (SDM 3A 3.4.5), flat, present, accessed. */
#define DESC_CODE64_0 0x00af9b000000ffffUL
#define DESC_DATA_0   0x00cf93000000ffffUL
#define DESC_CODE32_3 0x00cffb000000ffffUL
#define DESC_DATA_3   0x00cff3000000ffffUL
#define DESC_CODE64_3 0x00affb000000ffffUL
/* Byte-granular data of base 0; fill_gdt adds the limit. */
#define DESC_LIMIT_3 0x0040f30000000000UL
#define DESC_TSS     0x0000890000000000UL

#define GATE_INTERRUPT 0x8e
#define GATE_DPL3      0x60

struct table_pointer {
	u16 limit;
	u64 base;
} __packed;

void __init idt_init(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(idt_table); i++) {
		unsigned long addr = entry_stubs[i];

		idt_table[i] = (struct idt_entry){
			.offset0 = (u16)addr,
			.selector = HV_CS,
			.type = GATE_INTERRUPT,
			.offset1 = (u16)(addr >> 16),
			.offset2 = (u32)(addr >> 32),
		};
	}
	idt_table[X86_TRAP_NMI].ist = IST_NMI;
	idt_table[X86_TRAP_DF].ist = IST_DF;
	idt_table[X86_TRAP_MC].ist = IST_MC;
	idt_table[X86_TRAP_DB].ist = IST_DB;
	/*
	 * The gates that guests reach with INT3, INTO and INT. Any other INT is a #GP whose error
	 * code names the vector.
	 */
	idt_table[X86_TRAP_BP].type |= GATE_DPL3;
	idt_table[X86_TRAP_OF].type |= GATE_DPL3;
	idt_table[0x80].type |= GATE_DPL3;
	idt_table[0x82].type |= GATE_DPL3;
}

static void fill_gdt(u64 *gdt, unsigned int cpu)
{
	unsigned long base = (unsigned long)&per_cpu(tss, cpu);

	gdt[GDT_INDEX(HV_CS)] = DESC_CODE64_0;
	gdt[GDT_INDEX(HV_SS)] = DESC_DATA_0;
	gdt[GDT_INDEX(0xe020)] = DESC_CODE32_3;
	gdt[GDT_INDEX(0xe028)] = DESC_DATA_3;
	gdt[GDT_INDEX(0xe030)] = DESC_CODE64_3;
	gdt[GDT_INDEX(HV_TSS)] = DESC_TSS | (sizeof(struct tss64) - 1) | (base & 0xffffff) << 16 |
				 ((base >> 24) & 0xff) << 56;
	gdt[GDT_INDEX(HV_TSS) + 1] = base >> 32;
	gdt[GDT_INDEX(HV_LDT)] = 0;
	gdt[GDT_INDEX(HV_LDT) + 1] = 0;
	gdt[GDT_INDEX(HV_CPU_SEL)] = DESC_LIMIT_3 | (cpu & 0xffff);
}

static void fill_tss(unsigned int cpu, unsigned long stacks, unsigned long rsp0)
{
	struct tss64 *t = &per_cpu(tss, cpu);

	memset(t, 0, sizeof(*t));
	t->rsp[0] = rsp0;
	t->ist[IST_NMI - 1] = stacks + (STACK_NMI_PAGE + 1) * PAGE_SIZE;
	t->ist[IST_DF - 1] = stacks + (STACK_DF_PAGE + 1) * PAGE_SIZE;
	t->ist[IST_MC - 1] = stacks + (STACK_MC_PAGE + 1) * PAGE_SIZE;
	t->ist[IST_DB - 1] = stacks + (STACK_DB_PAGE + 1) * PAGE_SIZE;
	t->iobase = sizeof(*t); /* beyond the limit: user mode has no I/O ports */
}

void __init desc_boot_init(unsigned long stacks)
{
	per_cpu(gdt_page, 0) = boot_cpu_gdt;
	fill_gdt(boot_cpu_gdt, 0);
	fill_tss(0, stacks, stacks + STACK_STRIDE - sizeof(struct cpu_info));
	idt_init();
	desc_cpu_load();
}

int desc_cpu_prepare(unsigned int cpu)
{
	if (!per_cpu(gdt_page, cpu))
		per_cpu(gdt_page, cpu) = hv_alloc_pages(0);
	if (!per_cpu(gdt_page, cpu))
		return -ENOMEM;
	fill_gdt(per_cpu(gdt_page, cpu), cpu);
	fill_tss(cpu, STACK_VIRT + (unsigned long)cpu * STACK_STRIDE, entry_stack_top(cpu));
	return 0;
}

void desc_cpu_load(void)
{
	u64 *gdt = this_cpu(gdt_page);
	struct table_pointer gdtr = { GDT_LIMIT, (u64)gdt - GDT_FIRST_SEL };
	struct table_pointer idtr = { sizeof(idt_table) - 1, (u64)idt_table };

	/* LTR refuses a busy TSS, and this CPU may have loaded it before. */
	gdt[GDT_INDEX(HV_TSS)] &= ~(2UL << 40);
	__asm__ __volatile__("lgdt %0\n\t"
			     "lea 1f(%%rip), %%rax\n\t"
			     "pushq %1\n\t"
			     "pushq %%rax\n\t"
			     "lretq\n"
			     "1:\n\t"
			     "movl %2, %%ss\n\t"
			     "xorl %%eax, %%eax\n\t"
			     "movl %%eax, %%ds\n\t"
			     "movl %%eax, %%es\n\t"
			     "movl %%eax, %%fs\n\t"
			     "movl %%eax, %%gs\n\t"
			     "lldt %%ax\n\t"
			     "ltr %w3\n\t"
			     "lidt %4"
			     :
			     : "m"(gdtr), "i"(HV_CS), "r"(HV_SS), "r"(HV_TSS), "m"(idtr)
			     : "rax", "memory");
}
