/* SPDX-License-Identifier: MIT */
/* Entry points: start of day, exceptions, events. Xen's PV ABI: xen/arch-x86/xen-x86_64.h, xen/elfnote.h. */
#include <xen/elfnote.h>

.macro note type, kind, value:vararg
	.pushsection .note.Xen, "a", @note
	.balign 4
	.long 4, 9902f - 9901f, \type
	.asciz "Xen"
9901:	\kind \value
9902:	.balign 4
	.popsection
.endm

#ifdef XEN_GUEST_STRING
	/* As kernels had it before there were notes. HYPERCALL_PAGE counts pages; guest.lds has the page first. */
	.section __xen_guest, "", @progbits
	.ascii "GUEST_OS=xenolith-test,XEN_VER=xen-3.0,VIRT_BASE=0x0,ELF_PADDR_OFFSET=0x0,HYPERCALL_PAGE=0x100"
	.asciz ",FEATURES=!writable_page_tables|pae_pgdir_above_4gb,PAE=yes,LOADER=generic"
#else
	note XEN_ELFNOTE_GUEST_OS, .asciz, "xenolith-test"
	note XEN_ELFNOTE_XEN_VERSION, .asciz, "xen-3.0"
	note XEN_ELFNOTE_LOADER, .asciz, "generic"
#ifndef NO_VIRT_BASE
	note XEN_ELFNOTE_VIRT_BASE, .quad, 0
#endif
	note XEN_ELFNOTE_ENTRY, .quad, guest_start
	note XEN_ELFNOTE_HYPERCALL_PAGE, .quad, hypercall_page
	note XEN_ELFNOTE_FEATURES, .asciz, "!writable_page_tables|pae_pgdir_above_4gb"
#endif

	.text
	.globl guest_start
guest_start:
	cld
	movq	%rsi, start_info(%rip)
	leaq	stack_top(%rip), %rsp
	xorl	%ebp, %ebp
	call	guest_main
1:	ud2
	jmp	1b

	.macro exception vector, has_error
	.balign 16
	.globl exception_\vector
exception_\vector:
	/* The hypervisor pushed rcx and r11, then the error code if there is one. */
	movq	(%rsp), %rcx
	movq	8(%rsp), %r11
	addq	$16, %rsp
	.if !\has_error
	pushq	$0
	.endif
	pushq	$\vector
	jmp	exception_common
	.endm

	exception 0, 0
	exception 1, 0
	exception 2, 0
	exception 3, 0
	exception 4, 0
	exception 5, 0
	exception 6, 0
	exception 7, 0
	exception 8, 1
	exception 10, 1
	exception 11, 1
	exception 12, 1
	exception 13, 1
	exception 14, 1
	exception 16, 0
	exception 17, 1
	exception 18, 0
	exception 19, 0
	exception 128, 0

	.macro save_regs
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
	.endm

exception_common:
	save_regs
	movq	%rsp, %rdi
	call	guest_handle_exception
	jmp	guest_return

	.globl event_entry
event_entry:
	movq	(%rsp), %rcx
	movq	8(%rsp), %r11
	addq	$16, %rsp
	pushq	$0
	pushq	$256
	save_regs
	movq	%rsp, %rdi
	call	guest_handle_event
	jmp	guest_return

	.globl failsafe_entry
failsafe_entry:
	movq	(%rsp), %rcx
	movq	8(%rsp), %r11
	addq	$48, %rsp	/* and ds, es, fs, gs */
	pushq	$0
	pushq	$257
	jmp	exception_common

	/* iret by hypercall 23: rax r11 rcx flags rip cs rflags rsp ss on the stack. */
guest_return:
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
	pushq	$0		/* flags: no VGCF_in_syscall */
	pushq	%rcx
	pushq	%r11
	pushq	%rax
	movl	$23, %eax
	syscall
	ud2

	.section .text.hypercall_page, "ax", @progbits
	.balign 4096
	.globl hypercall_page
hypercall_page:
	.fill 4096, 1, 0xcc

	.bss
	.balign 4096
	.fill 16384, 1, 0
stack_top:

	.section .note.GNU-stack, "", @progbits
