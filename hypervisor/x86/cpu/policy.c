/* SPDX-License-Identifier: MIT */
/*
 * CPU policies: the processor's own, the most that a PV guest may see of it, and changes by a
 * domain's builder. (Intel SDM volume 2, CPUID; AMD APM volume 3 appendix E;
 * xen/arch-x86/cpufeatureset.h names the features.)
 */
#include "x86/cpu/policy.h"

#include <xen/arch-x86/cpufeatureset.h>
#include "lib/errno.h"
#include "x86/cpu/feature.h"

#define MAX_BASIC_LEAF	  0xdU
#define FIRST_EXT_LEAF	  0x80000000U
#define MAX_EXT_LEAF	  0x80000021U
#define FEATURE(name)	  XEN_X86_FEATURE_##name
#define MAX_CACHE_LEAVES  8U
#define MAX_XSTATE_LEAVES 20U

struct cpu_policy cpu_policy_host;
struct cpu_policy cpu_policy_pv_max;
struct cpu_policy cpu_policy_hvm_max;

/*
 * The features that a PV guest may use: instructions of user space, and what its kernel can do in
 * ring 3. All others are hidden: virtualization; features that need control registers or MSRs that
 * the hypervisor keeps (SMEP, PCID, MTRR, machine checks, speculation controls); large and global
 * pages; and RDTSCP and RDPID, because a guest's kernel cannot set TSC_AUX.
 */
static const u16 pv_features[] = {
	/* clang-format off */
	FEATURE(FPU), FEATURE(DE), FEATURE(TSC), FEATURE(MSR), FEATURE(PAE), FEATURE(CX8), FEATURE(APIC), FEATURE(SEP),
	FEATURE(CMOV), FEATURE(PAT), FEATURE(CLFLUSH), FEATURE(MMX), FEATURE(FXSR), FEATURE(SSE), FEATURE(SSE2),
	FEATURE(SS), FEATURE(SSE3), FEATURE(PCLMULQDQ), FEATURE(SSSE3), FEATURE(FMA), FEATURE(CX16), FEATURE(SSE4_1),
	FEATURE(SSE4_2), FEATURE(MOVBE), FEATURE(POPCNT), FEATURE(AESNI), FEATURE(XSAVE), FEATURE(OSXSAVE), FEATURE(AVX),
	FEATURE(F16C), FEATURE(RDRAND), FEATURE(HYPERVISOR), FEATURE(SYSCALL), FEATURE(NX), FEATURE(MMXEXT),
	FEATURE(LM), FEATURE(3DNOWEXT), FEATURE(3DNOW), FEATURE(LAHF_LM), FEATURE(ABM), FEATURE(SSE4A),
	FEATURE(MISALIGNSSE), FEATURE(3DNOWPREFETCH), FEATURE(XOP), FEATURE(FMA4), FEATURE(TBM), FEATURE(XSAVEOPT),
	FEATURE(XSAVEC), FEATURE(XGETBV1), FEATURE(FSGSBASE), FEATURE(BMI1), FEATURE(AVX2), FEATURE(BMI2), FEATURE(ERMS),
	FEATURE(AVX512F), FEATURE(AVX512DQ), FEATURE(RDSEED), FEATURE(ADX), FEATURE(AVX512_IFMA), FEATURE(CLFLUSHOPT),
	FEATURE(CLWB), FEATURE(AVX512CD), FEATURE(SHA), FEATURE(AVX512BW), FEATURE(AVX512VL), FEATURE(PREFETCHWT1),
	FEATURE(AVX512_VBMI), FEATURE(AVX512_VBMI2), FEATURE(GFNI), FEATURE(VAES), FEATURE(VPCLMULQDQ),
	FEATURE(AVX512_VNNI), FEATURE(AVX512_BITALG), FEATURE(AVX512_VPOPCNTDQ), FEATURE(CLDEMOTE), FEATURE(MOVDIRI),
	FEATURE(MOVDIR64B), FEATURE(ITSC), FEATURE(CLZERO), FEATURE(RSTR_FP_ERR_PTRS), FEATURE(AVX_VNNI),
	FEATURE(AVX512_BF16), FEATURE(FZRM), FEATURE(FSRS), FEATURE(FSRCS), FEATURE(LFENCE_DISPATCH), FEATURE(NSCB),
	/* clang-format on */
};

/*
 * What a guest under hardware virtualization may use besides: its kernel has control registers and
 * page tables of its own. Still hidden: virtualization, machine checks, performance counters,
 * speculation controls, and what needs state that the hypervisor does not switch.
 */
static const u16 hvm_features[] = {
	/* clang-format off */
	FEATURE(VME), FEATURE(PSE), FEATURE(MCE), FEATURE(MTRR), FEATURE(PGE), FEATURE(MCA), FEATURE(PSE36),
	FEATURE(PCID), FEATURE(X2APIC), FEATURE(TSC_DEADLINE), FEATURE(SMEP), FEATURE(SMAP), FEATURE(INVPCID), FEATURE(UMIP),
	FEATURE(PAGE1GB), FEATURE(RDTSCP), FEATURE(RDPID), FEATURE(CR8_LEGACY),
	/* clang-format on */
};

/* The leaf and register of each word of a featureset; leaf 0: none. */
enum reg { REG_A, REG_B, REG_C, REG_D };
static const struct {
	u32 leaf, subleaf;
	enum reg reg;
} feature_words[CPU_POLICY_WORDS] = {
	[0] = { 1, 0, REG_D },		 [1] = { 1, 0, REG_C },
	[2] = { 0x80000001, 0, REG_D },	 [3] = { 0x80000001, 0, REG_C },
	[4] = { 0xd, 1, REG_A },	 [5] = { 7, 0, REG_B },
	[6] = { 7, 0, REG_C },		 [7] = { 0x80000007, 0, REG_D },
	[8] = { 0x80000008, 0, REG_B },	 [9] = { 7, 0, REG_D },
	[10] = { 7, 1, REG_A },		 [11] = { 0x80000021, 0, REG_A },
	[12] = { 7, 1, REG_B },		 [13] = { 7, 2, REG_D },
	[14] = { 7, 1, REG_C },		 [15] = { 7, 1, REG_D },
	[18] = { 0x80000021, 0, REG_C },
};

static u32 *leaf_reg(xen_cpuid_leaf_t *l, enum reg reg)
{
	u32 *regs[] = { &l->a, &l->b, &l->c, &l->d };

	return regs[reg];
}

static bool leaf_has_subleaves(u32 leaf)
{
	return leaf == 4 || leaf == 7 || leaf == 0xd || leaf == 0x8000001d;
}

const xen_cpuid_leaf_t *cpu_policy_find(const struct cpu_policy *p, u32 leaf, u32 subleaf)
{
	if (!leaf_has_subleaves(leaf))
		subleaf = XEN_CPUID_NO_SUBLEAF;
	for (unsigned int i = 0; i < p->nr; i++)
		if (p->leaf[i].leaf == leaf && p->leaf[i].subleaf == subleaf)
			return &p->leaf[i];
	return NULL;
}

void cpu_policy_featureset(const struct cpu_policy *p, u32 words[CPU_POLICY_WORDS])
{
	for (unsigned int i = 0; i < CPU_POLICY_WORDS; i++) {
		const xen_cpuid_leaf_t *l = NULL;

		if (feature_words[i].leaf)
			l = cpu_policy_find(p, feature_words[i].leaf, feature_words[i].subleaf);
		words[i] = l ? *leaf_reg((xen_cpuid_leaf_t *)l, feature_words[i].reg) : 0;
	}
}

/* --- the processor's own --- */

static void __init policy_add(struct cpu_policy *p, u32 leaf, u32 subleaf)
{
	struct cpuid_leaf r = cpuid(leaf, subleaf);

	if (p->nr == CPU_POLICY_LEAVES)
		return;
	p->leaf[p->nr++] = (xen_cpuid_leaf_t){
		.leaf = leaf,
		.subleaf = leaf_has_subleaves(leaf) ? subleaf : XEN_CPUID_NO_SUBLEAF,
		.a = r.a,
		.b = r.b,
		.c = r.c,
		.d = r.d,
	};
}

static void __init policy_read_host(struct cpu_policy *p)
{
	u32 max_basic = min(cpuid(0, 0).a, MAX_BASIC_LEAF), max_ext = cpuid(FIRST_EXT_LEAF, 0).a;

	for (u32 leaf = 0; leaf <= max_basic; leaf++) {
		switch (leaf) {
		case 4:
			for (u32 i = 0; i < MAX_CACHE_LEAVES && (cpuid(4, i).a & 0x1f); i++)
				policy_add(p, leaf, i);
			break;
		case 7:
			for (u32 i = 0; i <= min(cpuid(7, 0).a, 2U); i++)
				policy_add(p, leaf, i);
			break;
		case 0xb: /* topology: made for the vCPU when it asks */
			break;
		case 0xd:
			policy_add(p, leaf, 0);
			policy_add(p, leaf, 1);
			for (u32 i = 2; i < MAX_XSTATE_LEAVES; i++)
				if (cpu_features.xcr0_mask & BIT(i))
					policy_add(p, leaf, i);
			break;
		default:
			policy_add(p, leaf, 0);
		}
	}
	if (max_ext < FIRST_EXT_LEAF)
		return;
	for (u32 leaf = FIRST_EXT_LEAF; leaf <= min(max_ext, MAX_EXT_LEAF); leaf++)
		if (leaf != 0x8000001d)
			policy_add(p, leaf, 0);
}

/* --- the part that PV guests may see --- */

/* Restricts the fields that are not feature bits. A hidden leaf reads as zero. */
static void __init leaf_restrict(xen_cpuid_leaf_t *l)
{
	switch (l->leaf) {
	case 0:
		l->a = min(l->a, MAX_BASIC_LEAF);
		break;
	case 1:
		l->b &= 0x0000ff00; /* keep the CLFLUSH size; APIC ID and counts are the vCPU's */
		break;
	case 4:
		l->a &= 0x000003ff; /* one core, which shares no cache */
		break;
	case 7:
		if (l->subleaf == 0)
			l->a = min(l->a, 2U);
		else
			l->b = l->c = l->d = 0;
		break;
	case 2:
	case 0xd: /* made by policy_settle */
	case 0x80000002 ... 0x80000006:
		break;
	case FIRST_EXT_LEAF:
		l->a = min(l->a, MAX_EXT_LEAF);
		break;
	case 0x80000001:
		l->b = 0;
		break;
	case 0x80000007:
		l->a = l->b = l->c = 0;
		break;
	case 0x80000008:
		l->c = l->d = 0; /* the number of cores */
		break;
	case 0x80000021:
		l->b = l->c = l->d = 0;
		break;
	default:
		l->a = l->b = l->c = l->d = 0;
	}
}

static void policy_mask_features(struct cpu_policy *p, const u32 allowed[CPU_POLICY_WORDS])
{
	for (unsigned int i = 0; i < CPU_POLICY_WORDS; i++) {
		xen_cpuid_leaf_t *l;

		if (!feature_words[i].leaf)
			continue;
		l = (xen_cpuid_leaf_t *)cpu_policy_find(p, feature_words[i].leaf,
							feature_words[i].subleaf);
		if (l)
			*leaf_reg(l, feature_words[i].reg) &= allowed[i];
	}
}

/*
 * Features that need another feature: that feature itself, or the registers that it stands for. The
 * order matters: a feature comes after the feature that it needs.
 */
static const struct {
	u16 feature, needs;
} dependencies[] = {
	/* clang-format off */
	{ FEATURE(OSXSAVE), FEATURE(XSAVE) }, { FEATURE(XSAVEOPT), FEATURE(XSAVE) },
	{ FEATURE(XSAVEC), FEATURE(XSAVE) }, { FEATURE(XGETBV1), FEATURE(XSAVE) }, { FEATURE(AVX), FEATURE(XSAVE) },
	{ FEATURE(FMA), FEATURE(AVX) }, { FEATURE(FMA4), FEATURE(AVX) }, { FEATURE(XOP), FEATURE(AVX) },
	{ FEATURE(F16C), FEATURE(AVX) }, { FEATURE(VAES), FEATURE(AVX) }, { FEATURE(VPCLMULQDQ), FEATURE(AVX) },
	{ FEATURE(AVX2), FEATURE(AVX) }, { FEATURE(AVX_VNNI), FEATURE(AVX2) }, { FEATURE(AVX512F), FEATURE(AVX2) },
	{ FEATURE(AVX512DQ), FEATURE(AVX512F) }, { FEATURE(AVX512_IFMA), FEATURE(AVX512F) },
	{ FEATURE(AVX512CD), FEATURE(AVX512F) }, { FEATURE(AVX512BW), FEATURE(AVX512F) },
	{ FEATURE(AVX512VL), FEATURE(AVX512F) }, { FEATURE(AVX512_VBMI), FEATURE(AVX512F) },
	{ FEATURE(AVX512_VBMI2), FEATURE(AVX512F) }, { FEATURE(AVX512_VNNI), FEATURE(AVX512F) },
	{ FEATURE(AVX512_BITALG), FEATURE(AVX512F) }, { FEATURE(AVX512_VPOPCNTDQ), FEATURE(AVX512F) },
	{ FEATURE(AVX512_BF16), FEATURE(AVX512F) },
	/* clang-format on */
};

static bool words_have(const u32 words[CPU_POLICY_WORDS], unsigned int feature)
{
	return words[feature / 32] >> (feature % 32) & 1;
}

static void words_clear(u32 words[CPU_POLICY_WORDS], unsigned int feature)
{
	words[feature / 32] &= ~(1U << (feature % 32));
}

/*
 * Call after features were removed: removes the features that need them, and makes leaf 0xd for the
 * rest.
 */
static void policy_settle(struct cpu_policy *p)
{
	u32 words[CPU_POLICY_WORDS];
	u64 xcr0 = 0;

	cpu_policy_featureset(p, words);
	for (unsigned int i = 0; i < ARRAY_SIZE(dependencies); i++)
		if (!words_have(words, dependencies[i].needs))
			words_clear(words, dependencies[i].feature);
	policy_mask_features(p, words);
	if (words_have(words, FEATURE(XSAVE)))
		xcr0 = XCR0_X87 | XCR0_SSE | (words_have(words, FEATURE(AVX)) ? XCR0_AVX : 0) |
		       (words_have(words, FEATURE(AVX512F)) ? XCR0_AVX512 : 0);
	cpu_policy_set_xcr0(p, xcr0);
}

static void __init allow(u32 allowed[CPU_POLICY_WORDS], const u16 *features, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		allowed[features[i] / 32] |= 1U << (features[i] % 32);
}

static void __init make_max(struct cpu_policy *p, const u32 allowed[CPU_POLICY_WORDS])
{
	xen_cpuid_leaf_t *one;

	*p = cpu_policy_host;
	for (unsigned int i = 0; i < p->nr; i++)
		leaf_restrict(&p->leaf[i]);
	policy_mask_features(p, allowed);
	policy_settle(p);
	one = (xen_cpuid_leaf_t *)cpu_policy_find(p, 1, 0);
	one->c |= 1U << (FEATURE(HYPERVISOR) % 32);
}

void __init cpu_policy_init(void)
{
	u32 allowed[CPU_POLICY_WORDS] = { 0 };
	xen_cpuid_leaf_t *one;

	policy_read_host(&cpu_policy_host);
	allow(allowed, pv_features, ARRAY_SIZE(pv_features));
	/* Hide instructions whose registers the hypervisor does not save and restore. */
	if (!cpu_features.xsave)
		words_clear(allowed, FEATURE(XSAVE));
	if (!(cpu_features.xcr0_mask & XCR0_AVX))
		words_clear(allowed, FEATURE(AVX));
	if (!(cpu_features.xcr0_mask & XCR0_AVX512))
		words_clear(allowed, FEATURE(AVX512F));
	make_max(&cpu_policy_pv_max, allowed);

	allow(allowed, hvm_features, ARRAY_SIZE(hvm_features));
	make_max(&cpu_policy_hvm_max, allowed);
	/* Its local APIC is virtual, so the processor's need not have these. */
	one = (xen_cpuid_leaf_t *)cpu_policy_find(&cpu_policy_hvm_max, 1, 0);
	one->c |= 1U << (FEATURE(X2APIC) % 32) | 1U << (FEATURE(TSC_DEADLINE) % 32);
}

int cpu_policy_apply(struct cpu_policy *p, const struct cpu_policy *most,
		     const xen_cpuid_leaf_t *leaves, unsigned int nr, unsigned int *bad)
{
	struct cpu_policy next = *p;
	u32 allowed[CPU_POLICY_WORDS];

	for (unsigned int i = 0; i < nr; i++) {
		const xen_cpuid_leaf_t *in = &leaves[i];
		xen_cpuid_leaf_t *l;
		bool known = in->leaf <= MAX_BASIC_LEAF ||
			     (in->leaf >= FIRST_EXT_LEAF && in->leaf <= MAX_EXT_LEAF) ||
			     (in->leaf >> 16) == 0x4000;

		if (!known) {
			*bad = i;
			return -ERANGE;
		}
		l = (xen_cpuid_leaf_t *)cpu_policy_find(&next, in->leaf, in->subleaf);
		/*
		 * The hypervisor decides how many leaves there are. In leaf 0xd the builder decides
		 * only the features (subleaf 1).
		 */
		if (!l || in->leaf == 0 || in->leaf == FIRST_EXT_LEAF ||
		    (in->leaf == 0xd && in->subleaf != 1))
			continue;
		l->a = in->a;
		l->b = in->b;
		l->c = in->c;
		l->d = in->d;
	}
	cpu_policy_featureset(most, allowed);
	policy_mask_features(&next, allowed);
	policy_settle(&next);
	*p = next;
	return 0;
}
