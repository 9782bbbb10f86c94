/* SPDX-License-Identifier: MIT */
/*
 * Puts the guards against processor faults into effect: which are on (lib/cpu_guards.c), the code
 * that runs on each way to a guest, registers of each CPU, and what boot says of faults.
 */
#include "x86/cpu/guards.h"

#include "hv/arch/control.h"
#include "hv/atomic.h"
#include "hv/cmdline.h"
#include "hv/console.h"
#include "lib/string.h"
#include "x86/cpu/feature.h"
#include "x86/cpu/regs.h"

#include <xen/sysctl.h>

#define MSR_AMD_PATCH_LEVEL 0x8b
#define MSR_AMD_DE_CFG	    0xc0011029
#define DE_CFG_LFENCE	    BIT(1) /* LFENCE waits for all earlier instructions */
#define DE_CFG_ZENBLEED	    BIT(9)
#define SPEC_CTRL_IBRS	    BIT(0)
#define SPEC_CTRL_BHI_DIS_S BIT(10)
#define E21A_LFENCE_ALWAYS  BIT(2)
#define FIRST_EXT_LEAF	    0x80000000U

u32 cpu_guards;
static struct cpu_facts facts __initdata;
static u32 faults __initdata;

/* --- code --- */

struct guard_site {
	u64 addr;
	u32 length, guards;
};
extern const struct guard_site _guard_sites_start[], _guard_sites_end[];

/* Recommended no-ops of 1 to 9 bytes (SDM 2B, NOP). */
static u8 nops[9][9] __initdata = {
	{ 0x90 },
	{ 0x66, 0x90 },
	{ 0x0f, 0x1f, 0x00 },
	{ 0x0f, 0x1f, 0x40, 0x00 },
	{ 0x0f, 0x1f, 0x44, 0x00, 0x00 },
	{ 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00 },
	{ 0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00 },
	{ 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00 },
	{ 0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00 },
};

static void __init patch_guard_sites(void)
{
	for (const struct guard_site *s = _guard_sites_start; s < _guard_sites_end; s++) {
		if (s->guards & cpu_guards)
			continue;
		BUG_ON(s->length - 1 >= ARRAY_SIZE(nops));
		memcpy((void *)s->addr, nops[s->length - 1], s->length);
	}
}

/* --- decisions --- */

/* Does the processor have this leaf? For any other leaf CPUID does not return zeros. */
static bool has_leaf(u32 leaf, u32 subleaf)
{
	if (leaf >= FIRST_EXT_LEAF)
		return leaf <= cpu_features.max_ext_leaf;
	return leaf <= cpu_features.max_leaf && (leaf != 7 || subleaf <= cpuid(7, 0).a);
}

static void __init collect_facts(void)
{
	u64 value;

	facts.arch_capabilities = cpu_features.arch_capabilities;
	for (unsigned int i = 0; i < cpu_fault_nr_leaves; i++) {
		u32 leaf = cpu_fault_leaves[i].leaf, subleaf = cpu_fault_leaves[i].subleaf;
		struct cpuid_leaf l;

		if (!has_leaf(leaf, subleaf))
			continue;
		l = cpuid(leaf, subleaf);
		cpu_facts_add_leaf(&facts, leaf, subleaf, l.a, l.b, l.c, l.d);
	}
	if (cpu_features.vendor == VENDOR_AMD && !rdmsr_safe(MSR_AMD_PATCH_LEVEL, &value))
		facts.microcode = (u32)value;
}

void __init cpu_guards_init(void)
{
	collect_facts();
	faults = cpu_faults_find(&facts);
	cpu_guards = cpu_guards_choose(&facts, faults, &boot_options.guards);
	patch_guard_sites();
}

/* --- registers --- */

/* LFENCE waits for all earlier instructions: on every processor of AMD's, once its bit is set. */
static bool lfence_needs_a_bit(void)
{
	/* Families 0xf and 0x11 have no such bit: their LFENCE always waits. */
	return cpu_features.family >= 0x10 && cpu_features.family != 0x11 &&
	       !(has_leaf(0x80000021, 0) && (cpuid(0x80000021, 0).a & E21A_LFENCE_ALWAYS));
}

/* 0, or -EFAULT: a virtual machine may lack the register, or refuse the bit. */
static int set_de_cfg(u64 bit)
{
	u64 value;
	int err = rdmsr_safe(MSR_AMD_DE_CFG, &value);

	return err || (value & bit) ? err : wrmsr_safe(MSR_AMD_DE_CFG, value | bit);
}

static void enable_amd(void)
{
	if (lfence_needs_a_bit())
		(void)set_de_cfg(DE_CFG_LFENCE);
	/* Boot then names the fault among those that are left. */
	if ((cpu_guards & CPU_GUARD_ZENBLEED) && set_de_cfg(DE_CFG_ZENBLEED))
		atomic_and(&cpu_guards, ~(u32)CPU_GUARD_ZENBLEED);
	if (cpu_guards & CPU_GUARD_IBRS)
		wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_AUTO_IBRS);
}

void cpu_guards_enable(void)
{
	u64 spec_ctrl = cpu_guards & CPU_GUARD_BHI_DIS_S ? SPEC_CTRL_BHI_DIS_S : 0;

	if (cpu_features.vendor == VENDOR_AMD) {
		enable_amd();
		return;
	}
	/* Guests do not have this register, so it stays as it is while they run. */
	if (cpu_guards & CPU_GUARD_IBRS)
		spec_ctrl |= SPEC_CTRL_IBRS;
	if (spec_ctrl)
		wrmsr(MSR_IA32_SPEC_CTRL, spec_ctrl);
}

/* --- what boot says --- */

static void __init report_guards(void)
{
	char text[160] = "";
	size_t len = 0;

	for (u32 guard = 1; guard & CPU_GUARD_ALL; guard <<= 1) {
		if (!(cpu_guards & guard))
			continue;
		if (len)
			len += str_copy(text + len, ", ", sizeof(text) - len);
		len += str_copy(text + len, cpu_guard_name(guard), sizeof(text) - len);
	}
	log_info("guards against faults of processors: %s", len ? text : "none");
}

static void __init report_wishes(void)
{
	u32 missing = boot_options.guards.on & ~cpu_guards;

	for (u32 guard = 1; guard & CPU_GUARD_ALL; guard <<= 1)
		if (missing & guard)
			log_warn("the processor has no %s, which the command line asks for",
				 cpu_guard_name(guard));
}

void __init cpu_guards_report(void)
{
	struct xen_sysctl_physinfo info = { 0 };
	u32 left, with;

	arch_physinfo(&info);
	facts.threads = info.threads_per_core > 1;
	left = cpu_faults_left(&facts, faults, cpu_guards);
	for (unsigned int i = 0; i < CPU_FAULTS; i++) {
		enum cpu_fault fault = (enum cpu_fault)i;

		with = cpu_fault_guards(&facts, fault, cpu_guards);
		if (left & 1U << i)
			log_warn(
				"processors of this kind have %s: %s%s", cpu_fault_title(fault),
				cpu_fault_meaning(fault),
				with ? "; between the threads of a core nothing guards against it" :
				       "");
		else if (faults & 1U << i)
			log_info("%s guards against %s", cpu_guard_name(with),
				 cpu_fault_title(fault));
	}
	report_guards();
	report_wishes();
	if (left)
		log_warn("Xenolith does not guard against that: run no strangers' guests on this "
			 "machine");
}
