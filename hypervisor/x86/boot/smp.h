/* SPDX-License-Identifier: MIT */
#ifndef X86_BOOT_SMP_H
#define X86_BOOT_SMP_H

#include "lib/types.h"

/* Boot: the page below 1 MiB through which CPUs start; 0: there is none, and only one CPU runs. */
void smp_set_trampoline(paddr_t page);
/*
 * Numbers the CPUs of the MADT, up to the option maxcpus: sets nr_cpus and apic_ids. Marks CPU 0,
 * this one, online.
 */
void smp_count_cpus(void);
/*
 * Allocates a CPU's memory: stacks at STACK_VIRT, per-CPU variables, descriptors. Call it after
 * paging_init. Panics if memory is out.
 */
void smp_prepare_cpu(unsigned int cpu);
/* The top of a CPU's empty primary stack: just below struct cpu_info. */
unsigned long smp_stack_top(unsigned int cpu);
/* Starts all other CPUs. Interrupts are on; the scheduler and the clocks work. */
void smp_boot_all(void);

#endif
