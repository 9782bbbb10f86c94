/* SPDX-License-Identifier: MIT */
/*
 * The topology of CPUs, from their APIC IDs (SDM 3A 9.9.3): threads of a core, cores of a package.
 */
#include "hv/arch/control.h"

#include <xen/sysctl.h>
#include "hv/cpumask.h"
#include "hv/frame.h"
#include "hv/percpu.h"
#include "lib/string.h"
#include "x86/cpu/feature.h"
#include "x86/cpu/policy.h"
#include "x86/cpu/regs.h"

#define LEVEL_THREAD 1
#define LEVEL_CORE   2

/*
 * The number of low APIC ID bits that distinguish the threads of a core, and the logical CPUs of a
 * package.
 */
struct id_shifts {
	unsigned int thread, package;
};

static unsigned int bits_for(unsigned int n)
{
	return n > 1 ? 32 - (unsigned int)__builtin_clz(n - 1) : 0;
}

static struct id_shifts shifts_now(void)
{
	struct id_shifts s = { 0, 0 };
	struct cpuid_leaf l;

	if (cpu_features.max_leaf >= 0xb && cpuid(0xb, 0).b) {
		for (u32 i = 0; i < 4; i++) {
			l = cpuid(0xb, i);
			if (((l.c >> 8) & 0xff) == LEVEL_THREAD)
				s.thread = s.package = l.a & 0x1f;
			else if (((l.c >> 8) & 0xff) == LEVEL_CORE)
				s.package = l.a & 0x1f;
		}
		return s;
	}
	/* Older processors: treat all logical CPUs of a package as cores. */
	l = cpuid(1, 0);
	if (l.d & BIT(28))
		s.package = bits_for((l.b >> 16) & 0xff);
	return s;
}

void arch_cpu_topology(unsigned int cpu, struct xen_sysctl_cputopo *out)
{
	struct id_shifts s = shifts_now();
	u32 apic_id, acpi_id;

	arch_cpu_ids(cpu, &apic_id, &acpi_id);
	out->socket = apic_id >> s.package;
	out->core = (apic_id & (u32)(BIT(s.package) - 1)) >> s.thread;
	out->node = 0;
}

/* The threads of a core and the cores of a package, counted on CPU 0's, because IDs have gaps. */
static void topology_counts(u32 *threads_per_core, u32 *cores_per_socket)
{
	struct xen_sysctl_cputopo first, other;
	u32 threads = 0, logical = 0;
	unsigned int cpu;

	arch_cpu_topology(0, &first);
	cpumask_for_each(cpu, &cpu_online_map) {
		arch_cpu_topology(cpu, &other);
		if (other.socket != first.socket)
			continue;
		logical++;
		if (other.core == first.core)
			threads++;
	}
	*threads_per_core = threads ? threads : 1;
	*cores_per_socket = logical / *threads_per_core ? logical / *threads_per_core : 1;
}

void arch_physinfo(struct xen_sysctl_physinfo *out)
{
	u32 words[CPU_POLICY_WORDS];

	cpu_policy_featureset(&cpu_policy_host, words);
	memcpy(out->hw_cap, words, sizeof(out->hw_cap));
	out->capabilities |= XEN_SYSCTL_PHYSCAP_pv;
	topology_counts(&out->threads_per_core, &out->cores_per_socket);
}
