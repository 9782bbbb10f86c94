/* SPDX-License-Identifier: MIT */
/* The table of instructions that may fault, and accesses to an MSR that may not exist. */
#include "x86/cpu/extable.h"

#include "x86/cpu/regs.h"
#include "lib/errno.h"

struct extable_entry {
	unsigned long fault, fixup;
};
extern const struct extable_entry _extable_start[], _extable_end[];

unsigned long extable_fixup(unsigned long rip)
{
	for (const struct extable_entry *e = _extable_start; e < _extable_end; e++)
		if (e->fault == rip)
			return e->fixup;
	return 0;
}

int rdmsr_safe(u32 msr, u64 *v)
{
	u32 lo = 0, hi = 0;
	int err = 0;

	__asm__ __volatile__("1: rdmsr\n"
			     "2:\n"
			     "\t.pushsection .text.fixup, \"ax\", @progbits\n"
			     "3: movl %4, %0\n"
			     "\tjmp 2b\n"
			     "\t.popsection\n" EXTABLE_C(1b, 3b)
			     : "+r"(err), "+a"(lo), "+d"(hi)
			     : "c"(msr), "i"(-EFAULT));
	*v = err ? 0 : lo | ((u64)hi << 32);
	return err;
}

int wrmsr_safe(u32 msr, u64 v)
{
	int err = 0;

	__asm__ __volatile__("1: wrmsr\n"
			     "2:\n"
			     "\t.pushsection .text.fixup, \"ax\", @progbits\n"
			     "3: movl %4, %0\n"
			     "\tjmp 2b\n"
			     "\t.popsection\n" EXTABLE_C(1b, 3b)
			     : "+r"(err)
			     : "c"(msr), "a"((u32)v), "d"((u32)(v >> 32)), "i"(-EFAULT)
			     : "memory");
	return err;
}
