/* SPDX-License-Identifier: MIT */
/*
 * Words of the current guest's memory straight to and from registers, for the frames that enter and
 * leave the guest's kernel. These are among the hypervisor's most frequent operations, and a copy
 * on the way would double their cost. They work as the functions of guest_access.h do, except that
 * the caller must have called guest_range_ok().
 */
#ifndef X86_PV_GUEST_WORDS_H
#define X86_PV_GUEST_WORDS_H

#include "lib/types.h"
#include "x86/cpu/extable.h"
#include "x86/cpu/regs.h"

#include <xen/xen.h>

/*
 * Writes word `index` (a constant) from `base` on. Use between stac() and clac(). A fault jumps to
 * the label `fault`.
 */
/* clang-format off */
#define guest_put_word(base, index, value, fault)                                \
	__asm__ goto("1: movq %1, %c2(%0)" EXTABLE_C(1b, %l[fault])               \
		     :                                                           \
		     : "r"(base), "r"((u64)(value)), "i"((index) * sizeof(u64))  \
		     : "memory"                                                  \
		     : fault)
/* clang-format on */

/* Reads the frame of HYPERVISOR_iret at `from`. 0, or another value if it cannot be read. */
static __always_inline unsigned long guest_get_iret_context(struct iret_context *to,
							    unsigned long from)
{
	unsigned long left = 1;

	stac();
	/* clang-format off */
	__asm__ __volatile__(".set iret_word, 0\n"
			     ".irp reg, %[rax], %[r11], %[rcx], %[flags], %[rip], %[cs], %[rflags], %[rsp], %[ss]\n"
			     "1: movq iret_word(%[from]), \\reg" EXTABLE_C(1b, 2f)
			     ".set iret_word, iret_word + 8\n"
			     ".endr\n"
			     "   xorl %k[left], %k[left]\n"
			     "2:"
			     : [left] "+&r"(left), [rax] "=&r"(to->rax), [r11] "=&r"(to->r11), [rcx] "=&r"(to->rcx),
			       [flags] "=&r"(to->flags), [rip] "=&r"(to->rip), [cs] "=&r"(to->cs),
			       [rflags] "=&r"(to->rflags), [rsp] "=&r"(to->rsp), [ss] "=&r"(to->ss)
			     : [from] "r"(from)
			     : "memory");
	/* clang-format on */
	clac();
	return left;
}

#endif
