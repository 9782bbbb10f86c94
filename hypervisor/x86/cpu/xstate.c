/* SPDX-License-Identifier: MIT */
/* The x87, SSE and AVX state of a vCPU: an XSAVE image, or an FXSAVE image on CPUs without XSAVE (SDM 1, chapter 13).
 */
#include "x86/cpu/feature.h"

#include "hv/percpu.h"
#include "lib/string.h"
#include "x86/cpu/regs.h"

#define FXSAVE_SIZE	  512
#define XSAVE_HEADER_SIZE 64
#define FCW_RESET	  0x37f
#define MXCSR_RESET	  0x1f80

/* XCR0 that this CPU has; 0: not known. */
static DEFINE_PER_CPU(u64, xcr0_now);

/* CPUID 0xd reports the size for what XCR0 has now, so the components are added up. */
static unsigned int xsave_area_size(void)
{
	unsigned int size = FXSAVE_SIZE + XSAVE_HEADER_SIZE;

	for (unsigned int i = 2; i < 63; i++) {
		struct cpuid_leaf l;

		if (!(cpu_features.xcr0_mask & BIT(i)))
			continue;
		l = cpuid(0xd, i);
		size = max(size, l.a + l.b);
	}
	return size;
}

unsigned int xstate_size(void)
{
	static unsigned int size;

	if (!size)
		size = cpu_features.xsave ? xsave_area_size() : FXSAVE_SIZE;
	return size;
}

void xstate_init_image(void *image)
{
	u16 fcw = FCW_RESET;
	u32 mxcsr = MXCSR_RESET;
	u64 xstate_bv = 3; /* x87 and SSE are in the image, the rest is in its initial state */

	memset(image, 0, xstate_size());
	memcpy(image, &fcw, sizeof(fcw));
	memcpy((u8 *)image + 24, &mxcsr, sizeof(mxcsr));
	if (cpu_features.xsave)
		memcpy((u8 *)image + FXSAVE_SIZE, &xstate_bv, sizeof(xstate_bv));
}

void xstate_save(void *image, u64 mask)
{
	u32 lo = (u32)mask, hi = (u32)(mask >> 32);

	if (!cpu_features.xsave)
		__asm__ __volatile__("fxsaveq (%0)" : : "r"(image) : "memory");
	else if (cpu_features.xsaveopt)
		__asm__ __volatile__("xsaveopt64 (%0)" : : "r"(image), "a"(lo), "d"(hi) : "memory");
	else
		__asm__ __volatile__("xsave64 (%0)" : : "r"(image), "a"(lo), "d"(hi) : "memory");
}

void xstate_restore(void *image, u64 mask)
{
	u32 lo = (u32)mask, hi = (u32)(mask >> 32);

	/* AMD leaves the x87 error pointers of the last owner in place when no exception is pending: overwritten by
	 * this. */
	if (cpu_features.vendor == VENDOR_AMD)
		__asm__ __volatile__("fnclex; emms; fildl %0" : : "m"(*(const u32 *)image));
	if (!cpu_features.xsave)
		__asm__ __volatile__("fxrstorq (%0)" : : "r"(image) : "memory");
	else
		__asm__ __volatile__("xrstor64 (%0)" : : "r"(image), "a"(lo), "d"(hi) : "memory");
}

void xstate_cpu_init(void)
{
	this_cpu(xcr0_now) = 0;
}

void xstate_set_xcr0(u64 xcr0)
{
	if (!cpu_features.xsave || this_cpu(xcr0_now) == xcr0)
		return;
	__asm__ __volatile__("xsetbv" : : "c"(0), "a"((u32)xcr0), "d"((u32)(xcr0 >> 32)));
	this_cpu(xcr0_now) = xcr0;
}
