/* SPDX-License-Identifier: MIT */
/*
 * A vCPU's x87, SSE and AVX state: an XSAVE image, or an FXSAVE image on CPUs without XSAVE (SDM 1,
 * chapter 13).
 */
#include "x86/cpu/feature.h"

#include "hv/percpu.h"
#include "lib/string.h"
#include "x86/cpu/policy.h"
#include "x86/cpu/regs.h"

#define FXSAVE_SIZE	  512
#define FCW_RESET	  0x37f
#define MXCSR_RESET	  0x1f80
#define FXSAVE_MXCSR_MASK 28 /* offset in the image (SDM 1 10.5.1) */
/* The MXCSR bits of a processor whose FXSAVE stores no mask (SDM 1 11.6.6). */
#define MXCSR_MASK_DEFAULT 0xffbfU

/* This CPU's XCR0; 0: not known. */
static DEFINE_PER_CPU(u64, xcr0_now);

unsigned int xstate_size(void)
{
	return cpu_features.xsave ?
		       cpu_policy_xsave_size(&cpu_policy_host, cpu_features.xcr0_mask) :
		       FXSAVE_SIZE;
}

u32 xstate_mxcsr_mask(void)
{
	static u8 image[FXSAVE_SIZE] __aligned(16);
	static u32 mask;

	if (!mask) {
		__asm__ __volatile__("fxsave %0" : "=m"(image));
		memcpy(&mask, image + FXSAVE_MXCSR_MASK, sizeof(mask));
		if (!mask)
			mask = MXCSR_MASK_DEFAULT;
	}
	return mask;
}

void xstate_init_image(void *image)
{
	u16 fcw = FCW_RESET;
	u32 mxcsr = MXCSR_RESET;
	u64 xstate_bv = 3; /* x87 and SSE are in the image; all else is in its initial state */

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

	/*
	 * If no exception is pending, AMD's CPUs leave the x87 error pointers of the last owner in
	 * place. This overwrites them.
	 */
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
