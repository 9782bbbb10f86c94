/* SPDX-License-Identifier: MIT */
/*
 * The memory type range registers of a virtual processor (SDM 3A 12.11) and its PAT. Pure. They are
 * kept and checked, and have no effect: a guest of this kind has RAM and no devices, so nested
 * paging maps all of it write-back, and the types of the guest's PAT apply (APM 2 15.25.8).
 */
#ifndef X86_HVM_DEV_MTRR_H
#define X86_HVM_DEV_MTRR_H

#include "lib/types.h" /* before the public headers, which need its names */

#include <xen/xen.h>
#include <xen/hvm/save.h>

/* As after power-up: disabled, everything uncached; the PAT that the manual gives. */
void mtrr_reset(struct hvm_hw_mtrr *m);
/* Is it a MSR of these? PAT is not. */
bool mtrr_has_msr(u32 msr);
/* 0, or -EINVAL: #GP. phys_bits: the width of the guest's physical addresses, 32 to 52. */
int __must_check mtrr_read_msr(const struct hvm_hw_mtrr *m, u32 msr, u64 *value);
int __must_check mtrr_write_msr(struct hvm_hw_mtrr *m, u32 msr, u64 value, unsigned int phys_bits);
/* Can the record be loaded: does each register have a value that could have been written? */
int __must_check mtrr_check_saved(const struct hvm_hw_mtrr *m, unsigned int phys_bits);
/* Eight types: UC 0, WC 1, WT 4, WP 5, WB 6, UC- 7 (SDM 3A 12.12.2). */
bool pat_is_valid(u64 value);

#endif
