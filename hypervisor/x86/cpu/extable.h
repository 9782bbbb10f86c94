/* SPDX-License-Identifier: MIT */
/*
 * Hypervisor instructions that may fault: the section .extable has pairs of an instruction and the
 * address to continue at. The trap code calls extable_fixup before it treats a fault as a bug.
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

/* The address to continue at after a fault at `rip`; 0: a fault there is not expected. */
unsigned long extable_fixup(unsigned long rip);
#endif

#endif
