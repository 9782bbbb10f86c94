/* SPDX-License-Identifier: MIT */
/* A multicall runs its entries in order and returns each one's result. */
#include "guest.h"

void test_main(void)
{
	multicall_entry_t calls[4];
	char *page = page_take();
	uint64_t entry = virt_to_mfn(page) << 12 | 0x65;

	memset(calls, 0, sizeof(calls));
	calls[0].op = __HYPERVISOR_xen_version;
	calls[0].args[0] = XENVER_version;
	calls[1].op = __HYPERVISOR_update_va_mapping;
	calls[1].args[0] = (unsigned long)page;
	calls[1].args[1] = entry;
	calls[1].args[2] = UVMF_INVLPG;
	calls[2].op = 200;
	calls[3].op = __HYPERVISOR_fpu_taskswitch;
	EXPECT_EQ(hc2(__HYPERVISOR_multicall, calls, 4), 0);
	EXPECT_EQ(calls[0].result >> 16, 4);
	EXPECT_EQ(calls[1].result, 0);
	EXPECT_EQ(calls[2].result, -XENOSYS);
	EXPECT_EQ(calls[3].result, 0);
	EXPECT_EQ(CATCH("movq %0, %%rax\n\tmovb $1, (%%rax)", "r"(page)), 14);
	EXPECT_EQ(hc2(__HYPERVISOR_multicall, 0x7ffff000, 1), -XEFAULT);
	EXPECT_EQ(hc2(__HYPERVISOR_multicall, calls, 0), 0);
	/* Refused inside a multicall: another multicall, or a call that replaces the registers. */
	calls[0].op = __HYPERVISOR_multicall;
	calls[0].args[0] = (unsigned long)&calls[2];
	calls[0].args[1] = 1;
	EXPECT_EQ(hc2(__HYPERVISOR_multicall, calls, 1), 0);
	EXPECT((long)calls[0].result < 0);
}
