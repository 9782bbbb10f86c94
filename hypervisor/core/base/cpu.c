/* SPDX-License-Identifier: MIT */
/* Which CPUs there are, and where the variables of each lie. Boot fills this in. */
#include "hv/cpumask.h"

#include "hv/percpu.h"

unsigned int nr_cpus = 1;
cpumask_t cpu_online_map;
unsigned long percpu_offsets[HV_MAX_CPUS];
