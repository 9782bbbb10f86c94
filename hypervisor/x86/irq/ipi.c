/* SPDX-License-Identifier: MIT */
/* Interrupts from CPU to CPU, and the dispatch of all interrupt vectors. */
#include "x86/irq/ipi.h"

#include "hv/arch/cpu.h"
#include "hv/atomic.h"
#include "hv/console.h"
#include "hv/spinlock.h"
#include "x86/cpu/entry.h"
#include "x86/cpu/platform.h"
#include "x86/irq/apic.h"
#include "x86/irq/vectors.h"

void ipi_send_mask(const cpumask_t *cpus, unsigned int vector)
{
	unsigned int cpu, me = smp_processor_id();

	cpumask_for_each(cpu, cpus)
		if (cpu != me)
			apic_send_ipi(apic_ids[cpu], vector);
}

void arch_cpu_kick(unsigned int cpu)
{
	apic_send_ipi(apic_ids[cpu], VECTOR_EVENT_CHECK);
}

/* --- function calls on other CPUs, one at a time --- */

static DEFINE_SPINLOCK(call_lock, LOCK_IPI);
static struct {
	void (*fn)(void *data);
	void *data;
	u32 left; /* [A] CPUs that have not run it */
} call;

void ipi_call_on(const cpumask_t *cpus, void (*fn)(void *), void *data)
{
	cpumask_t others;
	unsigned int me = smp_processor_id();

	ASSERT(arch_irqs_enabled());
	cpumask_and(&others, cpus, &cpu_online_map);
	if (cpumask_test(me, &others)) {
		unsigned long flags = arch_irq_save();

		fn(data);
		arch_irq_restore(flags);
		cpumask_clear_cpu(me, &others);
	}
	if (cpumask_empty(&others))
		return;
	/* Interrupts stay on during the wait, so two CPUs that call each other serve each other. */
	spin_lock(&call_lock);
	call.fn = fn;
	call.data = data;
	atomic_set(&call.left, cpumask_weight(&others));
	smp_wmb();
	ipi_send_mask(&others, VECTOR_CALL_FUNCTION);
	while (atomic_read(&call.left))
		cpu_relax();
	spin_unlock(&call_lock);
}

static void call_function_interrupt(void)
{
	apic_eoi();
	call.fn(call.data);
	atomic_dec(&call.left);
}

static void event_check_interrupt(void)
{
	/* The exit path checks for softirqs. */
	apic_eoi();
}

static void halt_interrupt(void)
{
	if (cpu_virtualization_off)
		cpu_virtualization_off();
	cpumask_clear_cpu(smp_processor_id(), &cpu_online_map);
	arch_halt();
}

void arch_stop_other_cpus(void)
{
	cpumask_t others = cpu_online_map;

	cpumask_clear_cpu(smp_processor_id(), &others);
	if (cpumask_empty(&others))
		return;
	ipi_send_mask(&others, VECTOR_HALT);
	for (unsigned int i = 0; i < 10000000 && cpumask_weight(&cpu_online_map) > 1; i++)
		cpu_relax();
}

/* --- dispatch --- */

static void error_interrupt(void)
{
	apic_eoi();
	log_warn("CPU %u: local APIC error", smp_processor_id());
}

static void spurious_interrupt(void)
{
	/* No EOI: the spurious vector is never in service (SDM 3A 10.9). */
}

#define FIXED_FIRST VECTOR_TIMER
static void (*fixed[256 - FIXED_FIRST])(void) = {
	[VECTOR_TIMER - FIXED_FIRST] = apic_timer_interrupt,
	[VECTOR_EVENT_CHECK - FIXED_FIRST] = event_check_interrupt,
	[VECTOR_CALL_FUNCTION - FIXED_FIRST] = call_function_interrupt,
	[VECTOR_HALT - FIXED_FIRST] = halt_interrupt,
	[VECTOR_ERROR - FIXED_FIRST] = error_interrupt,
	[VECTOR_SPURIOUS - FIXED_FIRST] = spurious_interrupt,
};

void interrupt_register(unsigned int vector, void (*fn)(void))
{
	fixed[vector - FIXED_FIRST] = fn;
}

noinline void interrupt_dispatch(struct cpu_user_regs *regs, unsigned int vector)
{
	unsigned int locks = spin_context_enter();

	if (vector >= FIXED_FIRST && fixed[vector - FIXED_FIRST])
		fixed[vector - FIXED_FIRST]();
	else if (vector >= VECTOR_DEVICE_FIRST && vector <= VECTOR_DEVICE_LAST)
		irq_device_vector(vector);
	else if (apic_is_in_service(vector))
		apic_eoi();
	spin_context_leave(locks);
}
