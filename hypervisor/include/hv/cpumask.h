/* SPDX-License-Identifier: MIT */
/* Sets of physical CPUs. */
#ifndef HV_CPUMASK_H
#define HV_CPUMASK_H

#include "hv/config.h"
#include "lib/bitmap.h"

typedef struct cpumask {
	BITMAP(bits, HV_MAX_CPUS);
} cpumask_t;

/* The number of CPUs that boot found. They are numbered 0 .. nr_cpus - 1. */
extern unsigned int nr_cpus;
/* The CPUs that run. */
extern cpumask_t cpu_online_map;

#define cpumask_set(cpu, m)	     bit_set_atomic((m)->bits, cpu)
#define cpumask_clear_cpu(cpu, m)    bit_clear_atomic((m)->bits, cpu)
#define cpumask_test(cpu, m)	     bitmap_test_bit((m)->bits, cpu)
#define cpumask_test_and_set(cpu, m) bit_test_and_set_atomic((m)->bits, cpu)
#define cpumask_zero(m)		     bitmap_zero((m)->bits, HV_MAX_CPUS)
#define cpumask_fill(m)		     bitmap_fill((m)->bits, HV_MAX_CPUS)
#define cpumask_first(m)	     bitmap_first_set((m)->bits, nr_cpus)
#define cpumask_next(cpu, m)	     bitmap_next_set((m)->bits, nr_cpus, (cpu) + 1)
#define cpumask_weight(m)	     bitmap_weight((m)->bits, nr_cpus)
#define cpumask_empty(m)	     bitmap_is_empty((m)->bits, nr_cpus)
#define cpumask_intersects(a, b)     bitmap_intersects((a)->bits, (b)->bits, nr_cpus)
#define cpumask_and(d, a, b)	     bitmap_and((d)->bits, (a)->bits, (b)->bits, HV_MAX_CPUS)
#define cpumask_for_each(cpu, m)     bitmap_for_each(cpu, (m)->bits, nr_cpus)

#endif
