/* SPDX-License-Identifier: MIT */
/*
 * The ways into the hypervisor and out of it. x86/cpu/entry.h has the contract with C.
 *
 * Stacks. For an interrupt or exception in a guest the hardware pushes its frame at TSS.RSP0, which
 * is &guest_regs.es. So SS to RIP land where struct cpu_user_regs has them, and further pushes fill
 * the rest of guest_regs. SYSCALL leaves the guest's RSP in place. So each CPU has its own entry
 * point with the address of that CPU's stack. Stacks have fixed addresses, which makes these plain
 * constants: no GS, no page of generated code. NMI, #DF, #MC and #DB have stacks of their own,
 * because they may arrive at the very first instruction of that entry point.
 *
 * The guest's DS, ES, FS and GS stay loaded while the hypervisor runs: in 64-bit mode none of its
 * code depends on them.
 */
#include "hv/config.h"
#include "x86/cpu/desc.h"
#include "x86/cpu/entry.h"
#include "x86/cpu/extable.h"
#include "x86/cpu/regs.h"
#include "asm_offsets.h"

/* Flat selectors of the public interface (xen/arch-x86/xen-x86_64.h). */
#define FLAT_CS64 0xe033
#define FLAT_CS32 0xe023
#define FLAT_SS	  0xe02b

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

	.section .text.entry, "ax", @progbits

/* --- SYSCALL --- */

/*
 * One entry point for each CPU: stores RSP at its place in guest_regs and continues below it. The
 * displacements are encoded by hand, because an assembler takes a number before (%rip) for the
 * displacement itself.
 */
#define GUEST_RSP(cpu) (STACK_VIRT + ((cpu) + 1) * STACK_STRIDE - CPUINFO_size + UREGS_rsp)
.macro SYSCALL_STUBS name, target
	.globl \name
	.hidden \name
	.balign 64
\name:
	.set cpu, 0
	.rept HV_MAX_CPUS
	.byte	0x48, 0x89, 0x25	/* movq %rsp, GUEST_RSP(cpu)(%rip) */
	.long	GUEST_RSP(cpu) - 4 - .
	.byte	0x48, 0x8d, 0x25	/* leaq GUEST_RSP(cpu)(%rip), %rsp */
	.long	GUEST_RSP(cpu) - 4 - .
	.byte	0xe9			/* jmp \target */
	.long	\target - 4 - .
	.set cpu, cpu + 1
	.endr
.endm

SYSCALL_STUBS entry_syscall_stubs, entry_syscall
	.globl entry_syscall_stubs_end
	.hidden entry_syscall_stubs_end
entry_syscall_stubs_end:
SYSCALL_STUBS entry_syscall32_stubs, entry_syscall32

/* RSP is &guest_regs.rsp, RCX the guest's RIP, R11 its RFLAGS; interrupts are off (SFMASK). */
FUNCTION entry_syscall
	movq	$FLAT_SS, 8(%rsp)
	pushq	%r11
	pushq	$FLAT_CS64
	pushq	%rcx
	pushq	$-1			/* entry_vector = ENTRY_SYSCALL */
	SAVE_GPRS
	movq	CPUINFO_current(%rsp), %rcx
	movq	VCPU_arch(%rcx), %rcx
	cmpb	$0, AVCPU_in_kernel(%rcx)
	je	.Lsyscall_user
	sti
	cmpq	$HYPERCALL_iret, %rax
	je	.Liret_hypercall
	/* All arguments but the fourth are already where C expects them. */
	cmpq	$HYPERCALL_NR_END, %rax
	jae	.Lhypercall_closer
	sbbq	%rcx, %rcx		/* all ones; 0 if reached by speculation only */
	andq	%rcx, %rax
	leaq	hypercall_direct(%rip), %rcx
	movq	(%rcx, %rax, 8), %rax
	testq	%rax, %rax
	jz	.Lhypercall_closer
	movq	%r10, %rcx
	subq	$8, %rsp
	call	*%rax
	addq	$8, %rsp
.Lhypercall_done:
	cmpq	$HYPERCALL_again, %rax
	je	.Lhypercall_again
	movq	%rax, UREGS_rax(%rsp)
	/* Falls through. */

/* Returns to the guest whose registers are in guest_regs. RSP is &guest_regs. */
FUNCTION ret_to_guest
	cli
.Lexit_irqs_off:
	movq	CPUINFO_percpu_offset(%rsp), %rax
	leaq	percpu_softirq_pending(%rip), %rcx
	cmpl	$0, (%rcx, %rax)
	jne	.Lexit_work
	movq	CPUINFO_current(%rsp), %rbx
	movq	VCPU_vcpu_info(%rbx), %rdx
	movq	VCPU_arch(%rbx), %rcx
	/*
	 * An event can be delivered if the pending byte is not 0 and the mask byte, the next one,
	 * is 0.
	 */
	movzwl	VCPUINFO_upcall_pending(%rdx), %eax
	decl	%eax
	cmpl	$0xff, %eax
	jb	.Lexit_work
	cmpw	$0, AVCPU_bounce_flags(%rcx)	/* and nmi_pending */
	jne	.Lexit_work

.Lexit_now:
	cmpl	$ENTRY_SYSCALL, UREGS_entry_vector(%rsp)
	jne	.Lexit_iret
	/*
	 * On Intel's CPUs SYSRET to a non-canonical RIP faults in ring 0 on the guest's stack. And
	 * SYSRET cannot restore TF and RF in step.
	 */
	movq	UREGS_rip(%rsp), %rcx
	movq	%rcx, %rax
	shlq	$16, %rax
	sarq	$16, %rax
	cmpq	%rcx, %rax
	jne	.Lexit_iret
	testl	$(X86_EFLAGS_TF | X86_EFLAGS_RF), UREGS_rflags(%rsp)
	jnz	.Lexit_iret
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	addq	$8, %rsp		/* r11 */
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	addq	$8, %rsp		/* rcx is there already */
	popq	%rdx
	popq	%rsi
	popq	%rdi
	movq	(UREGS_rflags - UREGS_error_code)(%rsp), %r11
	movq	(UREGS_rsp - UREGS_error_code)(%rsp), %rsp
	sysretq

.Lexit_iret:
	RESTORE_GPRS
	addq	$8, %rsp
.Liret:
	iretq
	EXTABLE .Liret, .Liret_failed
/*
 * The guest's CS, SS or RIP is bad. All of its registers are in the CPU, and RSP is
 * &guest_regs.rip.
 */
.Liret_failed:
	pushq	$0
	movl	$ENTRY_IRET, 4(%rsp)
	SAVE_GPRS
	CALL_WITH_FRAME pv_exit_iret_failed
	jmp	ret_to_guest

.Lexit_work:
	CALL_WITH_FRAME pv_exit_work
	jmp	.Lexit_now

.Lhypercall_closer:
	CALL_WITH_FRAME hypercall_dispatch
	jmp	.Lhypercall_done

/*
 * Makes the guest run its SYSCALL again, with RAX unchanged and the arguments that
 * hypercall_set_arg stored.
 */
.Lhypercall_again:
	subq	$SYSCALL_INSN_BYTES, UREGS_rip(%rsp)
	jmp	ret_to_guest

.Liret_hypercall:
	CALL_WITH_FRAME pv_iret
	jmp	ret_to_guest

.Lsyscall_user:
	CALL_WITH_FRAME pv_entry_syscall
	jmp	ret_to_guest

/* As entry_syscall, but from compatibility mode, which only AMD's CPUs support. */
FUNCTION entry_syscall32
	movq	$FLAT_SS, 8(%rsp)
	pushq	%r11
	pushq	$FLAT_CS32
	pushq	%rcx
	pushq	$0
	movl	$ENTRY_IRET, 4(%rsp)
	SAVE_GPRS
	CALL_WITH_FRAME pv_entry_syscall32
	jmp	ret_to_guest

/*
 * SYSENTER saves neither RIP nor RSP nor the selectors, and clears only IF, VM and RF. RSP is
 * &guest_regs.es. If TF is set, a #DB comes before the first instruction; its handler clears TF in
 * the frame.
 */
FUNCTION entry_sysenter
	pushq	$FLAT_SS
	pushq	$0
	pushfq
	pushq	$X86_EFLAGS_MBS
	popfq
	orq	$X86_EFLAGS_IF, (%rsp)
	andq	$~(X86_EFLAGS_NT | X86_EFLAGS_TF), (%rsp)
	pushq	$FLAT_CS32
	pushq	$0
	pushq	$0
	movl	$ENTRY_SYSENTER, 4(%rsp)
	SAVE_GPRS
	CALL_WITH_FRAME pv_entry_sysenter
	jmp	ret_to_guest

/* --- interrupts and exceptions --- */

FUNCTION entry_common
	SAVE_GPRS
	cld
	CLAC
	testb	$3, UREGS_cs(%rsp)
	jz	.Lfrom_hypervisor
.Lfrom_guest:
	CALL_WITH_FRAME trap_from_guest
	jmp	ret_to_guest

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

/* --- leaving a stack --- */

	.section .text.entry, "ax", @progbits

.macro RESET_STACK
	orq	$(STACK_STRIDE - 1), %rsp
	subq	$(CPUINFO_size - 1 - CPUINFO_guest_regs), %rsp
.endm

FUNCTION ret_to_guest_reset_stack
	RESET_STACK
	jmp	ret_to_guest

FUNCTION call_on_reset_stack
	RESET_STACK
	subq	$8, %rsp
	call	*%rdi
	ud2

	.section .note.GNU-stack, "", @progbits
