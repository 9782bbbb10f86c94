/* SPDX-License-Identifier: MIT */
/* CPUs: their interrupts, calls to other CPUs, and the end of the machine. */
#ifndef HV_ARCH_CPU_H
#define HV_ARCH_CPU_H

#include "lib/types.h"

unsigned long arch_irq_save(void); /* disables interrupts, returns the old flags */
void arch_irq_restore(unsigned long flags);
void arch_irq_enable(void);
void arch_irq_disable(void);
bool arch_irqs_enabled(void);
/* Waits for an interrupt, unless a softirq is pending. Interrupts are on. */
void arch_cpu_idle(void);
/* Sends an IPI, after which the CPU runs its pending softirqs. */
void arch_cpu_kick(unsigned int cpu);

void __noreturn arch_reboot(void);
void __noreturn arch_halt(void);
void __noreturn arch_power_off(void);
/*
 * Powers off by writing these values to the PM1 control registers; Domain-0 has found them in the
 * ACPI tables. Returns if the machine stays on.
 */
void arch_enter_sleep(u16 pm1a_value, u16 pm1b_value);
/*
 * For a panic: halts the other CPUs, as far as they still take interrupts. The wait for them is
 * bounded.
 */
void arch_stop_other_cpus(void);
/* Prints the chain of callers. */
void arch_backtrace(void);

#endif
