/* SPDX-License-Identifier: MIT */
/*
 * The ways of a PV guest into the hypervisor, and the way out to it. x86/pv/entry.h has the contract
 * with C, x86/cpu/entry.S how the stacks lie.
 *
 * SYSCALL leaves the guest's RSP in place. So each CPU has its own entry point with the address of
 * that CPU's stack. Stacks have fixed addresses, which makes these plain constants: no GS, no page
 * of generated code.
 *
 * The guest's DS, ES, FS and GS stay loaded while the hypervisor runs: in 64-bit mode none of its
 * code depends on them.
 */
#include "hv/config.h"
#include "x86/cpu/desc.h"
#include "x86/cpu/entry.h"
#include "x86/cpu/entry_macros.h"
#include "x86/cpu/extable.h"

/* Flat selectors of the public interface (xen/arch-x86/xen-x86_64.h). */
#define FLAT_CS64 0xe033
#define FLAT_CS32 0xe023
#define FLAT_SS	  0xe02b

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
	GUARDED CPU_GUARD_VERW | CPU_GUARD_DIVIDE, call exit_guards
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

/* An exception or interrupt in ring 3 (x86/cpu/entry.h). */
FUNCTION entry_ring3_trap
	CALL_WITH_FRAME trap_from_guest
	jmp	ret_to_guest

FUNCTION ret_to_guest_reset_stack
	RESET_STACK
	jmp	ret_to_guest

	.section .note.GNU-stack, "", @progbits
