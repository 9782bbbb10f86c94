/* SPDX-License-Identifier: MIT */
/*
 * Sets up and starts the other processors (SDM 3A 8.4): their memory (stacks, per-CPU variables,
 * descriptors), then their start, one after the other, since the trampoline has room for one stack
 * pointer.
 */
#include "x86/boot/smp.h"

#include "hv/arch/cpu.h"
#include "hv/arch/map.h"
#include "hv/arch/time.h"
#include "hv/atomic.h"
#include "hv/cmdline.h"
#include "hv/console.h"
#include "hv/hv_heap.h"
#include "hv/sched.h"
#include "lib/string.h"
#include "x86/boot/boot.h"
#include "x86/boot/sections.h"
#include "x86/cpu/clock.h"
#include "x86/cpu/desc.h"
#include "x86/cpu/feature.h"
#include "x86/cpu/guards.h"
#include "x86/cpu/platform.h"
#include "x86/hvm/boot.h"
#include "x86/irq/apic.h"
#include "x86/map_device.h"
#include "x86/mm/paging.h"
#include "x86/pv/entry.h"

#define STARTUP_TIMEOUT SECONDS(2)

extern u64 boot_l4[PT_ENTRIES];
/* trampoline.S */
extern const char trampoline_start[], trampoline_end[], trampoline_cr3[], trampoline_efer[],
	trampoline_stack[], trampoline_entry[];

static paddr_t trampoline_page __initdata; /* in the first MiB, which is not used as RAM */
static u32 called_in;			   /* the last CPU that reached C code */

static struct cpu_info *cpu_info_of(unsigned int cpu)
{
	return (struct cpu_info *)(STACK_VIRT + (cpu + 1) * STACK_STRIDE) - 1;
}

unsigned long smp_stack_top(unsigned int cpu)
{
	return (unsigned long)cpu_info_of(cpu);
}

/* Maps every page of the CPU's stacks except for the guard pages. */
static int __init map_stacks(unsigned int cpu)
{
	for (unsigned int page = 0; page < STACK_STRIDE / PAGE_SIZE; page++) {
		unsigned long va = STACK_VIRT + cpu * STACK_STRIDE + page * PAGE_SIZE;
		void *p;

		if ((page < STACK_PRIMARY_PAGE && page % 2 == 0) || hv_lookup_pte(va))
			continue;
		p = hv_alloc_pages(0);
		if (!p || hv_map_page(va, virt_to_mfn(p), PTE_HV_RW | PTE_GLOBAL))
			return -1;
	}
	return 0;
}

static int __init alloc_percpu(unsigned int cpu)
{
	size_t size = (size_t)(_percpu_end - _percpu_start);
	unsigned int order = 0;
	char *area;

	/* The boot CPU uses the template itself. */
	if (cpu == 0)
		return 0;
	while (PAGE_SIZE << order < size)
		order++;
	area = hv_alloc_pages(order);
	if (!area)
		return -1;
	percpu_offsets[cpu] = (unsigned long)area - (unsigned long)_percpu_start;
	return 0;
}

void __init smp_prepare_cpu(unsigned int cpu)
{
	struct cpu_info *info = cpu_info_of(cpu);

	/* Of the boot CPU, hvm_init does the last. */
	if (map_stacks(cpu) || alloc_percpu(cpu) || desc_cpu_prepare(cpu) ||
	    (cpu && hvm_cpu_prepare(cpu)))
		boot_fail("not enough memory for CPU %u", cpu);
	info->cpu = cpu;
	info->percpu_offset = percpu_offsets[cpu];
}

void __init smp_set_trampoline(paddr_t page)
{
	trampoline_page = page;
}

void __init smp_count_cpus(void)
{
	unsigned int limit = boot_options.maxcpus ?
				     min(boot_options.maxcpus, (unsigned int)HV_MAX_VCPUS) :
				     HV_MAX_VCPUS;
	u32 boot_id = cpuid(1, 0).b >> 24;

	/* Leaf 11 has the whole x2APIC ID. */
	if (cpu_features.max_leaf >= 11 && cpuid(11, 0).b)
		boot_id = cpuid(11, 0).d;
	apic_ids[0] = boot_id;
	if (!trampoline_page) {
		log_warn("no memory below 640 KiB is free: the other processors cannot start");
		limit = 1;
	}
	for (unsigned int i = 0; i < platform.nr_cpus && nr_cpus < limit; i++) {
		u32 id = platform.cpus[i].apic_id;

		if (id == boot_id)
			continue;
		if (id >= 255 && !cpu_features.x2apic) {
			log_warn("processor with APIC ID %u is left out: no x2APIC", id);
			continue;
		}
		apic_ids[nr_cpus++] = id;
	}
	if (nr_cpus < platform.nr_cpus)
		log_info("%u of %u processors are used", nr_cpus, platform.nr_cpus);
	cpumask_set(0, &cpu_online_map);
}

/* A secondary CPU's first C code: in long mode, on its own stack and the boot page tables. */
static void __noreturn secondary_start(void)
{
	unsigned int cpu = smp_processor_id();

	cpu_features_enable();
	cpu_guards_enable();
	desc_cpu_load();
	pv_entry_load();
	hvm_cpu_start();
	address_space_load(current);
	apic_cpu_init();
	atomic_set(&called_in, cpu);
	clock_sync_target();
	cpumask_set(cpu, &cpu_online_map);
	arch_irq_enable();
	idle_loop();
}

static char *__init prepare_trampoline(void)
{
	size_t size = (size_t)(trampoline_end - trampoline_start);
	char *page = map_device(trampoline_page, PAGE_SIZE);
	u32 cr3 = (u32)image_to_maddr(boot_l4), efer = EFER_LME | EFER_NX;
	u64 entry = (u64)secondary_start;

	if (!page)
		panic("the trampoline page cannot be mapped");
	/*
	 * The boot page tables map 1:1 for the trampoline; add the hypervisor's own slots for the
	 * code after it.
	 */
	memcpy(&boot_l4[HV_FIRST_SLOT], &idle_l4[HV_FIRST_SLOT],
	       (HV_LAST_SLOT - HV_FIRST_SLOT + 1) * sizeof(u64));
	memcpy(page, trampoline_start, size);
	memcpy(page + (trampoline_cr3 - trampoline_start), &cr3, sizeof(cr3));
	memcpy(page + (trampoline_efer - trampoline_start), &efer, sizeof(efer));
	memcpy(page + (trampoline_entry - trampoline_start), &entry, sizeof(entry));
	return page;
}

static bool __init wait_for_call_in(unsigned int cpu, s_time_t timeout)
{
	s_time_t end = time_now() + timeout;

	while (atomic_read(&called_in) != cpu && time_now() < end)
		cpu_relax();
	return atomic_read(&called_in) == cpu;
}

static void __init start_cpu(unsigned int cpu, char *page)
{
	u64 stack = smp_stack_top(cpu);
	unsigned long flags;

	memcpy(page + (trampoline_stack - trampoline_start), &stack, sizeof(stack));
	smp_mb();
	flags = arch_irq_save();
	apic_send_startup(apic_ids[cpu], (u8)(trampoline_page >> PAGE_SHIFT));
	if (!wait_for_call_in(cpu, MILLISECS(50)))
		apic_send_startup(apic_ids[cpu], (u8)(trampoline_page >> PAGE_SHIFT));
	if (wait_for_call_in(cpu, STARTUP_TIMEOUT)) {
		clock_sync_source();
		while (!cpumask_test(cpu, &cpu_online_map))
			cpu_relax();
	} else {
		log_err("CPU %u (APIC ID %u) does not start", cpu, apic_ids[cpu]);
		/* If the CPU comes up late, it must not use the next CPU's stack. */
		apic_send_init(apic_ids[cpu]);
	}
	arch_irq_restore(flags);
}

void __init smp_boot_all(void)
{
	char *page;

	if (nr_cpus == 1)
		return;
	page = prepare_trampoline();
	log_debug("processors start from %#lx", trampoline_page);
	for (unsigned int cpu = 1; cpu < nr_cpus; cpu++)
		apic_send_init(apic_ids[cpu]);
	clock_delay(MILLISECS(10));
	for (unsigned int cpu = 1; cpu < nr_cpus; cpu++) {
		smp_prepare_cpu(cpu);
		timer_cpu_init(cpu);
		sched_cpu_init(cpu);
		cpu_info_set_current(cpu_info_of(cpu), idle_domain->vcpus[cpu]);
		start_cpu(cpu, page);
	}
	unmap_device(page, PAGE_SIZE);
	log_info("%u CPUs are online", cpumask_weight(&cpu_online_map));
}
