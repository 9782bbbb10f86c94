/* SPDX-License-Identifier: MIT */
/*
 * The start of an application processor: copied to a page below 1 MiB and entered in real mode with
 * CS = page address / 16 (SDM 3A 8.4.4). Goes straight to long mode on the boot page tables (1:1
 * and image) and on the stack that smp.c stored in trampoline_stack. Only one CPU is in here at a
 * time.
 */
#include "hv/config.h"
#include "x86/cpu/regs.h"

#define T(sym) (sym - trampoline_start)

	.section .init.data, "aw", @progbits
	.balign 16
	.globl trampoline_start
trampoline_start:
	.code16
	cli
	cld
	mov %cs, %ax
	mov %ax, %ds
	/*
	 * The addresses of the descriptor table and of the far pointer depend on this page's
	 * address.
	 */
	movzwl %ax, %ebx
	shl $4, %ebx
	lea T(trampoline_gdt)(%ebx), %eax
	mov %eax, T(trampoline_gdtr) + 2
	lea T(trampoline_long)(%ebx), %eax
	mov %eax, T(trampoline_far)
	lgdtl T(trampoline_gdtr)
	mov T(trampoline_cr4), %eax
	mov %eax, %cr4
	mov T(trampoline_cr3), %eax
	mov %eax, %cr3
	mov $MSR_EFER, %ecx
	rdmsr
	or T(trampoline_efer), %eax
	wrmsr
	mov $(X86_CR0_PE | X86_CR0_MP | X86_CR0_ET | X86_CR0_NE | X86_CR0_WP | X86_CR0_PG), %eax
	mov %eax, %cr0
	ljmpl *T(trampoline_far)

	.code64
trampoline_long:
	xor %eax, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov %eax, %fs
	mov %eax, %gs
	mov trampoline_stack(%rip), %rsp
	mov trampoline_entry(%rip), %rax
	xor %ebp, %ebp
	call *%rax
	ud2

	.balign 8
trampoline_gdt:
	.quad 0
	.quad 0x00af9b000000ffff	/* 64-bit code */
trampoline_gdtr:
	.short 15
	.long 0
	.balign 4
trampoline_far:
	.long 0
	.short 8
	.balign 8
	.globl trampoline_cr3, trampoline_cr4, trampoline_efer, trampoline_stack, trampoline_entry
trampoline_cr3:	.long 0
trampoline_cr4:	.long X86_CR4_PAE
trampoline_efer: .long EFER_LME
	.balign 8
trampoline_stack: .quad 0
trampoline_entry: .quad 0
	.globl trampoline_end
trampoline_end:

	.section .note.GNU-stack, "", @progbits
