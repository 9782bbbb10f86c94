/* SPDX-License-Identifier: MIT */
/*
 * In the place of a hypervisor: says on the serial port what the TSC was when the boot loader had done its work, and
 * halts. Multiboot 1, 32-bit; the image is linked at 1 MiB.
 */
	.set	COM1, 0x3f8
	.section .multiboot, "a"
	.balign 4
	.long	0x1badb002, 0, -0x1badb002

	.text
	.globl	_start
_start:
	cld
	rdtsc
	movl	%eax, %ebx
	movl	%edx, %ebp
	movl	$head, %esi
1:	lodsb
	testb	%al, %al
	jz	2f
	movw	$COM1, %dx
	outb	%al, %dx
	jmp	1b
	/* 16 hexadecimal digits of EBP:EBX. */
2:	movl	$16, %ecx
3:	shldl	$4, %ebp, %edi
	shldl	$4, %ebx, %ebp
	shll	$4, %ebx
	movl	%edi, %eax
	andl	$15, %eax
	movb	digits(%eax), %al
	movw	$COM1, %dx
	outb	%al, %dx
	loop	3b
	movl	$tail, %esi
4:	lodsb
	testb	%al, %al
	jz	5f
	outb	%al, %dx
	jmp	4b
5:	cli
	hlt
	jmp	5b

	.section .rodata
head:	.asciz	"BENCH-START "
tail:	.asciz	"\nBENCH-END\n"
digits:	.ascii	"0123456789abcdef"

	.section .note.GNU-stack, "", @progbits
