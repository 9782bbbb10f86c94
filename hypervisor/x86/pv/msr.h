/* SPDX-License-Identifier: MIT */
#ifndef X86_PV_MSR_H
#define X86_PV_MSR_H

#include "x86/pv/pv.h"

/* RDMSR and WRMSR of the current vCPU's kernel. 0, or -errno: #GP. */
int __must_check pv_read_msr(const struct vcpu *v, u32 msr, u64 *value);
int __must_check pv_write_msr(struct vcpu *v, u32 msr, u64 value);

#endif
