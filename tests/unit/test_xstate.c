/* SPDX-License-Identifier: MIT */
/* links: hypervisor/lib/string.c hypervisor/lib/bitmap.c */
/*
 * Extended state (CPUID leaf 0xd) on a dozen processors. A guest is shown a state that agrees with
 * the processor, with what XSETBV accepts, with the features, and with what Linux computes. The
 * saved state of a vCPU can be restored.
 */
#include <stdlib.h>
#include "host/host.h"
#include "unit.h"

/* Replaces the instruction by the processor under test. */
#define cpuid cpuid_of_host
#include "x86/cpu/regs.h"
#undef cpuid
static struct cpuid_leaf cpuid(u32 leaf, u32 sub);

__asm__(".data\n\t.globl _alternatives_start, _alternatives_end\n_alternatives_start: "
	"_alternatives_end: .quad "
	"0\n\t.previous");

#include "hv/arch/guest.h"
#include "hv/arch/time.h"
#include "x86/cpu/clock.h"
#include "x86/cpu/feature.c"
#include "x86/cpu/xstate.c"
#include "x86/cpu/policy_xstate.c"
#include "x86/cpu/policy.c"
#include "x86/guest/cpuid.c"
#include "x86/guest/domctl_state.c"

/* --- the processors: their CPUID, with the layouts of SDM 1 13.5 and APM 2 11.5.2 --- */

#define F1C_XSAVE   BIT(26)
#define F1C_OSXSAVE BIT(27)
#define F1C_AVX	    BIT(28)
#define F1C_FMA	    BIT(12)
#define F1C_F16C    BIT(29)
#define F1C_BASE    0x00982203UL /* SSE3, PCLMULQDQ, SSSE3, CX16, SSE4.1, SSE4.2, POPCNT */
#define F1C_HASWELL (F1C_BASE | F1C_XSAVE | F1C_AVX | F1C_FMA | F1C_F16C)
#define F1D_BASE    0x178bfbffUL
#define F7B_AVX2    BIT(5)
#define F7B_MPX	    BIT(14)
#define F7B_AVX512  (BIT(16) | BIT(17) | BIT(28) | BIT(30) | BIT(31))
#define F7B_BASE    0x219UL /* FSGSBASE, BMI1, BMI2, ERMS */
#define F7C_PKU	    BIT(3)
#define F7C_VAES    (BIT(9) | BIT(10))
#define F7D_AMX	    (BIT(22) | BIT(24) | BIT(25))

#define INTEL 0x756e6547, 0x6c65746e, 0x49656e69
#define AMD   0x68747541, 0x444d4163, 0x69746e65

/* clang-format off */
enum { YMM = 2, BNDREGS, BNDCSR, OPMASK, ZMM_HI256, HI16_ZMM, PT, PKRU, PASID, CET_U, CET_S, TILECFG = 17, TILEDATA, LWP = 62 };
/* clang-format on */

struct component {
	unsigned int number;
	u32 size, offset, flags; /* flags: 1 supervisor, 2 aligned in the compacted format, 4 XFD */
};

static const struct processor {
	const char *name;
	u32 b, d, c; /* of leaf 0: the vendor */
	u32 signature, max_leaf, f1c, f7b, f7c, f7d, e1c;
	u64 xcr0, xss;
	/* 0xd/1 EAX: 1 XSAVEOPT, 2 XSAVEC, 4 XGETBV with ECX 1, 8 XSAVES, 16 XFD */
	u32 xsave_features;
	struct component components[12];
} processors[] = {
	/* clang-format off */
	{ "Westmere", INTEL, 0x206c2, 0xb, F1C_BASE, 0, 0, 0, 1, 0, 0, 0, { { 0 } } },
	{ "Sandy Bridge", INTEL, 0x206a7, 0xd, F1C_BASE | F1C_XSAVE | F1C_AVX, 0, 0, 0, 1, 7, 0, 1,
	  { { YMM, 256, 576, 0 } } },
	{ "Haswell", INTEL, 0x306c3, 0xd, F1C_HASWELL, F7B_BASE | F7B_AVX2, 0, 0, 0x21, 7, 0, 1,
	  { { YMM, 256, 576, 0 } } },
	{ "Skylake-S", INTEL, 0x506e3, 0x16, F1C_HASWELL, F7B_BASE | F7B_AVX2 | F7B_MPX, 0, 0, 0x121, 0x1f, 0x100,
	  0xf,
	  { { YMM, 256, 576, 0 }, { BNDREGS, 64, 960, 0 }, { BNDCSR, 64, 1024, 0 }, { PT, 128, 0, 1 } } },
	{ "Skylake-SP", INTEL, 0x50654, 0x16, F1C_HASWELL, F7B_BASE | F7B_AVX2 | F7B_MPX | F7B_AVX512, F7C_PKU, 0,
	  0x121, 0x2ff, 0x100, 0xf,
	  { { YMM, 256, 576, 0 }, { BNDREGS, 64, 960, 0 }, { BNDCSR, 64, 1024, 0 }, { OPMASK, 64, 1088, 0 },
	  { ZMM_HI256, 512, 1152, 0 }, { HI16_ZMM, 1024, 1664, 0 }, { PT, 128, 0, 1 }, { PKRU, 8, 2688, 0 } } },
	{ "Ice Lake-SP", INTEL, 0x606a6, 0x1b, F1C_HASWELL, F7B_BASE | F7B_AVX2 | F7B_AVX512, F7C_PKU | F7C_VAES, 0,
	  0x121, 0x2e7, 0x100, 0xf,
	  { { YMM, 256, 576, 0 }, { OPMASK, 64, 1088, 0 }, { ZMM_HI256, 512, 1152, 0 }, { HI16_ZMM, 1024, 1664, 0 },
	  { PT, 128, 0, 1 }, { PKRU, 8, 2688, 0 } } },
	{ "Sapphire Rapids", INTEL, 0x806f8, 0x20, F1C_HASWELL, F7B_BASE | F7B_AVX2 | F7B_AVX512,
	  F7C_PKU | F7C_VAES, F7D_AMX, 0x121, 0x602e7, 0x1d00, 0x1f,
	  { { YMM, 256, 576, 0 }, { OPMASK, 64, 1088, 0 }, { ZMM_HI256, 512, 1152, 0 }, { HI16_ZMM, 1024, 1664, 0 },
	  { PT, 128, 0, 1 }, { PKRU, 8, 2688, 0 }, { PASID, 8, 0, 1 }, { CET_U, 16, 0, 1 }, { CET_S, 24, 0, 1 },
	  { TILECFG, 64, 2752, 2 }, { TILEDATA, 8192, 2816, 6 } } },
	{ "Alder Lake", INTEL, 0x90672, 0x20, F1C_HASWELL, F7B_BASE | F7B_AVX2, F7C_PKU | F7C_VAES, 0, 0x121, 0x207,
	  0x1900, 0xf,
	  { { YMM, 256, 576, 0 }, { PT, 128, 0, 1 }, { PKRU, 8, 2688, 0 }, { CET_U, 16, 0, 1 },
	  { CET_S, 24, 0, 1 } } },
	{ "Bulldozer", AMD, 0x600f12, 0xd, F1C_BASE | F1C_XSAVE | F1C_AVX, 0, 0, 0, 0x1c9bfff, 7 | BIT(LWP), 0, 0,
	  { { YMM, 256, 576, 0 }, { LWP, 128, 832, 0 } } },
	{ "Steamroller", AMD, 0x630f01, 0xd, F1C_HASWELL, 0x9, 0, 0, 0x1c9bfff, 7 | BIT(LWP), 0, 1,
	  { { YMM, 256, 576, 0 }, { LWP, 128, 832, 0 } } },
	{ "Zen 1", AMD, 0x800f11, 0xd, F1C_HASWELL, F7B_BASE | F7B_AVX2, 0, 0, 0x1ff, 7, 0, 0xf,
	  { { YMM, 256, 576, 0 } } },
	{ "Zen 2", AMD, 0x830f10, 0x10, F1C_HASWELL, F7B_BASE | F7B_AVX2, 0, 0, 0x1ff, 7, 0, 0xf,
	  { { YMM, 256, 576, 0 } } },
	{ "Zen 3", AMD, 0xa20f10, 0x10, F1C_HASWELL, F7B_BASE | F7B_AVX2, F7C_PKU | F7C_VAES, 0, 0x1ff, 0x207,
	  0x1800, 0xf,
	  { { YMM, 256, 576, 0 }, { PKRU, 8, 2432, 0 }, { CET_U, 16, 0, 1 }, { CET_S, 24, 0, 1 } } },
	{ "Zen 4", AMD, 0xa60f12, 0x10, F1C_HASWELL, F7B_BASE | F7B_AVX2 | F7B_AVX512, F7C_PKU | F7C_VAES, 0, 0x1ff,
	  0x2e7, 0x1800, 0xf,
	  { { YMM, 256, 576, 0 }, { OPMASK, 64, 832, 0 }, { ZMM_HI256, 512, 896, 0 }, { HI16_ZMM, 1024, 1408, 0 },
	  { PKRU, 8, 2432, 0 }, { CET_U, 16, 0, 1 }, { CET_S, 24, 0, 1 } } },
	{ "Bochs corei7_skylake_x", INTEL, 0x50654, 0x16, F1C_HASWELL, F7B_BASE | F7B_AVX2 | F7B_AVX512, F7C_PKU, 0,
	  0x121, 0x2e7, 0, 0xf,
	  { { YMM, 256, 576, 0 }, { OPMASK, 64, 1088, 0 }, { ZMM_HI256, 512, 1152, 0 }, { HI16_ZMM, 1024, 1664, 0 },
	  { PKRU, 8, 2688, 0 } } },
	{ "QEMU TCG", AMD, 0x60fb1, 0xd, F1C_HASWELL, F7B_BASE | F7B_AVX2 | F7B_MPX, F7C_PKU | F7C_VAES, 0, 0x1ff,
	  0x21f, 0, 5,
	  { { YMM, 256, 576, 0 }, { BNDREGS, 64, 960, 0 }, { BNDCSR, 64, 1024, 0 }, { PKRU, 8, 2688, 0 } } },
	/* Not a real processor, but the architecture allows it: another order, and an alignment
	 * within the compacted format. */
	{ "a future one", INTEL, 0xf0000, 0x20, F1C_HASWELL, F7B_BASE | F7B_AVX2 | F7B_AVX512, 0, 0, 0x121, 0xe7, 0,
	  3,
	  { { YMM, 256, 2624, 0 }, { OPMASK, 72, 576, 0 }, { ZMM_HI256, 512, 1600, 2 },
	  { HI16_ZMM, 520, 1024, 2 } } },
	/* clang-format on */
};

static const struct processor *cpu;
static u64 live_xcr0;

static const struct component *cpu_component(unsigned int number)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(cpu->components); i++)
		if (number && cpu->components[i].number == number)
			return &cpu->components[i];
	return NULL;
}

/* SDM 1 13.4.2: each component has its own offset. */
static u32 size_of_standard(u64 mask)
{
	u32 size = 576;

	for (unsigned int i = 2; i < 63; i++) {
		const struct component *c = mask & BIT(i) ? cpu_component(i) : NULL;

		if (c && !(c->flags & 1))
			size = max(size, c->offset + c->size);
	}
	return size;
}

/* SDM 1 13.4.3: components follow each other, some at the next multiple of 64. */
static u32 size_of_compacted(u64 mask)
{
	u32 size = 576;

	for (unsigned int i = 2; i < 63; i++) {
		const struct component *c = mask & BIT(i) ? cpu_component(i) : NULL;

		if (c)
			size = (c->flags & 2 ? (size + 63) & ~63U : size) + c->size;
	}
	return size;
}

static struct cpuid_leaf cpuid_xstate(u32 sub)
{
	const struct component *c = cpu_component(sub);

	switch (sub) {
	case 0:
		return (struct cpuid_leaf){ (u32)cpu->xcr0, size_of_standard(live_xcr0),
					    size_of_standard(cpu->xcr0), (u32)(cpu->xcr0 >> 32) };
	case 1:
		return (struct cpuid_leaf){ cpu->xsave_features,
					    cpu->xsave_features & 0xa ?
						    size_of_compacted(live_xcr0) :
						    0,
					    (u32)cpu->xss, (u32)(cpu->xss >> 32) };
	default:
		return c ? (struct cpuid_leaf){ c->size, c->offset, c->flags, 0 } :
			   (struct cpuid_leaf){ 0 };
	}
}

static struct cpuid_leaf cpuid(u32 leaf, u32 sub)
{
	switch (leaf) {
	case 0:
		return (struct cpuid_leaf){ cpu->max_leaf, cpu->b, cpu->c, cpu->d };
	case 1:
		return (struct cpuid_leaf){ cpu->signature, 0x10800,
					    cpu->f1c | (cpu->f1c & F1C_XSAVE ? F1C_OSXSAVE : 0),
					    F1D_BASE };
	case 7:
		return sub ? (struct cpuid_leaf){ 0 } :
			     (struct cpuid_leaf){ 0, cpu->f7b, cpu->f7c, cpu->f7d };
	case 0xd:
		return cpu->xcr0 ? cpuid_xstate(sub) : (struct cpuid_leaf){ 0 };
	case 0x80000000:
		return (struct cpuid_leaf){ 0x80000008, 0, 0, 0 };
	case 0x80000001:
		return (struct cpuid_leaf){ 0, 0, cpu->e1c, 0x2c100800 };
	case 0x80000008:
		return (struct cpuid_leaf){ 0x3027, 0, 0, 0 };
	default:
		return (struct cpuid_leaf){ 0 };
	}
}

/* --- the rest of the hypervisor --- */

static struct domain guest;
static struct arch_domain guest_arch;
static struct vcpu vcpu;
static struct domain controllers;
static struct vcpu controller = { .domain = &controllers };
static struct vcpu *vcpus[1] = { &vcpu };
static struct arch_vcpu vcpu_arch;

void spin_set_unfair(void)
{
}
int rdmsr_safe(u32 msr, u64 *v)
{
	return -EFAULT;
}
void vcpu_pause(struct vcpu *v)
{
}
void vcpu_unpause(struct vcpu *v)
{
}
void arch_vcpu_sync_state(struct vcpu *v)
{
}
void time_get_calibration(struct time_calibration *out)
{
}
u64 time_tsc_khz(void)
{
	return 2000000;
}

static void forget_processor(void)
{
	free(vcpu_arch.xstate);
	free(guest_arch.cpu_policy);
	vcpu_arch.xstate = guest_arch.cpu_policy = NULL;
}

/* Boots the hypervisor on that processor, and makes a guest with a vCPU. */
static void boot_on(const struct processor *p)
{
	forget_processor();
	cpu = p;
	live_xcr0 = p->xcr0;
	memset(&cpu_features, 0, sizeof(cpu_features));
	memset(&cpu_policy_host, 0, sizeof(cpu_policy_host));
	memset(&cpu_policy_pv_max, 0, sizeof(cpu_policy_pv_max));
	cpu_features_probe();
	live_xcr0 = cpu_features.xcr0_mask;
	cpu_policy_init();
	host_cpus_init(1);
	current = &controller;
	guest = (struct domain){ .id = 1, .arch = &guest_arch, .vcpus = vcpus, .max_vcpus = 1 };
	guest_arch = (struct arch_domain){ .cpu_policy = malloc(sizeof(struct cpu_policy)) };
	*guest_arch.cpu_policy = cpu_policy_pv_max;
	vcpu = (struct vcpu){ .domain = &guest, .arch = &vcpu_arch };
	vcpu_arch = (struct arch_vcpu){ .xcr0 = 1, .xcr0_accum = 3, .xstate = calloc(1, 16384) };
	xstate_init_image(vcpu_arch.xstate);
}

/* --- the guest --- */

/* Feature numbers that the public header does not name. */
enum { XFD = 4 * 32 + 4, AMX_BF16 = 9 * 32 + 22, AMX_TILE = 9 * 32 + 24, AMX_INT8 = 9 * 32 + 25 };

static struct cpuid_leaf shown(u32 leaf, u32 sub)
{
	struct cpuid_leaf l;

	guest_cpuid(&vcpu, leaf, sub, &l);
	return l;
}

static bool shown_feature(unsigned int feature)
{
	u32 words[CPU_POLICY_WORDS];

	cpu_policy_featureset(guest_arch.cpu_policy, words);
	return words[feature / 32] >> (feature % 32) & 1;
}

static bool guest_xsetbv(u64 xcr0)
{
	if (!xcr0_is_valid(xcr0, cpu_policy_xcr0(guest_arch.cpu_policy)))
		return false;
	live_xcr0 = vcpu_arch.xcr0 = xcr0;
	vcpu_arch.xcr0_accum |= xcr0;
	return true;
}

#define EXPECT(cond)                                                                            \
	do {                                                                                    \
		if (!(cond))                                                                    \
			fail_msg("%s, %s, XCR0 %#lx: not true: %s", cpu->name, what, live_xcr0, \
				 #cond);                                                        \
	} while (0)

/* SDM 1 13.3, and SDM 2 XSETBV. */
static bool hardware_accepts(u64 xcr0)
{
	u64 avx512 = xcr0 & 0xe0, mpx = xcr0 & 0x18, amx = xcr0 & 0x60000;

	return (xcr0 & 1) && !(xcr0 & ~cpu->xcr0) && (!(xcr0 & 4) || (xcr0 & 2)) &&
	       (!avx512 || (avx512 == 0xe0 && (xcr0 & 4))) && (!mpx || mpx == 0x18) &&
	       (!amx || amx == 0x60000);
}

static void check_leaf(const char *what, u64 max)
{
	struct cpuid_leaf l = shown(0xd, 0), one = shown(0xd, 1);

	EXPECT(l.b == cpuid(0xd, 0).b);
	EXPECT(l.c == size_of_standard(max));
	EXPECT(l.c <= xstate_size());
	/* There is no supervisor state, so XSAVEC needs as much as XSAVES would. */
	EXPECT(one.c == 0 && one.d == 0);
	EXPECT(one.b == (one.a & 2 ? size_of_compacted(live_xcr0) : 0));
	EXPECT(!(one.a & ~(cpu->xsave_features & 7)));
}

static void check_components(const char *what, u64 max)
{
	for (unsigned int i = 2; i < 64; i++) {
		struct cpuid_leaf l = shown(0xd, i), of_cpu = cpuid(0xd, i);

		if (max & BIT(i))
			EXPECT(l.a == of_cpu.a && l.b == of_cpu.b && l.c == (of_cpu.c & 2) &&
			       l.d == 0);
		else
			EXPECT(!l.a && !l.b && !l.c && !l.d);
	}
}

/* A shown feature means that its registers can be enabled, and the reverse. */
static void check_features(const char *what, u64 max)
{
	static const u16 avx[] = { FEATURE(AVX2),	FEATURE(FMA),	   FEATURE(F16C),
				   FEATURE(FMA4),	FEATURE(XOP),	   FEATURE(VAES),
				   FEATURE(VPCLMULQDQ), FEATURE(AVX_VNNI), FEATURE(AVX512F) };
	static const u16 avx512[] = { FEATURE(AVX512DQ),    FEATURE(AVX512BW),
				      FEATURE(AVX512VL),    FEATURE(AVX512CD),
				      FEATURE(AVX512_VBMI), FEATURE(AVX512_VNNI),
				      FEATURE(AVX512_BF16) };
	static const u16 never[] = { FEATURE(MPX),    FEATURE(PKU),    FEATURE(LWP),
				     FEATURE(XSAVES), FEATURE(ENQCMD), XFD,
				     AMX_BF16,	      AMX_TILE,	       AMX_INT8 };

	EXPECT(shown_feature(FEATURE(XSAVE)) == (max != 0));
	EXPECT(shown_feature(FEATURE(OSXSAVE)) == (max != 0));
	EXPECT(shown_feature(FEATURE(AVX)) == !!(max & 4));
	EXPECT(shown_feature(FEATURE(AVX512F)) == !!(max & 0xe0));
	for (unsigned int i = 0; i < ARRAY_SIZE(avx); i++)
		EXPECT(!shown_feature(avx[i]) || (max & 4));
	for (unsigned int i = 0; i < ARRAY_SIZE(avx512); i++)
		EXPECT(!shown_feature(avx512[i]) || (max & 0xe0) == 0xe0);
	for (unsigned int i = 0; i < ARRAY_SIZE(never); i++)
		EXPECT(!shown_feature(never[i]));
}

/*
 * Does what Linux 5.19 and later do (fpu__init_system_xstate): chooses the components to enable,
 * computes the size of both formats, and compares it with what the processor says. Returns the
 * components; 0: Linux turns XSAVE off.
 */
static u64 linux_boots(const char *what)
{
	static const struct {
		unsigned int component, feature;
		u32 size;
	} known[] = { { YMM, FEATURE(AVX), 256 },
		      { BNDREGS, FEATURE(MPX), 64 },
		      { BNDCSR, FEATURE(MPX), 64 },
		      { OPMASK, FEATURE(AVX512F), 64 },
		      { ZMM_HI256, FEATURE(AVX512F), 512 },
		      { HI16_ZMM, FEATURE(AVX512F), 1024 },
		      { PKRU, FEATURE(PKU), 8 } };
	bool compacted = shown_feature(FEATURE(XSAVEC)) || shown_feature(FEATURE(XSAVES));
	struct cpuid_leaf l = shown(0xd, 0);
	u64 may = l.a | (u64)l.d << 32, use = 3;
	u32 standard_end = 576, compacted_end = 576;

	if (!shown_feature(FEATURE(XSAVE)) || shown(0, 0).a < 0xd || (may & 3) != 3)
		return 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(known); i++)
		if ((may & BIT(known[i].component)) && shown_feature(known[i].feature))
			use |= BIT(known[i].component);
	EXPECT(guest_xsetbv(use));
	for (unsigned int i = 0; i < ARRAY_SIZE(known); i++) {
		if (!(use & BIT(known[i].component)))
			continue;
		l = shown(0xd, known[i].component);
		if (cpu != &processors[ARRAY_SIZE(processors) - 1])
			EXPECT(l.a == known[i].size);
		standard_end = max(standard_end, l.a + l.b);
		compacted_end = (l.c & 2 ? ROUND_UP(compacted_end, 64U) : compacted_end) + l.a;
	}
	if (shown(0xd, 0).b != standard_end)
		return 0;
	return compacted && shown(0xd, 1).b != compacted_end ? 0 : use;
}

/* The guest's policy against its processor, for every possible XCR0. */
static void check_guest(const char *what, u64 max)
{
	struct cpuid_leaf l = shown(0xd, 0);

	EXPECT((l.a | (u64)l.d << 32) == max);
	EXPECT(max == 0 || (max & 3) == 3);
	check_features(what, max);
	check_components(what, max);
	for (u64 bits = 0; bits < 1 << 12; bits++) {
		/* All bits of XCR0 that any processor has: 0 to 9, both of AMX, LWP. */
		u64 xcr0 = (bits & 0x3ff) | (bits & 0x400 ? 0x60000UL : 0) |
			   (bits & 0x800 ? BIT(62) : 0);

		EXPECT(xcr0_is_valid(xcr0, cpu_policy_xcr0(guest_arch.cpu_policy)) ==
		       (hardware_accepts(xcr0) && !(xcr0 & ~max)));
		if (guest_xsetbv(xcr0))
			check_leaf(what, max);
	}
	EXPECT(!xcr0_is_valid(max | BIT(63), cpu_policy_xcr0(guest_arch.cpu_policy)));
	EXPECT(linux_boots(what) == max);
}

static void each_processor(void (*check)(void))
{
	for (unsigned int i = 0; i < ARRAY_SIZE(processors); i++) {
		boot_on(&processors[i]);
		check();
	}
	forget_processor();
}

/* The components that a PV guest may have on this processor. */
static u64 allowed(void)
{
	return cpu->xcr0 & 0xe7;
}

/* --- tests --- */

static void check_default(void)
{
	check_guest("as it is", allowed());
}

static void a_guest_is_shown_what_the_processor_does(void **state)
{
	each_processor(check_default);
}

/* A domain builder's list of leaves, without some features. */
static void build_without(const u16 *features, unsigned int nr)
{
	u32 words[CPU_POLICY_WORDS];
	struct cpu_policy asked = cpu_policy_pv_max;
	unsigned int bad;

	cpu_policy_featureset(&asked, words);
	for (unsigned int i = 0; i < nr; i++)
		words[features[i] / 32] &= ~(1U << (features[i] % 32));
	policy_mask_features(&asked, words);
	assert_int_equal(cpu_policy_apply(guest_arch.cpu_policy, &cpu_policy_pv_max, asked.leaf,
					  asked.nr, &bad),
			 0);
}

static void check_reduced(void)
{
	static const u16 none[] = { FEATURE(XSAVE) }, avx[] = { FEATURE(AVX) },
			 avx2[] = { FEATURE(AVX2) }, avx512[] = { FEATURE(AVX512F) },
			 xsavec[] = { FEATURE(XSAVEC) },
			 opt[] = { FEATURE(XSAVEOPT), FEATURE(XGETBV1) };

	build_without(xsavec, 1);
	assert_false(shown_feature(FEATURE(XSAVEC)));
	check_guest("without XSAVEC", allowed());
	build_without(opt, 2);
	assert_false(shown_feature(FEATURE(XSAVEOPT)) || shown_feature(FEATURE(XGETBV1)));
	check_guest("without XSAVEOPT", allowed());
	build_without(avx512, 1);
	check_guest("without AVX-512", allowed() & 7);
	build_without(avx2, 1);
	check_guest("without AVX2", allowed() & 7);
	build_without(avx, 1);
	check_guest("without AVX", allowed() & 3);
	build_without(none, 1);
	check_guest("without XSAVE", 0);
	/* Removed features can be given back. */
	build_without(NULL, 0);
	check_guest("with all again", allowed());
}

static void what_a_builder_takes_away_is_gone_everywhere(void **state)
{
	each_processor(check_reduced);
}

/* A builder that lies about sizes, or asks for what does not exist. */
static void check_greedy(void)
{
	struct cpu_policy asked = cpu_policy_pv_max;
	unsigned int bad;

	for (unsigned int i = 0; i < asked.nr; i++) {
		if (asked.leaf[i].leaf == 1)
			asked.leaf[i].c = ~0U;
		if (asked.leaf[i].leaf == 7 || asked.leaf[i].leaf == 0xd)
			asked.leaf[i].a = asked.leaf[i].b = asked.leaf[i].c = asked.leaf[i].d = ~0U;
	}
	assert_int_equal(cpu_policy_apply(guest_arch.cpu_policy, &cpu_policy_pv_max, asked.leaf,
					  asked.nr, &bad),
			 0);
	check_guest("with all that was asked for", allowed());
}

static void a_builder_adds_nothing(void **state)
{
	each_processor(check_greedy);
}

/* --- saving and restoring --- */

static u8 saved[32768] __aligned(64);

static u64 save_vcpu(void)
{
	struct xen_domctl op = { 0 };
	u64 size;

	assert_int_equal(domctl_get_xstate(&guest, &op), 0);
	size = op.u.vcpuextstate.size;
	assert_true(size <= sizeof(saved));
	if (!size)
		return 0;
	op.u.vcpuextstate.buffer.p = (u64 *)saved;
	memset(saved, 0x5a, sizeof(saved));
	assert_int_equal(domctl_get_xstate(&guest, &op), 0);
	assert_int_equal(saved[size], 0x5a);
	return size;
}

static long restore_vcpu(u64 size)
{
	struct xen_domctl op = { 0 };

	op.u.vcpuextstate.size = size;
	op.u.vcpuextstate.buffer.p = (u64 *)saved;
	return domctl_set_xstate(&guest, &op);
}

/* Fills the registers and marks all components as in use; plain XSAVE may mark even those in their
 * initial state. */
static void use_registers(u64 bv)
{
	u32 mxcsr = xstate_mxcsr_mask();

	for (unsigned int i = 32; i < xstate_size(); i++)
		if (i < 512 || i >= 576)
			((u8 *)vcpu_arch.xstate)[i] = (u8)(i * 7);
	memcpy((u8 *)vcpu_arch.xstate + 24, &mxcsr, sizeof(mxcsr));
	memcpy((u8 *)vcpu_arch.xstate + 512, &bv, sizeof(bv));
}

static void check_round_trip(void)
{
	static const u64 values[] = { 1, 3, 7, 0xe7 };
	u64 size, bv;

	for (unsigned int i = 0; i < ARRAY_SIZE(values) && cpu->xcr0; i++) {
		if (values[i] & ~allowed())
			continue;
		boot_on(cpu);
		assert_true(guest_xsetbv(values[i]));
		use_registers(cpu_features.xcr0_mask);
		size = save_vcpu();
		/* The image has only what the vCPU used, so it fits a smaller processor. */
		assert_int_equal(size, 16 + size_of_standard(values[i] | 3));
		memset(vcpu_arch.xstate, 0, xstate_size());
		vcpu_arch.xcr0 = vcpu_arch.xcr0_accum = 1;
		assert_int_equal(restore_vcpu(size), 0);
		assert_int_equal(vcpu_arch.xcr0, values[i]);
		assert_int_equal(vcpu_arch.xcr0_accum, values[i] | 3);
		assert_memory_equal(vcpu_arch.xstate, saved + 16, size - 16);
		memcpy(&bv, (u8 *)vcpu_arch.xstate + 512, sizeof(bv));
		assert_int_equal(bv, values[i] | 3);
	}
}

static void a_saved_vcpu_can_be_restored(void **state)
{
	each_processor(check_round_trip);
}

/* A guest that was shown only an old processor's features moves to it from any newer one. */
static void a_guest_with_less_moves_to_a_lesser_processor(void **state)
{
	static const u16 avx512[] = { FEATURE(AVX512F) };
	const struct processor *old = &processors[1];
	u64 size;

	for (unsigned int i = 1; i < ARRAY_SIZE(processors) - 1; i++) {
		boot_on(&processors[i]);
		build_without(avx512, 1);
		assert_int_equal(linux_boots("to be moved"), 7);
		use_registers(cpu_features.xcr0_mask);
		size = save_vcpu();
		boot_on(old);
		if (restore_vcpu(size))
			fail_msg("from %s: %lu bytes are refused", processors[i].name, size);
	}
	forget_processor();
}

/* Images on which XRSTOR would fault are refused. */
static void check_bad_images(void)
{
	u64 size;

	if (!cpu->xcr0)
		return;
	assert_true(guest_xsetbv(allowed()));
	size = save_vcpu();
#define REFUSED(offset, value)                                                        \
	do {                                                                          \
		u8 was = saved[offset];                                               \
		saved[offset] = (value);                                              \
		if (restore_vcpu(size) != -EINVAL)                                    \
			fail_msg("%s: byte %u may be %#x", cpu->name, offset, value); \
		saved[offset] = was;                                                  \
	} while (0)
	REFUSED(0, 2);		  /* XCR0 without x87 */
	REFUSED(0, 5);		  /* AVX without SSE */
	REFUSED(0, 0x27);	  /* a part of AVX-512 */
	REFUSED(1, 2);		  /* PKRU, which a guest has not */
	REFUSED(8, 1);		  /* XCR0_accum is less than XCR0 */
	REFUSED(9, 2);		  /* a component that no guest has */
	REFUSED(16 + 512 + 1, 2); /* XSTATE_BV */
	REFUSED(16 + 512 + 7, 0x40);
	REFUSED(16 + 520 + 7, 0x80); /* XCOMP_BV: compacted */
	REFUSED(16 + 575, 1);
	REFUSED(16 + 27, 0x80); /* MXCSR */
	assert_int_equal(restore_vcpu(size - 1), -EINVAL);
	assert_int_equal(restore_vcpu(16 + 575), -EINVAL);
	assert_int_equal(restore_vcpu(16 + xstate_size() + 1), -EINVAL);
	assert_int_equal(restore_vcpu(15), -EINVAL);
	assert_int_equal(restore_vcpu(size), 0);
}

static void an_image_that_xrstor_refuses_is_refused(void **state)
{
	each_processor(check_bad_images);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guest_is_shown_what_the_processor_does),
		cmocka_unit_test(what_a_builder_takes_away_is_gone_everywhere),
		cmocka_unit_test(a_builder_adds_nothing),
		cmocka_unit_test(a_saved_vcpu_can_be_restored),
		cmocka_unit_test(a_guest_with_less_moves_to_a_lesser_processor),
		cmocka_unit_test(an_image_that_xrstor_refuses_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
