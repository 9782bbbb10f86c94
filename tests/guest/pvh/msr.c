/* SPDX-License-Identifier: MIT */
/* MSRs: those that a kernel uses keep what is written; bad values and unknown MSRs are #GP. */
#include "pvh.h"

#define GP (1 + 13)

static void keeps(uint32_t msr, uint64_t value)
{
	uint64_t old = rdmsr(msr);

	wrmsr(msr, value);
	EXPECT_EQ(rdmsr(msr), value);
	wrmsr(msr, old);
	EXPECT_EQ(rdmsr(msr), old);
}

void pvh_test(void)
{
	uint64_t efer = rdmsr(0xc0000080), value;

	EXPECT_EQ(efer & 0x500, 0x500); /* LMA, LME */
	EXPECT_EQ(efer & 0x1000, 0);	/* no SVME */
	EXPECT_EQ(wrmsr_safe(0xc0000080, efer | 1UL << 40), GP);
	EXPECT_EQ(wrmsr_safe(0xc0000080, efer & ~0x100UL), GP); /* LME, while paging is on */
	wrmsr(0xc0000080, efer);

	keeps(0xc0000081, 0x0023001000000000); /* STAR */
	keeps(0xc0000082, 0xffffffff81000000); /* LSTAR */
	keeps(0xc0000083, 0xffffffff81001000); /* CSTAR */
	keeps(0xc0000084, 0x47700);	       /* SFMASK */
	keeps(0xc0000100, 0x123456789);	       /* FS base */
	keeps(0xc0000101, 0xffff888000000000); /* GS base */
	keeps(0xc0000102, 0x7fff12345000);
	keeps(0x174, 0x10); /* SYSENTER */
	keeps(0x175, 0xfffffe0000002000);
	keeps(0x176, 0xffffffff81002000);
	keeps(0x277, 0x0007040600070406);    /* PAT */
	EXPECT_EQ(wrmsr_safe(0x277, 2), GP); /* no such type */

	EXPECT(rdmsr(0x1b) & 1 << 8); /* APIC_BASE: the boot processor */
	EXPECT_EQ(rdmsr(0x1b) & 0xfffff000, 0xfee00000);
	EXPECT_EQ(rdmsr_safe(0x12345678, &value), GP);
	EXPECT_EQ(rdmsr_safe(0xc0010117, &value), GP); /* VM_HSAVE_PA */
	value = rdtsc();
	EXPECT(rdmsr(0x10) > value);
	EXPECT(rdtsc() > value);
}
