/* SPDX-License-Identifier: MIT */
/* Guards against speculative reads at addresses that a guest chooses. */
#ifndef HV_SPECULATION_H
#define HV_SPECULATION_H

/*
 * `index` if it is below `bound`, else 0, also on a mispredicted path. For every index that a guest
 * names (Spectre variant 1).
 */
static inline unsigned long index_below(unsigned long index, unsigned long bound)
{
	unsigned long mask;

	__asm__("cmpq %2, %1\n\tsbbq %0, %0" : "=r"(mask) : "r"(index), "ri"(bound) : "cc");
	return index & mask;
}

#endif
