/* SPDX-License-Identifier: MIT */
/*
 * Host version: one thread simulates any number of CPUs. host_set_cpu() selects the CPU that runs
 * from now on. Each CPU has its own struct cpu_info, and so its own `current`. A per-CPU variable
 * is an array.
 */
#ifndef HV_PERCPU_H
#define HV_PERCPU_H

#include <xen/xen.h>
#include "hv/config.h"
#include "lib/types.h"

struct vcpu;

struct cpu_info {
	struct cpu_user_regs guest_regs;
	unsigned int cpu;
	unsigned int pad;
	struct vcpu *current;
	unsigned long percpu_offset;
	unsigned long direct_guest_bytes;
	unsigned long scratch[2];
};

extern unsigned int host_cpu;
extern struct cpu_info host_cpu_infos[HV_MAX_CPUS];

static inline struct cpu_info *cpu_info(void)
{
	return &host_cpu_infos[host_cpu];
}

static inline void host_set_cpu(unsigned int cpu)
{
	host_cpu = cpu;
	host_cpu_infos[cpu].cpu = cpu;
}

#define current		   (cpu_info()->current)
#define smp_processor_id() (host_cpu)

#define DEFINE_PER_CPU(type, name)  __typeof__(__typeof__(type)[HV_MAX_CPUS]) percpu_##name
#define DECLARE_PER_CPU(type, name) extern __typeof__(__typeof__(type)[HV_MAX_CPUS]) percpu_##name
#define per_cpu(name, cpu)	    (percpu_##name[cpu])
#define this_cpu(name)		    per_cpu(name, host_cpu)

#endif
