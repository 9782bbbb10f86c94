/* SPDX-License-Identifier: MIT */
/* The interrupt flag, and the wait for an interrupt. */
#include "hv/arch/cpu.h"

#include "hv/softirq.h"
#include "x86/cpu/regs.h"

unsigned long arch_irq_save(void)
{
	unsigned long flags;

	__asm__ __volatile__("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
	return flags;
}

void arch_irq_restore(unsigned long flags)
{
	if (flags & X86_EFLAGS_IF)
		arch_irq_enable();
}

void arch_irq_enable(void)
{
	__asm__ __volatile__("sti" ::: "memory");
}

void arch_irq_disable(void)
{
	__asm__ __volatile__("cli" ::: "memory");
}

bool arch_irqs_enabled(void)
{
	unsigned long flags;

	__asm__ __volatile__("pushfq; popq %0" : "=r"(flags));
	return (flags & X86_EFLAGS_IF) != 0;
}

void arch_cpu_idle(void)
{
	arch_irq_disable();
	/*
	 * STI takes effect after the next instruction, so an interrupt between the check and HLT
	 * still ends the HLT.
	 */
	if (softirq_is_pending())
		arch_irq_enable();
	else
		__asm__ __volatile__("sti; hlt" ::: "memory");
}
