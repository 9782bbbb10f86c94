/* SPDX-License-Identifier: MIT */
/* Xen's CPUID leaves, and the bits of others that mirror the guest's own registers. */
#include "pvh.h"

#include <xen/arch-x86/cpuid.h>

static uint32_t base(void)
{
	for (uint32_t leaf = 0x40000000; leaf < 0x40010000; leaf += 0x100) {
		struct cpuid_regs r = cpuid(leaf, 0);

		if (r.b == XEN_CPUID_SIGNATURE_EBX && r.c == XEN_CPUID_SIGNATURE_ECX &&
		    r.d == XEN_CPUID_SIGNATURE_EDX) {
			EXPECT(r.a >= leaf + 4);
			return leaf;
		}
	}
	pvh_fail("no leaf has Xen's signature");
}

static uint64_t read_cr4(void)
{
	uint64_t v;

	__asm__ volatile("mov %%cr4, %0" : "=r"(v));
	return v;
}

static void write_cr4(uint64_t v)
{
	__asm__ volatile("mov %0, %%cr4" : : "r"(v));
}

void pvh_test(void)
{
	uint32_t xen = base();
	struct cpuid_regs r = cpuid(xen + 1, 0);

	EXPECT(r.a >= 0x40011);
	r = cpuid(xen + 2, 0);
	EXPECT(r.a >= 1);
	EXPECT_EQ(r.b, 0x40000000);
	r = cpuid(xen + 4, 0);
	EXPECT(r.a & XEN_HVM_CPUID_VCPU_ID_PRESENT);
	EXPECT_EQ(r.b, 0);
	EXPECT(r.a & XEN_HVM_CPUID_DOMID_PRESENT);
	EXPECT(r.c > 0);

	r = cpuid(1, 0);
	EXPECT(r.c >> 31);			       /* a hypervisor */
	EXPECT(r.d >> 9 & 1);			       /* a local APIC, enabled */
	EXPECT(r.d >> 6 & 1);			       /* PAE */
	EXPECT_EQ(r.c >> 5 & 1, 0);		       /* no VMX */
	EXPECT_EQ(cpuid(0x80000001, 0).c >> 2 & 1, 0); /* no SVM */
	EXPECT_EQ(r.b >> 24, 0);		       /* the first vCPU's APIC */
	if (r.c >> 26 & 1) {
		write_cr4(read_cr4() & ~(1UL << 18));
		EXPECT_EQ(cpuid(1, 0).c >> 27 & 1, 0);
		write_cr4(read_cr4() | 1UL << 18);
		EXPECT_EQ(cpuid(1, 0).c >> 27 & 1, 1);
	}
}
