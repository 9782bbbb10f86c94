/* SPDX-License-Identifier: MIT */
/*
 * The entry from a Multiboot 1 or 2 loader: 32-bit protected mode, paging off, EAX = the loader's
 * magic, EBX = its information (Multiboot 0.6.96, 3.2; Multiboot 2, 3.3). Makes page tables that
 * map the first 4 GiB 1:1 and the image at IMAGE_VIRT, enters long mode and calls boot_main(magic,
 * info) on the boot stack.
 *
 * A Multiboot 2 loader may put the image at any multiple of 2 MiB below 4 GiB. So 32-bit code takes
 * each address relative to ESI, where the image begins.
 */
#include "hv/config.h"
#include "x86/cpu/desc.h"
#include "x86/cpu/regs.h"

#define HERE(sym) (sym - IMAGE_VIRT)(%esi)

#define MB1_MAGIC 0x1badb002
#define MB1_FLAGS 0x00000003 /* modules on page boundaries, memory information */
#define MB2_MAGIC 0xe85250d6
#define MB1_BOOT_MAGIC 0x2badb002
#define MB2_BOOT_MAGIC 0x36d76289
#define IMAGE_ALIGN    0x200000	/* boot maps the image in pages of this size */
#define BOOT_CPU_INFO 512    /* room for struct cpu_info, which setup.c checks */

#define BOOT_CS32 0x08
#define BOOT_DS	  0x10
#define BOOT_CS64 0x18

#define PT_TABLE 0x3	     /* present, writable */
#define PT_LARGE 0x83

	.section .text.header, "ax", @progbits
	.code32
	.globl start_image
start_image:
	jmp start32

	.balign 8
	.globl multiboot1_header
multiboot1_header:
	.long MB1_MAGIC, MB1_FLAGS, -(MB1_MAGIC + MB1_FLAGS)

	.balign 8
multiboot2_header:
	.long MB2_MAGIC, 0, multiboot2_end - multiboot2_header
	.long -(MB2_MAGIC + (multiboot2_end - multiboot2_header))
	/*
	 * information request: command line, modules, memory map; optional: VBE, framebuffer,
	 * UEFI's system table (32 and 64 bits), ACPI's root pointer
	 */
	.balign 8
	.short 1, 0
	.long 20, 1, 3, 6
	.balign 8
	.short 1, 1
	.long 32, 7, 8, 11, 12, 14, 15
	/* modules on page boundaries */
	.balign 8
	.short 6, 0
	.long 8
	.balign 8
	/* optional: the image may lie anywhere from 2 MiB to 4 GiB, best low (preference 1) */
	.short 10, 1
	.long 24, IMAGE_PHYS, 0xffffffff, IMAGE_ALIGN, 1
	.balign 8
	/* optional: text mode (flag 1) or any graphics mode */
	.short 4, 1
	.long 12, 2
	.balign 8
	.short 5, 1
	.long 20, 0, 0, 0
	.balign 8
	.short 0, 0
	.long 8
multiboot2_end:

	.section .init.text, "ax", @progbits
	.code32
start32:
	cli
	cld
	mov %eax, %ebp
	mov $IMAGE_PHYS, %esi
	cmp $MB1_BOOT_MAGIC, %eax
	je 1f
	cmp $MB2_BOOT_MAGIC, %eax
	jne 3f
	/*
	 * A call tells where this code is, and needs one word of stack. The loader's information
	 * lends its first.
	 */
1:	mov (%ebx), %edi
	lea 4(%ebx), %esp
	call 2f
2:	pop %esi
	mov %edi, (%ebx)
	sub $(2b - IMAGE_VIRT), %esi
3:	mov %esi, HERE(image_phys)
	lea HERE(_boot_stack_top - BOOT_CPU_INFO), %esp
	lea HERE(boot_gdt), %eax
	mov %eax, HERE(boot_gdtr + 2)
	lgdt HERE(boot_gdtr)
	mov $BOOT_DS, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	lea HERE(1f), %eax
	push $BOOT_CS32
	push %eax
	lret
1:
	/* CPUID exists if EFLAGS.ID can be changed (SDM 1, 20.1.2). */
	pushfl
	pop %eax
	mov %eax, %ecx
	xor $X86_EFLAGS_ID, %eax
	push %eax
	popfl
	pushfl
	pop %eax
	cmp %eax, %ecx
	je no_long_mode
	push %ebx
	mov $0x80000000, %eax
	cpuid
	cmp $0x80000001, %eax
	jb no_long_mode
	mov $0x80000001, %eax
	cpuid
	bt $29, %edx
	jnc no_long_mode
	pop %ebx
	push %edx

	/* 4 GiB at address 0 in pages of 2 MiB. */
	lea HERE(boot_l2_low), %edi
	mov $PT_LARGE, %eax
	mov $2048, %ecx
1:	mov %eax, (%edi)
	add $0x200000, %eax
	add $8, %edi
	loop 1b
	lea HERE(boot_l3_low), %edi
	lea HERE(boot_l2_low + PT_TABLE), %eax
	mov $4, %ecx
1:	mov %eax, (%edi)
	add $0x1000, %eax
	add $8, %edi
	loop 1b
	/* 16 MiB at IMAGE_VIRT. */
	lea HERE(boot_l2_image), %edi
	lea PT_LARGE(%esi), %eax
	mov $8, %ecx
1:	mov %eax, (%edi)
	add $0x200000, %eax
	add $8, %edi
	loop 1b
	lea HERE(boot_l2_image + PT_TABLE), %eax
	mov %eax, HERE(boot_l3_image)
	lea HERE(boot_l3_low + PT_TABLE), %eax
	mov %eax, HERE(boot_l4)
	lea HERE(boot_l3_image + PT_TABLE), %eax
	mov %eax, HERE(boot_l4 + 261 * 8)

	mov $(X86_CR4_PAE), %eax
	mov %eax, %cr4
	lea HERE(boot_l4), %eax
	mov %eax, %cr3
	pop %edi
	mov $MSR_EFER, %ecx
	rdmsr
	or $EFER_LME, %eax
	bt $20, %edi
	jnc 1f
	or $EFER_NX, %eax
1:	wrmsr
	mov $(X86_CR0_PE | X86_CR0_MP | X86_CR0_ET | X86_CR0_NE | X86_CR0_WP | X86_CR0_PG), %eax
	mov %eax, %cr0
	lea HERE(start64_low), %eax
	push $BOOT_CS64
	push %eax
	lret

no_long_mode:
	lea HERE(no_long_mode_text), %esi
	mov $0xb8000, %edi
1:	lodsb
	test %al, %al
	jz 2f
	mov $0x07, %ah
	stosw
	mov $0x3f8, %dx
	out %al, %dx
	jmp 1b
2:	hlt
	jmp 2b

	.code64
start64_low:
	movabs $start64, %rax
	jmp *%rax
start64:
	xor %eax, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov %eax, %fs
	mov %eax, %gs
	lea _boot_stack_top - BOOT_CPU_INFO(%rip), %rsp
	mov %ebp, %edi
	mov %ebx, %esi
	xor %ebp, %ebp
	call boot_main
	ud2

/* void boot_switch_stack(unsigned long top, void (*fn)(void)): fn never returns. */
	.globl boot_switch_stack
boot_switch_stack:
	and $-16, %rdi
	mov %rdi, %rsp
	xor %ebp, %ebp
	call *%rsi
	ud2

	.section .init.data, "aw", @progbits
	.balign 8
boot_gdt:
	.quad 0
	.quad 0x00cf9b000000ffff	/* 32-bit code */
	.quad 0x00cf93000000ffff	/* data */
	.quad 0x00af9b000000ffff	/* 64-bit code */
boot_gdt_end:
	.short 0, 0, 0
boot_gdtr:
	.short boot_gdt_end - boot_gdt - 1
	.long 0
no_long_mode_text:
	.asciz "Xenolith: this processor has no 64-bit mode. Halted."

	.section .data, "aw", @progbits
	.balign 8
	.globl image_phys
image_phys:	.quad IMAGE_PHYS

	.section .init.bss, "aw", @nobits
	.balign 4096
	.globl boot_l4
boot_l4:	.skip 4096
boot_l3_low:	.skip 4096
boot_l3_image:	.skip 4096
boot_l2_low:	.skip 4 * 4096
boot_l2_image:	.skip 4096

	.section .note.GNU-stack, "", @progbits
