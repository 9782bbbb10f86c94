/* SPDX-License-Identifier: MIT */
/*
 * The cost of a null hypercall. With --icount, a TSC tick is an instruction and the figure is
 * exact: Debian's Xen 4.17 needs 280, and we may not need more. Without it, the figure is only
 * printed.
 */
#include "guest.h"

#define ROUNDS		 5
#define CALLS		 100
#define XEN_INSTRUCTIONS 280

static uint64_t least(bool call)
{
	uint64_t best = ~0UL;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		uint64_t start = rdtsc(), spent;

		for (unsigned int i = 0; i < CALLS; i++) {
			if (call)
				hc2(__HYPERVISOR_xen_version, XENVER_version, 0);
			else
				__asm__ volatile("" ::: "rax", "rcx", "r11", "memory");
		}
		spent = rdtsc() - start;
		best = spent < best ? spent : best;
	}
	return best;
}

static bool counting(void)
{
	for (const char *p = (const char *)start_info->cmd_line; *p; p++)
		if (!memcmp(p, "icount", 6))
			return true;
	return false;
}

void test_main(void)
{
	uint64_t each = (least(true) - least(false)) / CALLS;

	guest_printf("null hypercall: %lu %s\n", each, counting() ? "instructions" : "TSC ticks");
	if (counting() && each > XEN_INSTRUCTIONS)
		guest_fail("a null hypercall takes %lu instructions, Xen 4.17 takes %d", each,
			   XEN_INSTRUCTIONS);
}
