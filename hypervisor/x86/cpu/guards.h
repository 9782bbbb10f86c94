/* SPDX-License-Identifier: MIT */
/* The guards against processor faults, in effect. docs/design/speculation.md. */
#ifndef X86_CPU_GUARDS_H
#define X86_CPU_GUARDS_H

#include "lib/cpu_guards.h"
#include "lib/types.h"

/*
 * [A] CPU_GUARD_* that are on: decided by cpu_guards_init. A CPU that refuses one takes it off
 * while it boots.
 */
extern u32 cpu_guards;

/*
 * Boot CPU, after cpu_features_probe, while code is still writable and no other CPU runs: decides,
 * and fits the code of the way to guests.
 */
void cpu_guards_init(void);
/* This CPU: sets the registers that guards take. After cpu_guards_init. */
void cpu_guards_enable(void);
/*
 * Boot, once all CPUs run: prints a line for each fault of the processor, with the guard against it
 * or with what a guest can do.
 */
void cpu_guards_report(void);

#endif
