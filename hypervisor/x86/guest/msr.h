/* SPDX-License-Identifier: MIT */
/* Tables of model-specific registers, and the registers that are alike for every kind of guest. */
#ifndef X86_GUEST_MSR_H
#define X86_GUEST_MSR_H

#include "hv/domain.h"

/* One register that a guest may access. The functions return 0, or -errno: #GP. */
struct msr_row {
	u32 msr;
	int (*read)(const struct vcpu *v, u64 *value);
	int (*write)(struct vcpu *v, u64 value); /* NULL: read-only */
};
int msr_read_zero(const struct vcpu *v, u64 *value);
int msr_write_ignored(struct vcpu *v, u64 value);

/*
 * RDMSR and WRMSR of v, which is current: by the kind's own table of `nr` rows, then by the rows
 * for every kind. 0, or -EINVAL: #GP.
 */
int __must_check guest_read_msr(const struct vcpu *v, const struct msr_row *table, unsigned int nr,
				u32 msr, u64 *value);
int __must_check guest_write_msr(struct vcpu *v, const struct msr_row *table, unsigned int nr,
				 u32 msr, u64 value);

#endif
