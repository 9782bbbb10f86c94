/* SPDX-License-Identifier: MIT */
/* Exceptions reach the guest's handler with the right vector, error code and address. */
#include "guest.h"

void test_main(void)
{
	EXPECT_EQ(CATCH("ud2", "i"(0)), 6);
	EXPECT_EQ(CATCH("xorl %%edx, %%edx\n\txorl %%ecx, %%ecx\n\tdivl %%ecx", "i"(0)), 0);
	EXPECT_EQ(CATCH("int3", "i"(0)), 3);
	EXPECT_EQ(CATCH("int $0x80", "i"(0)), 128);
	EXPECT_EQ(CATCH("movq %0, %%rax\n\tmovb (%%rax), %%al", "i"(0x7ffff000UL)), 14);
	EXPECT_EQ(catch_cr2, 0x7ffff000);
	EXPECT_EQ(catch_error & 3, 0);
	EXPECT_EQ(CATCH("movq %0, %%rax\n\tmovb $1, (%%rax)", "i"(0x7ffff000UL)), 14);
	EXPECT_EQ(catch_error & 3, 2);
	/* The hypervisor's own memory, which a guest cannot read. */
	EXPECT_EQ(CATCH("movabsq %0, %%rax\n\tmovb (%%rax), %%al", "i"(0xffff828000000000UL)), 14);
	/* Not canonical. */
	EXPECT_EQ(CATCH("movabsq %0, %%rax\n\tmovb (%%rax), %%al", "i"(0x8000000000000000UL)), 13);
	/* Privileged and not emulated: the GDT register. */
	EXPECT_EQ(CATCH("lgdt (%%rsp)", "i"(0)), 13);
	/* An interrupt vector without a handler: #GP that names it. */
	EXPECT_EQ(CATCH("int $0x99", "i"(0)), 13);
}
