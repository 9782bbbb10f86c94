/* SPDX-License-Identifier: MIT */
/*
 * The guards against processor faults (lib/cpu_faults.h): which of them a processor needs and has,
 * and which faults they leave. Pure code, used by the hypervisor, which puts them into effect
 * (x86/cpu/guards.c), and by xend, which tells what is left. docs/design/speculation.md has the
 * whole table.
 */
#ifndef LIB_CPU_GUARDS_H
#define LIB_CPU_GUARDS_H

/* Bits, which assembler uses, too. */
#define CPU_GUARD_VERW	    0x01 /* VERW clears the core's buffers on each way to a guest */
#define CPU_GUARD_DIVIDE    0x02 /* a division overwrites the divider's last result there */
#define CPU_GUARD_IBRS	    0x04 /* enhanced IBRS (Intel) or automatic IBRS (AMD), always on */
#define CPU_GUARD_BHI_DIS_S 0x08 /* the hypervisor's branches ignore the history of guests' */
#define CPU_GUARD_IBPB	    0x10 /* branch predictions are dropped at each change of vCPU */
/* Entries of guests' page tables that are not present and name memory are refused. */
#define CPU_GUARD_L1TF	    0x20
#define CPU_GUARD_L1TF_DOM0 0x40 /* Domain-0's, too */
#define CPU_GUARD_ZENBLEED  0x80 /* the bit that turns the faulty optimisation off */
#define CPU_GUARD_ALL	    0xff

#ifndef __ASSEMBLY__
#include "lib/cpu_faults.h"

/* What the command line says of guards. A guard in neither set is on where it is needed. */
struct cpu_guard_wishes {
	u32 on, off;
};

/*
 * The values of the options spec-ctrl and pv-l1tf (docs/reference/command-line.md). False: not
 * understood, and *w is as before.
 */
bool cpu_guards_parse_spec_ctrl(const char *value, struct cpu_guard_wishes *w);
bool cpu_guards_parse_pv_l1tf(const char *value, struct cpu_guard_wishes *w);
/* Both, from a whole command line; what is not understood has no effect. */
void cpu_guards_parse_line(const char *line, struct cpu_guard_wishes *w);

/* The guards that are to be on, of those that the processor has. faults: cpu_faults_find's. */
u32 cpu_guards_choose(const struct cpu_facts *f, u32 faults, const struct cpu_guard_wishes *w);
/* The faults that are open with these guards on. */
u32 cpu_faults_left(const struct cpu_facts *f, u32 faults, u32 guards);
/*
 * The guards that help against a fault, of those in `guards`; 0: none does. The fault may be left
 * all the same, between the threads of a core.
 */
u32 cpu_fault_guards(const struct cpu_facts *f, enum cpu_fault fault, u32 guards);
/* For people: "VERW". guard: one bit. */
const char *cpu_guard_name(u32 guard);
#endif

#endif
