/* SPDX-License-Identifier: MIT */
/* Privileged instructions of a guest's kernel are emulated: control registers, MSRs, CPUID, I/O
 * ports. */
#include "guest.h"

struct regs4 {
	uint32_t a, b, c, d;
};

static struct regs4 cpuid_forced(uint32_t leaf, uint32_t sub)
{
	struct regs4 r;

	__asm__ volatile("ud2a; .ascii \"xen\"; cpuid"
			 : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
			 : "a"(leaf), "c"(sub));
	return r;
}

static void test_cpuid(void)
{
	struct regs4 r = cpuid_forced(0x40000000, 0);
	char name[12];

	memcpy(name, &r.b, 4);
	memcpy(name + 4, &r.c, 4);
	memcpy(name + 8, &r.d, 4);
	EXPECT_EQ(memcmp(name, "XenVMMXenVMM", 12), 0);
	EXPECT(r.a >= 0x40000002);
	EXPECT_EQ(cpuid_forced(0x40000001, 0).a >> 16, 4);
	r = cpuid_forced(1, 0);
	/* FPU and TSC are there, VMX is not, and the hypervisor bit is set. */
	EXPECT(r.d & (1u << 0));
	EXPECT(r.d & (1u << 4));
	EXPECT_EQ(r.c & (1u << 5), 0);
	EXPECT(r.c & (1u << 31));
	r = cpuid_forced(0x80000001, 0);
	EXPECT(r.d & (1u << 29));      /* long mode */
	EXPECT(r.d & (1u << 20));      /* NX */
	EXPECT_EQ(r.c & (1u << 2), 0); /* no SVM */
}

static uint64_t rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return lo | (uint64_t)hi << 32;
}

void test_main(void)
{
	unsigned long cr0, cr3, cr4;
	uint8_t value;

	test_cpuid();
	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	guest_printf("cr0 %#lx cr3 %#lx cr4 %#lx\n", cr0, cr3, cr4);
	EXPECT(cr0 & 0x80000001);
	EXPECT_EQ(cr3 >> 12, virt_to_mfn((void *)start_info->pt_base));
	__asm__ volatile("clts");
	/* EFER: long mode is on. */
	EXPECT((rdmsr(0xc0000080) & 0x500) == 0x500);
	EXPECT_EQ(CATCH("movl $0x12345678, %%ecx\n\trdmsr", "i"(0)), 13);
	EXPECT_EQ(
		CATCH("movl $0x12345678, %%ecx\n\txorl %%eax, %%eax\n\txorl %%edx, %%edx\n\twrmsr",
		      "i"(0)),
		13);
	/* A segment base, by MSR and by hypercall. */
	EXPECT_EQ(hc2(__HYPERVISOR_set_segment_base, SEGBASE_FS, 0x1234000), 0);
	EXPECT_EQ(rdmsr(0xc0000100), 0x1234000);
	EXPECT(hc2(__HYPERVISOR_set_segment_base, SEGBASE_FS, 0x8000000000000000UL) < 0);
	EXPECT(hc2(__HYPERVISOR_set_segment_base, 99, 0) < 0);
	/* The kernel has no ports before it sets its I/O privilege level. */
	EXPECT_EQ(CATCH("xorl %%eax, %%eax\n\toutb %%al, $0x70", "i"(0)), 13);
	struct physdev_set_iopl iopl = { .iopl = 1 };
	EXPECT_EQ(hc2(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl, &iopl), 0);
	/* Ports: the real-time clock's seconds are BCD or binary, so below 0x60. */
	__asm__ volatile("outb %b0, %w1" : : "a"(0), "Nd"(0x70));
	__asm__ volatile("inb %w1, %b0" : "=a"(value) : "Nd"(0x71));
	EXPECT(value < 0x60);
	/* A word is for both ports: the register's number, a byte of memory that no clock uses. */
	__asm__ volatile("outw %w0, %w1" : : "a"(0x5a7e), "Nd"(0x70));
	value = 0;
	__asm__ volatile("inb %w1, %b0" : "=a"(value) : "Nd"(0x71));
	EXPECT_EQ(value & 0xff, 0x5a);
	/* PCI configuration space: bus 0, device 0 has a vendor. */
	uint32_t vendor;
	__asm__ volatile("outl %0, %w1" : : "a"(0x80000000u), "Nd"(0xcf8));
	__asm__ volatile("inl %w1, %0" : "=a"(vendor) : "Nd"(0xcfc));
	EXPECT_EQ(vendor & 0xffff, 0x8086);
	/* Debug registers. */
	EXPECT_EQ(hc2(__HYPERVISOR_set_debugreg, 0, 0x100000), 0);
	EXPECT_EQ(hc1(__HYPERVISOR_get_debugreg, 0), 0x100000);
	EXPECT(hc2(__HYPERVISOR_set_debugreg, 0, 0xffff830000000000UL) < 0);
	EXPECT(hc2(__HYPERVISOR_set_debugreg, 9, 0) < 0);
	EXPECT_EQ(hc2(__HYPERVISOR_set_debugreg, 0, 0), 0);
}
