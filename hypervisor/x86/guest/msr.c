/* SPDX-License-Identifier: MIT */
/*
 * Model-specific registers of guests: one row for each that a guest may access; any other is #GP.
 * The rows here are those that no kind of guest has for itself. They read as the hypervisor's
 * value. Writes that kernels make without need are ignored.
 */
#include "x86/guest/msr.h"

#include "lib/errno.h"
#include "x86/cpu/feature.h"
#include "x86/cpu/regs.h"

#define MSR_IA32_UCODE_REV     0x8b
#define MSR_IA32_MCG_CAP       0x179
#define MSR_IA32_MCG_STATUS    0x17a
#define MSR_PLATFORM_INFO      0xce
#define MSR_K7_HWCR	       0xc0010015
#define MSR_AMD64_LS_CFG       0xc0011020
#define MSR_F10H_DECFG	       0xc0011029
#define DECFG_LFENCE_SERIALISE BIT(1)

int msr_read_zero(const struct vcpu *v, u64 *value)
{
	*value = 0;
	return 0;
}

int msr_write_ignored(struct vcpu *v, u64 value)
{
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

static const struct msr_row common_table[] = {
	{ MSR_IA32_MISC_ENABLE, read_misc_enable, msr_write_ignored },
	{ MSR_IA32_UCODE_REV, read_ucode_rev, msr_write_ignored },
	{ MSR_IA32_MCG_CAP, msr_read_zero, NULL },
	{ MSR_IA32_MCG_STATUS, msr_read_zero, msr_write_ignored },
	{ MSR_PLATFORM_INFO, msr_read_zero, NULL },
	{ MSR_K7_HWCR, read_amd_zero, msr_write_ignored },
	{ MSR_AMD64_LS_CFG, read_amd_zero, msr_write_ignored },
	{ MSR_F10H_DECFG, read_decfg, msr_write_ignored },
};

static const struct msr_row *find_in(const struct msr_row *table, unsigned int nr, u32 msr)
{
	for (unsigned int i = 0; i < nr; i++)
		if (table[i].msr == msr)
			return &table[i];
	return NULL;
}

static const struct msr_row *find(const struct msr_row *table, unsigned int nr, u32 msr)
{
	return find_in(table, nr, msr) ?: find_in(common_table, ARRAY_SIZE(common_table), msr);
}

int guest_read_msr(const struct vcpu *v, const struct msr_row *table, unsigned int nr, u32 msr,
		   u64 *value)
{
	const struct msr_row *row = find(table, nr, msr);

	return row ? row->read(v, value) : -EINVAL;
}

int guest_write_msr(struct vcpu *v, const struct msr_row *table, unsigned int nr, u32 msr,
		    u64 value)
{
	const struct msr_row *row = find(table, nr, msr);

	return row && row->write ? row->write(v, value) : -EINVAL;
}
