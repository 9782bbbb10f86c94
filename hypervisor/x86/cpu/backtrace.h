/* SPDX-License-Identifier: MIT */
/* Backtraces with names. The table of symbols is linked into the image (scripts/gen-symbols). */
#ifndef X86_CPU_BACKTRACE_H
#define X86_CPU_BACKTRACE_H

#include "lib/types.h"

struct cpu_user_regs;

/*
 * The name of the function that `addr` lies in, and the offset there; NULL: not the hypervisor's
 * code.
 */
const char *symbol_lookup(unsigned long addr, unsigned long *offset);
/*
 * Prints the chain of calls that led to `rip`. A debug build follows the frames from `rbp` on. A
 * release build keeps no frames, so it scans the stack from `rsp` on: entries may be stale and are
 * marked '?'.
 */
void backtrace_print(unsigned long rip, unsigned long rsp, unsigned long rbp);
/* Boot's code is freed: from now on no address counts as code of it. */
void backtrace_init_gone(void);
/* Prints a trap's registers and, if the hypervisor's own code trapped, the backtrace. */
void backtrace_regs(const struct cpu_user_regs *regs);

#endif
