/* SPDX-License-Identifier: MIT */
/*
 * The boot CPU's features, probed once. A later CPU that lacks any bit of its CPUID 1 ECX is a
 * panic.
 */
#ifndef X86_CPU_FEATURE_H
#define X86_CPU_FEATURE_H

#include "lib/types.h"

enum x86_vendor { VENDOR_INTEL, VENDOR_AMD, VENDOR_OTHER };

struct cpu_features {
	enum x86_vendor vendor;
	char vendor_name[13], brand[49];
	unsigned int family, model, stepping, max_leaf, max_ext_leaf;
	unsigned int paddr_bits;
	/*
	 * CPUID words by name: leaf 1 ECX, EDX; 7/0 EBX, ECX, EDX; 0x80000001 ECX, EDX; 0xd/1 EAX;
	 * 0x80000007 EDX; 0x80000008 EBX
	 */
	u32 l1c, l1d, l7b, l7c, l7d, e1c, e1d, xs1a, e7d, e8b;
	bool smep, smap, umip, fsgsbase, xsave, xsaveopt, x2apic, tsc_deadline, invariant_tsc,
		page1gb, pge;
	bool pcid, rdtscp, svm, vmx, syscall32, erms;
	u64 arch_capabilities; /* MSR 0x10a; 0 if there is none */
	/* XSAVE components that guests may have (of x87, SSE, AVX, AVX-512). */
	u64 xcr0_mask;
};
/* Components of XCR0 (SDM 1 13.1). */
#define XCR0_X87    0x01UL
#define XCR0_SSE    0x02UL
#define XCR0_AVX    0x04UL
#define XCR0_AVX512 0xe0UL
extern struct cpu_features cpu_features;

/* Boot CPU, before any other code reads cpu_features. */
void cpu_features_probe(void);
/*
 * Sets up this CPU: CR0, CR4, EFER, XCR0 and PAT as on every CPU, with SMEP, SMAP, UMIP, NX and WP.
 */
void cpu_features_enable(void);
/* The CR4 that the hypervisor and PV guests run with. */
extern unsigned long hv_cr4;

/* May XCR0 have this value, by XSETBV's rules (SDM 1 13.3) and with no bits beyond `may`? */
bool xcr0_is_valid(u64 xcr0, u64 may);

/* --- XSAVE state (x86/cpu/xstate.c) --- */
unsigned int xstate_size(void); /* bytes of a vCPU's image */
/* The bits of MXCSR that exist. CR0.TS must be clear at the first call. */
u32 xstate_mxcsr_mask(void);
void xstate_init_image(void *image); /* reset values: FCW 0x37f, MXCSR 0x1f80 */
void xstate_save(void *image, u64 mask);
void xstate_restore(void *image, u64 mask);
void xstate_cpu_init(void);	/* this CPU: forget its XCR0 */
void xstate_set_xcr0(u64 xcr0); /* writes only if this CPU's XCR0 differs */

#endif
