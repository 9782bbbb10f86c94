/* SPDX-License-Identifier: MIT */
/*
 * A PVH kernel's start: from 32-bit flat mode without paging (xen/arch-x86/hvm/start_info.h) to 64-bit mode with the first
 * 4 GiB mapped 1:1, then C. Exceptions and interrupts come by gates of 16 bytes each.
 */
#include <xen/elfnote.h>

	.pushsection .note.Xen, "a", @note
	.balign 4
	.long 4, 4, XEN_ELFNOTE_PHYS32_ENTRY
	.asciz "Xen"
	.long pvh_start
	.popsection

#define CODE64 0x08
#define DATA   0x10
#define CODE32 0x18

	.text
	.code32
	.globl pvh_start
pvh_start:
	cld
	movl	%ebx, pvh_start_info
	movl	$stack_top, %esp
	movl	$page_l3 + 3, page_l4
	movl	$page_l2 + 3, page_l3
	movl	$page_l2 + 4096 + 3, page_l3 + 8
	movl	$page_l2 + 2 * 4096 + 3, page_l3 + 16
	movl	$page_l2 + 3 * 4096 + 3, page_l3 + 24
	movl	$page_l2, %edi
	movl	$0x83, %eax		/* present, writable, 2 MiB */
1:	movl	%eax, (%edi)
	addl	$0x200000, %eax
	addl	$8, %edi
	cmpl	$page_l2 + 4 * 4096, %edi
	jb	1b
	movl	$0x620, %eax		/* PAE, OSFXSR, OSXMMEXCPT */
	movl	%eax, %cr4
	movl	$page_l4, %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx
	rdmsr
	orl	$0x901, %eax		/* NX, LME, SCE */
	wrmsr
	movl	%cr0, %eax
	orl	$0x80010002, %eax	/* PG, WP, MP */
	movl	%eax, %cr0
	lgdt	gdtr
	ljmp	$CODE64, $2f
	.code64
2:	movl	$DATA, %eax
	movl	%eax, %ss
	movl	%eax, %ds
	movl	%eax, %es
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	movl	$stack_top, %esp
	xorl	%ebp, %ebp
	call	pvh_main
3:	cli
	hlt
	jmp	3b

	/* Exceptions with an error code: 8, 10 to 14, 17. */
	.balign 16
	.globl pvh_vectors
pvh_vectors:
	.set vector, 0
	.rept 256
	.balign 16
	.if (vector == 8) || ((vector >= 10) && (vector <= 14)) || (vector == 17)
	.else
	pushq	$0
	.endif
	pushq	$vector
	jmp	common
	.set vector, vector + 1
	.endr

common:
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	%rax
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, %rdi
	movq	%rsp, %rbx
	andq	$-16, %rsp
	call	pvh_interrupt
	movq	%rbx, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	addq	$16, %rsp
	iretq

	.data
	.balign 16
gdt:	.quad	0
	.quad	0x00af9b000000ffff
	.quad	0x00cf93000000ffff
	.quad	0x00cf9b000000ffff
gdtr:	.word	. - gdt - 1
	.quad	gdt
	.globl pvh_start_info
	.balign 8
pvh_start_info:
	.quad	0

	.bss
	.balign 4096
	.globl page_l4, page_l2
page_l4: .fill 4096, 1, 0
page_l3: .fill 4096, 1, 0
page_l2: .fill 4 * 4096, 1, 0
	.fill	16384, 1, 0
stack_top:

	.section .note.GNU-stack, "", @progbits
