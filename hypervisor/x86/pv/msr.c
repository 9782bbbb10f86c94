/* SPDX-License-Identifier: MIT */
/*
 * Model-specific registers of PV guests: one row for each that a guest may access; any other is
 * #GP. Segment bases are the real registers. The rest read as the hypervisor's value. Writes that
 * kernels make without need are ignored.
 */
#include "x86/pv/msr.h"

#include "lib/errno.h"
#include "x86/cpu/feature.h"
#include "x86/pv/bounce.h"

#define MSR_IA32_UCODE_REV     0x8b
#define MSR_MTRR_CAP	       0xfe
#define MSR_MTRR_DEF_TYPE      0x2ff
#define MSR_IA32_MCG_CAP       0x179
#define MSR_IA32_MCG_STATUS    0x17a
#define MSR_PLATFORM_INFO      0xce
#define MSR_K7_HWCR	       0xc0010015
#define MSR_AMD64_LS_CFG       0xc0011020
#define MSR_F10H_DECFG	       0xc0011029
#define DECFG_LFENCE_SERIALISE BIT(1)
#define APIC_BASE_ENABLED      0xfee00800UL
#define APIC_BASE_BSP	       BIT(8)

struct msr_row {
	u32 msr;
	int (*read)(const struct vcpu *v, u64 *value);
	int (*write)(struct vcpu *v, u64 value);
};

static int read_zero(const struct vcpu *v, u64 *value)
{
	*value = 0;
	return 0;
}

static int write_ignored(struct vcpu *v, u64 value)
{
	return 0;
}

static int read_fs_base(const struct vcpu *v, u64 *value)
{
	*value = pv_read_fs_base();
	return 0;
}

static int read_gs_base(const struct vcpu *v, u64 *value)
{
	*value = pv_read_gs_base();
	return 0;
}

static int read_shadow_gs_base(const struct vcpu *v, u64 *value)
{
	*value = pv_read_shadow_gs_base();
	return 0;
}

static int write_fs_base(struct vcpu *v, u64 value)
{
	if (!is_canonical(value))
		return -EINVAL;
	pv_write_fs_base(value);
	return 0;
}

static int write_gs_base(struct vcpu *v, u64 value)
{
	if (!is_canonical(value))
		return -EINVAL;
	pv_write_gs_base(value);
	return 0;
}

static int write_shadow_gs_base(struct vcpu *v, u64 value)
{
	if (!is_canonical(value))
		return -EINVAL;
	pv_write_shadow_gs_base(value);
	return 0;
}

static int read_efer(const struct vcpu *v, u64 *value)
{
	*value = EFER_SCE | EFER_LME | EFER_LMA | EFER_NX;
	return 0;
}

static int read_pat(const struct vcpu *v, u64 *value)
{
	*value = rdmsr(MSR_IA32_PAT);
	return 0;
}

static int read_apic_base(const struct vcpu *v, u64 *value)
{
	*value = APIC_BASE_ENABLED | (v->id == 0 ? APIC_BASE_BSP : 0);
	return 0;
}

static int read_tsc(const struct vcpu *v, u64 *value)
{
	*value = rdtsc();
	return 0;
}

static int read_misc_enable(const struct vcpu *v, u64 *value)
{
	if (cpu_features.vendor != VENDOR_INTEL)
		return -EINVAL;
	return rdmsr_safe(MSR_IA32_MISC_ENABLE, value);
}

static int read_ucode_rev(const struct vcpu *v, u64 *value)
{
	return rdmsr_safe(MSR_IA32_UCODE_REV, value);
}

/* LFENCE is serialising: the hypervisor has set it up so, or the processor always does that. */
static int read_decfg(const struct vcpu *v, u64 *value)
{
	if (cpu_features.vendor != VENDOR_AMD)
		return -EINVAL;
	*value = DECFG_LFENCE_SERIALISE;
	return 0;
}

static int read_amd_zero(const struct vcpu *v, u64 *value)
{
	*value = 0;
	return cpu_features.vendor == VENDOR_AMD ? 0 : -EINVAL;
}

/* The search is linear, so the MSRs that Linux accesses at each context switch come first. */
static const struct msr_row msr_table[] = {
	{ MSR_SHADOW_GS_BASE, read_shadow_gs_base, write_shadow_gs_base },
	{ MSR_FS_BASE, read_fs_base, write_fs_base },
	{ MSR_GS_BASE, read_gs_base, write_gs_base },
	{ MSR_EFER, read_efer, write_ignored },
	{ MSR_STAR, read_zero, write_ignored },
	{ MSR_LSTAR, read_zero, write_ignored },
	{ MSR_CSTAR, read_zero, write_ignored },
	{ MSR_SYSCALL_MASK, read_zero, write_ignored },
	{ MSR_IA32_SYSENTER_CS, read_zero, write_ignored },
	{ MSR_IA32_SYSENTER_ESP, read_zero, write_ignored },
	{ MSR_IA32_SYSENTER_EIP, read_zero, write_ignored },
	{ MSR_IA32_PAT, read_pat, write_ignored },
	{ MSR_IA32_APIC_BASE, read_apic_base, write_ignored },
	{ MSR_IA32_TSC, read_tsc, write_ignored },
	{ MSR_IA32_MISC_ENABLE, read_misc_enable, write_ignored },
	{ MSR_IA32_UCODE_REV, read_ucode_rev, write_ignored },
	{ MSR_MTRR_CAP, read_zero, NULL },
	{ MSR_MTRR_DEF_TYPE, read_zero, NULL },
	{ MSR_IA32_MCG_CAP, read_zero, NULL },
	{ MSR_IA32_MCG_STATUS, read_zero, write_ignored },
	{ MSR_PLATFORM_INFO, read_zero, NULL },
	{ MSR_K7_HWCR, read_amd_zero, write_ignored },
	{ MSR_AMD64_LS_CFG, read_amd_zero, write_ignored },
	{ MSR_F10H_DECFG, read_decfg, write_ignored },
};

static const struct msr_row *msr_find(u32 msr)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(msr_table); i++)
		if (msr_table[i].msr == msr)
			return &msr_table[i];
	return NULL;
}

int pv_read_msr(const struct vcpu *v, u32 msr, u64 *value)
{
	const struct msr_row *row = msr_find(msr);

	return row ? row->read(v, value) : -EINVAL;
}

int pv_write_msr(struct vcpu *v, u32 msr, u64 value)
{
	const struct msr_row *row = msr_find(msr);

	return row && row->write ? row->write(v, value) : -EINVAL;
}
