/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU data. struct cpu_info lies at the top of each CPU's stacks. The stacks are aligned, so
 * all code finds it from the stack pointer, and the entry code need not touch GS or any other
 * register of the guest.
 *
 * Per-CPU variables: DEFINE_PER_CPU(type, name) in a .c file, DECLARE_PER_CPU in a header;
 * this_cpu(name) and per_cpu(name, cpu) are lvalues. The section .percpu is the template: each CPU
 * gets a zeroed copy before it starts.
 */
#ifndef HV_PERCPU_H
#define HV_PERCPU_H

#include "lib/types.h" /* before the public headers, which need its names */

#include <xen/xen.h>
#include "hv/config.h"

struct vcpu;

struct cpu_info {
	struct cpu_user_regs guest_regs; /* saved at entry from a guest (entry.S) */
	unsigned int cpu;
	unsigned int pad;
	struct vcpu *current;
	unsigned long percpu_offset;
	unsigned long direct_guest_bytes; /* x86/guest/guest_copy.c */
	unsigned long scratch[2];	  /* for the entry code */
};
/*
 * The processor aligns a new stack to 16 bytes before it pushes SS to RIP (SDM 3A 6.14.2). These
 * must land in guest_regs.
 */
_Static_assert((sizeof(struct cpu_info) - offsetof(struct cpu_user_regs, es)) % 16 == 0,
	       "TSS.RSP0 is &guest_regs.es");

static __always_inline struct cpu_info *cpu_info(void)
{
	unsigned long sp;

	__asm__("movq %%rsp, %0" : "=r"(sp));
	return (struct cpu_info *)((sp | (STACK_STRIDE - 1)) + 1 - sizeof(struct cpu_info));
}

/* For a CPU that does not run yet. */
static inline void cpu_info_set_current(struct cpu_info *info, struct vcpu *v)
{
	info->current = v;
}

#define current		   (cpu_info()->current)
#define smp_processor_id() (cpu_info()->cpu)

extern unsigned long percpu_offsets[HV_MAX_CPUS];

#define DEFINE_PER_CPU(type, name)  __section(".percpu") __typeof__(type) percpu_##name
#define DECLARE_PER_CPU(type, name) extern __typeof__(type) percpu_##name
#define per_cpu_at(name, offset)    (*(__typeof__(percpu_##name) *)((char *)&percpu_##name + (offset)))
#define this_cpu(name)		    per_cpu_at(name, cpu_info()->percpu_offset)
#define per_cpu(name, cpu)	    per_cpu_at(name, percpu_offsets[cpu])

#endif
