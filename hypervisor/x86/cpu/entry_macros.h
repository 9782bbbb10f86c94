/* SPDX-License-Identifier: MIT */
/* What the assembler of entries and exits has in common (x86/cpu/entry.S, x86/pv/entry.S). */
#ifndef X86_CPU_ENTRY_MACROS_H
#define X86_CPU_ENTRY_MACROS_H

#include "hv/config.h"
#include "lib/cpu_guards.h"
#include "x86/cpu/regs.h"
#include "asm_offsets.h"

/* clang-format off */
.macro SAVE_GPRS
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

.macro RESTORE_GPRS
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
.endm

.macro FUNCTION name
	.globl \name
	.hidden \name
	.type \name, @function
	.balign 16
\name:
.endm

/* C needs RSP 16-byte aligned before a call; a register frame leaves it 8 bytes off. */
.macro CALL_WITH_FRAME fn
	movq	%rsp, %rdi
	subq	$8, %rsp
	call	\fn
	addq	$8, %rsp
.endm

/* Leaves the primary stack empty: RSP is &guest_regs. */
.macro RESET_STACK
	orq	$(STACK_STRIDE - 1), %rsp
	subq	$(CPUINFO_size - 1 - CPUINFO_guest_regs), %rsp
.endm

/*
 * An instruction that is wanted while one of the guards is on (CPU_GUARD_*). Else boot replaces it
 * by no-ops (x86/cpu/guards.c).
 */
.macro GUARDED guards, insn:vararg
771:	\insn
772:
	.pushsection .init.guard_sites, "a", @progbits
	.quad	771b
	.long	772b - 771b, \guards
	.popsection
.endm

/* clang-format on */

#endif
