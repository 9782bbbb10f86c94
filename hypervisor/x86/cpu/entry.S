/* SPDX-License-Identifier: MIT */
/*
 * Interrupts and exceptions. x86/cpu/entry.h has the contract with C.
 *
 * Stacks. For an interrupt or exception in a guest of ring 3 the hardware pushes its frame at
 * TSS.RSP0, which is &guest_regs.es. So SS to RIP land where struct cpu_user_regs has them, and
 * further pushes fill the rest of guest_regs. NMI, #DF, #MC and #DB have stacks of their own,
 * because they may arrive at the very first instruction after a SYSCALL, when RSP is the guest's.
 */
#include "x86/cpu/desc.h"
#include "x86/cpu/entry.h"
#include "x86/cpu/entry_macros.h"

	.section .text.entry, "ax", @progbits

FUNCTION entry_common
	SAVE_GPRS
	cld
	CLAC
	testb	$3, UREGS_cs(%rsp)
	jz	.Lfrom_hypervisor
.Lfrom_guest:
	jmp	*ring3(%rip)		/* .trap */

.Lfrom_hypervisor:
	CALL_WITH_FRAME trap_from_hypervisor
	RESTORE_GPRS
	addq	$8, %rsp
	iretq

/*
 * On an IST stack: a frame from a guest is moved to guest_regs and handled as if it had come there.
 */
FUNCTION entry_ist
	SAVE_GPRS
	cld
	CLAC
	testb	$3, UREGS_cs(%rsp)
	jz	.Lfrom_hypervisor
	movq	%rsp, %rsi
	movq	%rsp, %rdi
	orq	$(STACK_STRIDE - 1), %rdi
	subq	$(CPUINFO_size - 1 - CPUINFO_guest_regs), %rdi
	movq	%rdi, %rbx
	movl	$(UREGS_es / 8), %ecx
	rep movsq
	movq	%rbx, %rsp
	jmp	.Lfrom_guest

	/*
	 * The stubs, 16 bytes each. Exceptions 8, 10 to 14, 17, 21, 29 and 30 push an error code
	 * (SDM 3A 6.15, AMD APM 2 8.2).
	 */
	.balign 16
.Lstubs:
	.set vector, 0
	.rept 256
	.balign 16
	.if (vector == 8) || ((vector >= 10) && (vector <= 14)) || (vector == 17) || (vector == 21) || \
		(vector == 29) || (vector == 30)
	.else
	pushq	$0
	.endif
	movl	$vector, 4(%rsp)
	.if (vector == 1) || (vector == 2) || (vector == 8) || (vector == 18)
	jmp	entry_ist
	.else
	jmp	entry_common
	.endif
	.set vector, vector + 1
	.endr

	.section .rodata.entry, "a", @progbits
	.globl entry_stubs
	.hidden entry_stubs
	.balign 8
entry_stubs:
	.set vector, 0
	.rept 256
	.quad	.Lstubs + vector * 16
	.set vector, vector + 1
	.endr

/* --- guards on the way to a guest --- */

	.section .text.entry, "ax", @progbits

/*
 * Overwrites what the core keeps of others: its buffers (VERW with a memory operand, whatever its
 * result), and the divider's last result. Changes RAX, RCX, RDX and the flags. Called right before
 * the guest's registers are loaded, and only if a guard is on.
 */
FUNCTION exit_guards
	GUARDED CPU_GUARD_DIVIDE, xorl %eax, %eax
	GUARDED CPU_GUARD_DIVIDE, xorl %edx, %edx
	GUARDED CPU_GUARD_DIVIDE, movl $1, %ecx
	GUARDED CPU_GUARD_DIVIDE, divl %ecx
	GUARDED CPU_GUARD_VERW, verw .Lany_selector(%rip)
	ret
	.balign 2
.Lany_selector:
	.word	HV_CPU_SEL

/* --- leaving a stack --- */

FUNCTION call_on_reset_stack
	RESET_STACK
	subq	$8, %rsp
	call	*%rdi
	ud2

	.section .note.GNU-stack, "", @progbits
