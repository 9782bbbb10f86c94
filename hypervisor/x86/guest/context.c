/* SPDX-License-Identifier: MIT */
/*
 * Switches the vCPU that a CPU runs. All state is written back at once, so the state of a vCPU that
 * does not run is in its structure only. The one exception: the FPU registers also stay in the CPU,
 * and are still good if the vCPU runs there next. An idle CPU runs on the hypervisor's own page
 * tables. guest_ops saves and loads what depends on the kind of guest.
 */
#include "hv/arch/guest.h"

#include "hv/arch/cpu.h"
#include "hv/arch/map.h"
#include "hv/console.h"
#include "hv/sched.h"
#include "hv/softirq.h"
#include "lib/string.h"
#include "x86/cpu/entry.h"
#include "x86/cpu/feature.h"
#include "x86/cpu/guards.h"
#include "x86/cpu/regs.h"
#include "x86/guest/guest_ops.h"
#include "x86/mm/paging.h"

/* The vCPU whose FPU registers this CPU has, if that vCPU's arch->dirty_cpu says so too. */
static DEFINE_PER_CPU(struct vcpu *, fpu_owner);
/* The domain, and the vCPU of it, that ran last on this CPU; compared, never dereferenced. */
static DEFINE_PER_CPU(const struct domain *, last_domain);
static DEFINE_PER_CPU(unsigned int, last_vcpu);
static DEFINE_PER_CPU(u64, tsc_aux_now);

static __flatten void fpu_save(struct vcpu *v)
{
	if (v->arch->stts)
		__asm__ __volatile__("clts");
	xstate_set_xcr0(cpu_features.xcr0_mask);
	xstate_save(v->arch->xstate, cpu_features.xcr0_mask);
	v->arch->dirty_cpu = smp_processor_id();
	this_cpu(fpu_owner) = v;
}

/* Loads all components, even those that v never used: no state of another vCPU may stay in them. */
static __flatten void fpu_load(struct vcpu *v)
{
	if (this_cpu(fpu_owner) != v || v->arch->dirty_cpu != smp_processor_id()) {
		xstate_set_xcr0(cpu_features.xcr0_mask);
		xstate_restore(v->arch->xstate, cpu_features.xcr0_mask);
	}
	if (cpu_features.xsave)
		xstate_set_xcr0(v->arch->xcr0);
	if (v->arch->stts)
		write_cr0(read_cr0() | X86_CR0_TS);
}

static __flatten void vcpu_save(struct vcpu *v)
{
	memcpy(&v->arch->user_regs, guest_cpu_user_regs(), sizeof(v->arch->user_regs));
	guest_call(v->domain, save, v);
	fpu_save(v);
}

void guest_set_tsc_aux(struct vcpu *v, u64 value)
{
	unsigned long flags = arch_irq_save();

	v->arch->tsc_aux = value;
	wrmsr(MSR_TSC_AUX, value);
	this_cpu(tsc_aux_now) = value;
	arch_irq_restore(flags);
}

static void load_tsc_aux(const struct vcpu *v)
{
	if (!cpu_features.rdtscp || this_cpu(tsc_aux_now) == v->arch->tsc_aux)
		return;
	wrmsr(MSR_TSC_AUX, v->arch->tsc_aux);
	this_cpu(tsc_aux_now) = v->arch->tsc_aux;
}

/*
 * Drops the branch predictions that another vCPU trained (SDM 4, IA32_PRED_CMD). Of the same
 * domain, too: a kernel keeps its processes from each other on each of its vCPUs by itself, and
 * takes the predictions of one vCPU for those of a processor.
 */
static void drop_predictions(const struct vcpu *v)
{
	if ((cpu_guards & CPU_GUARD_IBPB) &&
	    (this_cpu(last_domain) != v->domain || this_cpu(last_vcpu) != v->id))
		wrmsr(MSR_IA32_PRED_CMD, 1);
	this_cpu(last_vcpu) = v->id;
}

static __flatten void vcpu_load(struct vcpu *v)
{
	drop_predictions(v);
	if (this_cpu(last_domain) != v->domain) {
		map_window_reset(v);
		guest_copy_load(v->domain);
		this_cpu(last_domain) = v->domain;
	}
	memcpy(guest_cpu_user_regs(), &v->arch->user_regs, sizeof(v->arch->user_regs));
	guest_call(v->domain, load, v);
	fpu_load(v);
	load_tsc_aux(v);
}

static void enter_idle(void)
{
	arch_irq_enable();
	idle_loop();
}

void arch_context_switch(struct vcpu *prev, struct vcpu *next)
{
	if (!prev->is_idle)
		vcpu_save(prev);
	current = next;
	if (next->is_idle)
		address_space_load(next);
	else
		vcpu_load(next);
	/* From here on prev may run on another CPU: this CPU holds none of its state. */
	sched_context_saved(prev);
	if (next->is_idle)
		call_on_reset_stack(enter_idle);
	guest_time_publish(next);
	guest_ops(next->domain)->enter();
}

/*
 * All state is in memory already. But the FPU image may be about to change, so a CPU's copy must
 * not be used again.
 */
void arch_vcpu_sync_state(struct vcpu *v)
{
	v->arch->dirty_cpu = ~0U;
}

void guest_context_forget(const struct domain *d)
{
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		if (per_cpu(last_domain, cpu) == d)
			per_cpu(last_domain, cpu) = NULL;
}

/* On its own CPU, v checks on its way out. A v that does not run is woken by the scheduler. */
void arch_vcpu_kick(struct vcpu *v)
{
	if (v != current && READ_ONCE(v->is_running))
		arch_cpu_kick(READ_ONCE(v->processor));
}

/* --- argument registers of hypercalls (xen/arch-x86/xen.h) --- */

static u64 *argument_register(unsigned int index)
{
	struct cpu_user_regs *regs = guest_cpu_user_regs();
	u64 *const args[6] = {
		&regs->rdi, &regs->rsi, &regs->rdx, &regs->r10, &regs->r8, &regs->r9
	};

	BUG_ON(index >= ARRAY_SIZE(args));
	if (guest_ops(current->domain)->hypercall_argument)
		return guest_ops(current->domain)->hypercall_argument(index);
	return args[index];
}

void arch_hypercall_set_arg(unsigned int index, unsigned long value)
{
	*argument_register(index) = value;
}
