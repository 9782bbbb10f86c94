/* SPDX-License-Identifier: MIT */
#ifndef X86_BOOT_SMP_H
#define X86_BOOT_SMP_H

/* Numbers the CPUs of the MADT, within maxcpus: sets nr_cpus and apic_ids. CPU 0, this one, is
 * online. */
void smp_count_cpus(void);
/* Memory of a CPU: stacks at STACK_VIRT, per-CPU variables, descriptors. After paging_init. Panics
 * without memory. */
void smp_prepare_cpu(unsigned int cpu);
/* Where an empty primary stack begins: below struct cpu_info. */
unsigned long smp_stack_top(unsigned int cpu);
/* Starts all but this one. Interrupts on; the scheduler and the clocks work. */
void smp_boot_all(void);

#endif
