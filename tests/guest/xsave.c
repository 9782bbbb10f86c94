/* SPDX-License-Identifier: MIT */
/* CPUID leaf 0xd gives the right size of the extended state that a kernel may enable by XSETBV, in
 * both formats (SDM 1 13). */
#include "guest.h"

#define XCR0_X87    0x01UL
#define XCR0_SSE    0x02UL
#define XCR0_AVX    0x04UL
#define XCR0_AVX512 0xe0UL

#define LEGACY_AND_HEADER 576
#define AREA		  16384
#define POISON		  0xa5

struct regs4 {
	uint32_t a, b, c, d;
};

static uint8_t area[AREA] __attribute__((aligned(64)));

static struct regs4 cpuid_forced(uint32_t leaf, uint32_t sub)
{
	struct regs4 r;

	__asm__ volatile("ud2a; .ascii \"xen\"; cpuid"
			 : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
			 : "a"(leaf), "c"(sub));
	return r;
}

static int xsetbv_vector(uint64_t value)
{
	return CATCH("xorl %%ecx, %%ecx\n\tmovl %k0, %%eax\n\tmovq %0, %%rdx\n\tshrq $32, "
		     "%%rdx\n\txsetbv",
		     "r"(value));
}

static uint64_t xgetbv(void)
{
	uint32_t lo, hi;

	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return lo | (uint64_t)hi << 32;
}

/* Brings all enabled components out of their initial state, so that even XSAVEC writes
 * all of them. */
static void dirty_registers(uint64_t xcr0)
{
	__asm__ volatile("fninit\n\tfld1\n\tpcmpeqd %%xmm0, %%xmm0\n\tpcmpeqd %%xmm15, %%xmm15" ::
				 : "memory");
	if (xcr0 & XCR0_AVX)
		__asm__ volatile("vinsertf128 $1, %%xmm0, %%ymm0, %%ymm0\n\tvinsertf128 $1, "
				 "%%xmm15, %%ymm15, %%ymm15" ::
					 : "memory");
	if (xcr0 & XCR0_AVX512)
		__asm__ volatile("vpternlogd $0xff, %%zmm15, %%zmm15, %%zmm15\n\t"
				 "vpternlogd $0xff, %%zmm31, %%zmm31, %%zmm31\n\t"
				 "kxnorw %%k7, %%k7, %%k7" ::
					 : "memory");
}

/* One past the last byte that an XSAVE instruction changed. */
static unsigned int written(bool compacted)
{
	unsigned int end = AREA;

	for (unsigned int i = 0; i < AREA; i++)
		area[i] = POISON;
	for (unsigned int i = 512; i < LEGACY_AND_HEADER; i++)
		area[i] = 0;
	if (compacted)
		__asm__ volatile("xsavec64 (%0)" : : "r"(area), "a"(~0U), "d"(~0U) : "memory");
	else
		__asm__ volatile("xsave64 (%0)" : : "r"(area), "a"(~0U), "d"(~0U) : "memory");
	while (end && area[end - 1] == POISON)
		end--;
	return end;
}

static unsigned int size_standard(uint64_t xcr0)
{
	unsigned int size = LEGACY_AND_HEADER;

	for (unsigned int i = 2; i < 63; i++) {
		struct regs4 r = cpuid_forced(0xd, i);

		if ((xcr0 >> i & 1) && r.a + r.b > size)
			size = r.a + r.b;
	}
	return size;
}

static unsigned int size_compacted(uint64_t xcr0)
{
	unsigned int size = LEGACY_AND_HEADER;

	for (unsigned int i = 2; i < 63; i++) {
		struct regs4 r = cpuid_forced(0xd, i);

		if (!(xcr0 >> i & 1))
			continue;
		if (r.c & 2)
			size = (size + 63) & ~63U;
		size += r.a;
	}
	return size;
}

static void check_sizes(uint64_t xcr0, bool xsavec)
{
	unsigned int standard = cpuid_forced(0xd, 0).b, compacted = cpuid_forced(0xd, 1).b;

	EXPECT_EQ(standard, size_standard(xcr0));
	dirty_registers(xcr0);
	EXPECT_EQ(written(false), standard);
	if (!xsavec)
		return;
	EXPECT_EQ(compacted, size_compacted(xcr0));
	/* Not "equal": Bochs 2.7 puts the first component at offset 416, where the SSE registers
	 * end, instead of at 576. */
	EXPECT(written(true) <= compacted);
}

void test_main(void)
{
	static const uint64_t wanted[] = { XCR0_X87, XCR0_X87 | XCR0_SSE,
					   XCR0_X87 | XCR0_SSE | XCR0_AVX,
					   XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512 };
	static const uint64_t refused[] = { 0,
					    XCR0_SSE,
					    XCR0_X87 | XCR0_AVX,
					    XCR0_X87 | XCR0_SSE | XCR0_AVX512,
					    XCR0_X87 | XCR0_SSE | XCR0_AVX | 0x20,
					    1UL << 63 | XCR0_X87 };
	unsigned long cr4;
	uint64_t shown;
	struct regs4 r;
	bool xsavec;

	if (!(cpuid_forced(1, 0).c & 1u << 26))
		guest_skip("no XSAVE");
	EXPECT(cpuid_forced(1, 0).c &
	       1u << 27); /* OSXSAVE: Linux looks for it before it sets CR4 */
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | 0x40000)); /* OSXSAVE */
	r = cpuid_forced(0xd, 0);
	shown = r.a | (uint64_t)r.d << 32;
	EXPECT_EQ(shown & 3, 3);
	EXPECT_EQ(r.c, size_standard(shown));
	xsavec = cpuid_forced(0xd, 1).a & 2;
	guest_printf("XCR0 %#lx, XSAVEC %d\n", shown, xsavec);
	for (unsigned int i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (wanted[i] & ~shown) {
			EXPECT_EQ(xsetbv_vector(wanted[i]), 13);
			continue;
		}
		EXPECT_EQ(xsetbv_vector(wanted[i]), -1);
		EXPECT_EQ(xgetbv(), wanted[i]);
		check_sizes(wanted[i], xsavec);
	}
	for (unsigned int i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		EXPECT_EQ(xsetbv_vector(refused[i]), 13);
	/* Everything that CPUID shows can be enabled, all at once. */
	EXPECT_EQ(xsetbv_vector(shown), -1);
	check_sizes(shown, xsavec);
}
