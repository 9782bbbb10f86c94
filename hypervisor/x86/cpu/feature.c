/* SPDX-License-Identifier: MIT */
/* Probes the boot CPU's features and sets up each CPU's control registers to match. */
#include "x86/cpu/feature.h"

#include "hv/console.h"
#include "hv/spinlock.h"
#include "lib/string.h"
#include "x86/cpu/regs.h"

struct cpu_features cpu_features;
unsigned long hv_cr4;

#define XCR0_GUESTS (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512)

/*
 * WB, WT, UC-, UC as after reset, then WC, WP, UC, UC, as PV guests expect in entries 4 to 7 (Linux
 * reads the PAT).
 */
#define PAT_VALUE 0x050100070406UL

static void probe_names(struct cpu_features *f)
{
	struct cpuid_leaf l = cpuid(0, 0);

	f->max_leaf = l.a;
	memcpy(f->vendor_name, &l.b, 4);
	memcpy(f->vendor_name + 4, &l.d, 4);
	memcpy(f->vendor_name + 8, &l.c, 4);
	f->vendor = VENDOR_OTHER;
	if (!strcmp(f->vendor_name, "GenuineIntel"))
		f->vendor = VENDOR_INTEL;
	else if (!strcmp(f->vendor_name, "AuthenticAMD") || !strcmp(f->vendor_name, "HygonGenuine"))
		f->vendor = VENDOR_AMD;
	f->max_ext_leaf = cpuid(0x80000000, 0).a;
	if (f->max_ext_leaf >= 0x80000004) {
		for (u32 i = 0; i < 3; i++) {
			l = cpuid(0x80000002 + i, 0);
			memcpy(f->brand + i * sizeof(l), &l, sizeof(l));
		}
	}
}

/* Family, model and stepping as the manuals compose them (SDM 2A, CPUID, figure 3-6). */
static void probe_model(struct cpu_features *f, u32 signature)
{
	f->family = (signature >> 8) & 15;
	f->model = (signature >> 4) & 15;
	f->stepping = signature & 15;
	if (f->family == 15 || f->family == 6)
		f->model |= (signature >> 12) & 0xf0;
	if (f->family == 15)
		f->family += (signature >> 20) & 0xff;
}

static void probe_words(struct cpu_features *f)
{
	struct cpuid_leaf l = cpuid(1, 0);

	probe_model(f, l.a);
	f->l1c = l.c;
	f->l1d = l.d;
	if (f->max_leaf >= 7) {
		l = cpuid(7, 0);
		f->l7b = l.b;
		f->l7c = l.c;
		f->l7d = l.d;
	}
	l = cpuid(0x80000001, 0);
	f->e1c = l.c;
	f->e1d = l.d;
	if (f->max_ext_leaf >= 0x80000007)
		f->e7d = cpuid(0x80000007, 0).d;
	f->paddr_bits = 36;
	if (f->max_ext_leaf >= 0x80000008) {
		l = cpuid(0x80000008, 0);
		f->paddr_bits = min(l.a & 0xff, 52U);
		f->e8b = l.b;
	}
}

static bool has(u32 word, unsigned int bit)
{
	return (word >> bit) & 1;
}

static void probe_flags(struct cpu_features *f)
{
	f->smep = has(f->l7b, 7);
	f->smap = has(f->l7b, 20);
	f->umip = has(f->l7c, 2);
	f->fsgsbase = has(f->l7b, 0);
	f->erms = has(f->l7b, 9);
	f->xsave = has(f->l1c, 26);
	f->x2apic = has(f->l1c, 21);
	f->tsc_deadline = has(f->l1c, 24);
	f->invariant_tsc = has(f->e7d, 8);
	f->page1gb = has(f->e1d, 26);
	f->rdtscp = has(f->e1d, 27);
	f->svm = has(f->e1c, 2);
	f->vmx = has(f->l1c, 5);
	f->pge = has(f->l1d, 13);
	f->pcid = has(f->l1c, 17);
	f->arch_capabilities = has(f->l7d, 29) ? rdmsr(MSR_IA32_ARCH_CAPS) : 0;
	f->syscall32 = f->vendor == VENDOR_AMD; /* Intel's SYSCALL works in 64-bit mode only */
	if (f->xsave && f->max_leaf >= 0xd) {
		struct cpuid_leaf l = cpuid(0xd, 0);

		f->xcr0_mask = (l.a | (u64)l.d << 32) & XCR0_GUESTS;
		if ((f->xcr0_mask & XCR0_AVX512) != XCR0_AVX512)
			f->xcr0_mask &= ~XCR0_AVX512;
		f->xs1a = cpuid(0xd, 1).a;
		f->xsaveopt = has(f->xs1a, 0);
	} else {
		f->xsave = false;
	}
}

struct smap_site {
	u64 addr, is_clac;
};
extern const struct smap_site _alternatives_start[], _alternatives_end[];

/* Runs on the boot page tables, where code is still writable, before any other CPU runs. */
static void __init patch_smap_sites(void)
{
	static const u8 stac_insn[3] = { 0x0f, 0x01, 0xcb }, clac_insn[3] = { 0x0f, 0x01, 0xca };

	for (const struct smap_site *s = _alternatives_start; s < _alternatives_end; s++)
		memcpy((void *)s->addr, s->is_clac ? clac_insn : stac_insn, 3);
}

void __init cpu_features_probe(void)
{
	struct cpu_features *f = &cpu_features;
	const char *brand = f->brand;

	probe_names(f);
	probe_words(f);
	probe_flags(f);
	if (!has(f->l1d, 24) || !has(f->l1d, 9) || !has(f->e1d, 11) || !has(f->e1d, 20))
		panic("the processor lacks FXSAVE, a local APIC, SYSCALL or no-execute pages");
	hv_cr4 = X86_CR4_PAE | X86_CR4_MCE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT | X86_CR4_DE |
		 (f->pge ? X86_CR4_PGE : 0) | (f->smep ? X86_CR4_SMEP : 0) |
		 (f->smap ? X86_CR4_SMAP : 0) | (f->umip ? X86_CR4_UMIP : 0) |
		 (f->fsgsbase ? X86_CR4_FSGSBASE : 0) | (f->xsave ? X86_CR4_OSXSAVE : 0);
	if (f->smap)
		patch_smap_sites();
	if (has(f->l1c, 31)) /* SDM and APM leave this bit to hypervisors, which set it */
		spin_set_unfair();
	while (*brand == ' ')
		brand++;
	log_info("processor: %s %s family %u model %u stepping %u%s%s%s%s%s", f->vendor_name, brand,
		 f->family, f->model, f->stepping, f->smep ? " SMEP" : "", f->smap ? " SMAP" : "",
		 f->umip ? " UMIP" : "", f->xsave ? " XSAVE" : "", f->x2apic ? " x2APIC" : "");
}

void cpu_features_enable(void)
{
	u64 efer = rdmsr(MSR_EFER) | EFER_SCE | EFER_NX;

	if (cpuid(1, 0).c != cpu_features.l1c) {
		/* OSXSAVE (bit 27) follows CR4; all others must be the boot CPU's. */
		u32 missing = cpu_features.l1c & ~cpuid(1, 0).c & ~(u32)BIT(27);

		if (missing)
			panic("a processor lacks features of the boot processor (CPUID 1 ECX %#x)",
			      missing);
	}
	write_cr0(X86_CR0_PE | X86_CR0_MP | X86_CR0_ET | X86_CR0_NE | X86_CR0_WP | X86_CR0_AM |
		  X86_CR0_PG);
	write_cr4(hv_cr4);
	wrmsr(MSR_EFER, efer);
	wrmsr(MSR_IA32_PAT, PAT_VALUE);
	if (cpu_features.xsave) {
		xstate_cpu_init();
		xstate_set_xcr0(cpu_features.xcr0_mask);
	}
}
