/* SPDX-License-Identifier: MIT */
/* Memory type range registers: what may be written (SDM 3A 12.11.2, SDM 4 table 2-2). */
#include "x86/hvm/dev/mtrr.h"

#include "lib/errno.h"

#define MSR_CAP	     0xfe
#define MSR_VAR	     0x200 /* MTRR_VCNT pairs of base and mask */
#define MSR_FIX_64K  0x250
#define MSR_FIX_16K  0x258 /* two */
#define MSR_FIX_4K   0x268 /* eight */
#define MSR_DEF_TYPE 0x2ff

#define CAP	      (MTRR_VCNT | BIT(8) /* fixed ranges */ | BIT(10) /* WC */)
#define DEF_TYPE_BITS (BIT(11) /* enabled */ | BIT(10) /* fixed ranges, too */ | 0xff)
#define MASK_VALID    BIT(11)
#define PAT_RESET     0x0007040600070406UL

#define TYPES	  0x73U /* a bit for each: UC 0, WC 1, WT 4, WP 5, WB 6 */
#define PAT_TYPES (TYPES | 1U << 7)

static bool type_is_valid(u64 type, u32 types)
{
	return type < 8 && (types >> type & 1);
}

static bool types_are_valid(u64 value, u32 types)
{
	for (unsigned int i = 0; i < 8; i++)
		if (!type_is_valid(value >> (i * 8) & 0xff, types))
			return false;
	return true;
}

bool pat_is_valid(u64 value)
{
	return types_are_valid(value, PAT_TYPES);
}

static bool def_type_is_valid(u64 value)
{
	return !(value & ~DEF_TYPE_BITS) && type_is_valid(value & 0xff, TYPES);
}

/* The base has a type in its low byte, the mask a bit that says that the pair counts. */
static bool var_is_valid(unsigned int index, u64 value, unsigned int phys_bits)
{
	u64 reserved = ~(BIT(phys_bits) - 1);

	if (index % 2)
		return !(value & (reserved | (0xfff & ~MASK_VALID)));
	return !(value & (reserved | 0xf00)) && type_is_valid(value & 0xff, TYPES);
}

void mtrr_reset(struct hvm_hw_mtrr *m)
{
	*m = (struct hvm_hw_mtrr){ .msr_pat_cr = PAT_RESET, .msr_mtrr_cap = CAP };
}

/* Index into msr_mtrr_fixed, or -1. */
static int fixed_index(u32 msr)
{
	if (msr == MSR_FIX_64K)
		return 0;
	if (msr - MSR_FIX_16K < 2)
		return (int)(msr - MSR_FIX_16K) + 1;
	return msr - MSR_FIX_4K < 8 ? (int)(msr - MSR_FIX_4K) + 3 : -1;
}

bool mtrr_has_msr(u32 msr)
{
	return msr == MSR_CAP || msr == MSR_DEF_TYPE || msr - MSR_VAR < MTRR_VCNT * 2 ||
	       fixed_index(msr) >= 0;
}

int mtrr_read_msr(const struct hvm_hw_mtrr *m, u32 msr, u64 *value)
{
	if (msr == MSR_CAP)
		*value = m->msr_mtrr_cap;
	else if (msr == MSR_DEF_TYPE)
		*value = m->msr_mtrr_def_type;
	else if (msr - MSR_VAR < MTRR_VCNT * 2)
		*value = m->msr_mtrr_var[msr - MSR_VAR];
	else if (fixed_index(msr) >= 0)
		*value = m->msr_mtrr_fixed[fixed_index(msr)];
	else
		return -EINVAL;
	return 0;
}

int mtrr_write_msr(struct hvm_hw_mtrr *m, u32 msr, u64 value, unsigned int phys_bits)
{
	if (msr == MSR_DEF_TYPE && def_type_is_valid(value))
		m->msr_mtrr_def_type = value;
	else if (msr - MSR_VAR < MTRR_VCNT * 2 && var_is_valid(msr - MSR_VAR, value, phys_bits))
		m->msr_mtrr_var[msr - MSR_VAR] = value;
	else if (fixed_index(msr) >= 0 && types_are_valid(value, TYPES))
		m->msr_mtrr_fixed[fixed_index(msr)] = value;
	else
		return -EINVAL;
	return 0;
}

int mtrr_check_saved(const struct hvm_hw_mtrr *m, unsigned int phys_bits)
{
	if (m->msr_mtrr_cap != CAP || !def_type_is_valid(m->msr_mtrr_def_type) ||
	    !pat_is_valid(m->msr_pat_cr))
		return -EINVAL;
	for (unsigned int i = 0; i < ARRAY_SIZE(m->msr_mtrr_var); i++)
		if (!var_is_valid(i, m->msr_mtrr_var[i], phys_bits))
			return -EINVAL;
	for (unsigned int i = 0; i < ARRAY_SIZE(m->msr_mtrr_fixed); i++)
		if (!types_are_valid(m->msr_mtrr_fixed[i], TYPES))
			return -EINVAL;
	return 0;
}
