/* SPDX-License-Identifier: MIT */
/*
 * Instructions of the hypervisor that may fault: pairs of (instruction, where to go on) in the
 *section .extable. The trap code asks extable_fixup before it calls a fault of ours a bug.
 *
 *	EXTABLE(1b, 2f)			in an .S file
 *	"1: mov ..." EXTABLE_C(1b, 2f)	in inline assembler
 */
#ifndef X86_CPU_EXTABLE_H
#define X86_CPU_EXTABLE_H

#ifdef __ASSEMBLY__
/* clang-format off */
.macro EXTABLE fault, fixup
	.pushsection .extable, "a", @progbits
	.balign 8
	.quad \fault, \fixup
	.popsection
.endm
/* clang-format on */
#else
#include "lib/types.h"

#define EXTABLE_C(fault, fixup)                         \
	"\n\t.pushsection .extable, \"a\", @progbits\n" \
	"\t.balign 8\n"                                 \
	"\t.quad " #fault ", " #fixup "\n"              \
	"\t.popsection\n"

/* Where to go on after a fault at `rip`, or 0 when nothing foresaw it. */
unsigned long extable_fixup(unsigned long rip);
#endif

#endif
