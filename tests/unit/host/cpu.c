/* SPDX-License-Identifier: MIT */
/* The simulated CPUs: which one runs, its interrupts, the clock, its timer. */
#include <string.h>
#include "host/host.h"
#include "hv/arch/cpu.h"
#include "hv/arch/guest.h"
#include "hv/arch/time.h"
#include "hv/sched.h"
#include "x86/cpu/guards.h"
#include "x86/irq/ipi.h"

#define __weak __attribute__((weak))

unsigned int host_cpu;
__weak unsigned long host_cr3;
struct cpu_info host_cpu_infos[HV_MAX_CPUS];
__weak unsigned long percpu_offsets[HV_MAX_CPUS];
bool host_irqs_on[HV_MAX_CPUS];
s_time_t host_now;
s_time_t host_timer_deadline[HV_MAX_CPUS];
unsigned int host_kicks[HV_MAX_CPUS];

__weak unsigned int nr_cpus = 1;
__weak u32 cpu_guards; /* none is on */
__weak cpumask_t cpu_online_map = { { 1 } };

void host_cpus_init(unsigned int nr)
{
	nr_cpus = nr;
	cpumask_zero(&cpu_online_map);
	memset(host_cpu_infos, 0, sizeof(host_cpu_infos));
	memset(host_kicks, 0, sizeof(host_kicks));
	host_now = 0;
	for (unsigned int cpu = 0; cpu < nr; cpu++) {
		host_cpu_infos[cpu].cpu = cpu;
		host_irqs_on[cpu] = true;
		host_timer_deadline[cpu] = STIME_MAX;
		cpumask_set(cpu, &cpu_online_map);
	}
	host_cpu = 0;
}

__weak s_time_t time_now(void)
{
	return host_now;
}

__weak void arch_timer_program(s_time_t deadline)
{
	host_timer_deadline[host_cpu] = deadline;
}

__weak void arch_cpu_kick(unsigned int cpu)
{
	host_kicks[cpu]++;
}

__weak void sched_wake_idle_cpu(void)
{
}

__weak bool arch_vcpu_interrupt_deliverable(const struct vcpu *v)
{
	return false;
}

__weak void arch_cpu_idle(void)
{
}

__weak unsigned long arch_irq_save(void)
{
	bool on = host_irqs_on[host_cpu];

	host_irqs_on[host_cpu] = false;
	return on;
}

__weak void arch_irq_restore(unsigned long flags)
{
	host_irqs_on[host_cpu] = flags;
}

__weak void arch_irq_enable(void)
{
	host_irqs_on[host_cpu] = true;
}

__weak void arch_irq_disable(void)
{
	host_irqs_on[host_cpu] = false;
}

__weak bool arch_irqs_enabled(void)
{
	return host_irqs_on[host_cpu];
}

__weak void ipi_call_on(const cpumask_t *cpus, void (*fn)(void *), void *data)
{
	unsigned int cpu, self = host_cpu;

	cpumask_for_each(cpu, cpus) {
		host_set_cpu(cpu);
		fn(data);
	}
	host_set_cpu(self);
}
