/* SPDX-License-Identifier: MIT */
/*
 * CPUID's leaf 0xd (SDM 1 13.2): the policy's components of extended state, their places in an
 * XSAVE image, and the sizes of images. The leaf follows from the policy's features and from the
 * processor, so a builder cannot set it.
 */
#include "x86/cpu/feature.h"
#include "x86/cpu/policy.h"

#define XSAVEC		0x2U /* of subleaf 1, EAX */
#define ALIGNED		0x2U /* in a component's ECX: 64-byte aligned in the compacted format */
#define LEGACY_SIZE	(512U + 64U) /* x87 and SSE state, and the header */
#define FIRST_COMPONENT 2U
#define COMPONENT_ALIGN 64U
#define NR_XCR0_BITS	63U

bool xcr0_is_valid(u64 xcr0, u64 may)
{
	if (!(xcr0 & XCR0_X87) || (xcr0 & ~may))
		return false;
	if ((xcr0 & XCR0_AVX) && !(xcr0 & XCR0_SSE))
		return false;
	return !(xcr0 & XCR0_AVX512) || ((xcr0 & XCR0_AVX512) == XCR0_AVX512 && (xcr0 & XCR0_AVX));
}

u64 cpu_policy_xcr0(const struct cpu_policy *p)
{
	const xen_cpuid_leaf_t *l = cpu_policy_find(p, 0xd, 0);

	return l ? l->a | (u64)l->d << 32 : 0;
}

static const xen_cpuid_leaf_t *component(const struct cpu_policy *p, u64 mask, unsigned int i)
{
	return mask & BIT(i) ? cpu_policy_find(p, 0xd, i) : NULL;
}

u32 cpu_policy_xsave_size(const struct cpu_policy *p, u64 mask)
{
	u32 size = LEGACY_SIZE;

	for (unsigned int i = FIRST_COMPONENT; i < NR_XCR0_BITS; i++) {
		const xen_cpuid_leaf_t *l = component(p, mask, i);

		if (l)
			size = max(size, l->b + l->a);
	}
	return size;
}

u32 cpu_policy_xsavec_size(const struct cpu_policy *p, u64 mask)
{
	u32 size = LEGACY_SIZE;

	for (unsigned int i = FIRST_COMPONENT; i < NR_XCR0_BITS; i++) {
		const xen_cpuid_leaf_t *l = component(p, mask, i);

		if (!l)
			continue;
		if (l->c & ALIGNED)
			size = ROUND_UP(size, COMPONENT_ALIGN);
		size += l->a;
	}
	return size;
}

void cpu_policy_set_xcr0(struct cpu_policy *p, u64 xcr0)
{
	for (unsigned int i = 0; i < p->nr; i++) {
		xen_cpuid_leaf_t *l = &p->leaf[i];
		const xen_cpuid_leaf_t *of_cpu;

		if (l->leaf != 0xd)
			continue;
		if (l->subleaf == 0) {
			l->a = (u32)xcr0;
			l->d = (u32)(xcr0 >> 32);
			l->b = l->c = xcr0 ? cpu_policy_xsave_size(&cpu_policy_host, xcr0) : 0;
		} else if (l->subleaf == 1) {
			l->b = l->a & XSAVEC ? cpu_policy_xsavec_size(&cpu_policy_host, xcr0) : 0;
			l->c = l->d = 0; /* no supervisor state */
		} else {
			of_cpu = component(&cpu_policy_host, xcr0, l->subleaf);
			l->a = of_cpu ? of_cpu->a : 0;
			l->b = of_cpu ? of_cpu->b : 0;
			l->c = of_cpu ? of_cpu->c & ALIGNED : 0;
			l->d = 0;
		}
	}
}
