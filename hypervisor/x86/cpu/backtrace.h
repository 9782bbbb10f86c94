/* SPDX-License-Identifier: MIT */
/* Backtraces with names: the table of symbols is linked into the image (scripts/gen-symbols). */
#ifndef X86_CPU_BACKTRACE_H
#define X86_CPU_BACKTRACE_H

#include "lib/types.h"

struct cpu_user_regs;

/* Name of the function that `addr` lies in and how far in, or NULL if it is not code of ours. */
const char *symbol_lookup(unsigned long addr, unsigned long *offset);
/*
 * Prints who called whom from `rip` on, with the frame `rbp` (debug build) or by scanning the stack
 * from `rsp` on (release build, which keeps no frames: stale entries are possible and marked '?').
 */
void backtrace_print(unsigned long rip, unsigned long rsp, unsigned long rbp);
/* Code of boot is gone: no address lies in it any more. */
void backtrace_init_gone(void);
/* Registers and backtrace of a trap in our own code, or the registers only if they are a guest's.
 */
void backtrace_regs(const struct cpu_user_regs *regs);

#endif
