/* SPDX-License-Identifier: MIT */
/*
 * The way into an SVM guest and back; docs/design/hvm.md follows it. RSP is &guest_regs at the top
 * of the loop, and the primary stack is empty.
 *
 * From CLGI to STGI nothing interrupts, not even an NMI: the processor has FS, GS, TR, LDTR and the
 * MSRs of system calls of the guest, and the NMI's stack is found by TR. Interrupts are on (STI)
 * when VMRUN executes, because with V_INTR_MASKING that is what lets one end the guest; one that is
 * pending ends it at once.
 */
#include "hv/config.h"
#include "x86/cpu/entry.h"
#include "x86/cpu/entry_macros.h"

	.section .text.entry, "ax", @progbits

FUNCTION svm_enter
	RESET_STACK
.Lenter:
	CALL_WITH_FRAME svm_prepare	/* RAX: the VMCB */
	movq	%rax, %rbx
	GUARDED CPU_GUARD_VERW | CPU_GUARD_DIVIDE, call exit_guards
	movq	%rbx, %rax
	clgi
	sti
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
	addq	$8, %rsp		/* rax is in the VMCB */
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	vmload	%rax
	vmrun	%rax
	/* RAX, RSP and RFLAGS are the hypervisor's again; GIF is 0. */
	vmsave	%rax
	cli
	SAVE_GPRS
	movq	CPUINFO_percpu_offset(%rsp), %rax
	leaq	percpu_svm_host_vmcb(%rip), %rcx
	movq	(%rcx, %rax), %rax
	vmload	%rax
	stgi
	CALL_WITH_FRAME svm_exit
	jmp	.Lenter

	.section .note.GNU-stack, "", @progbits
