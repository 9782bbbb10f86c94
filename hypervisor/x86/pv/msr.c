/* SPDX-License-Identifier: MIT */
/*
 * Model-specific registers that PV guests have in a way of their own. Segment bases are the real
 * registers; those of system calls and of the memory's types are the hypervisor's.
 */
#include "x86/pv/msr.h"

#include "lib/errno.h"
#include "x86/guest/msr.h"
#include "x86/pv/bounce.h"

#define MSR_MTRR_CAP	  0xfe
#define MSR_MTRR_DEF_TYPE 0x2ff
#define APIC_BASE_ENABLED 0xfee00800UL
#define APIC_BASE_BSP	  BIT(8)

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

/* The search is linear, so the MSRs that Linux accesses at each context switch come first. */
static const struct msr_row msr_table[] = {
	{ MSR_SHADOW_GS_BASE, read_shadow_gs_base, write_shadow_gs_base },
	{ MSR_FS_BASE, read_fs_base, write_fs_base },
	{ MSR_GS_BASE, read_gs_base, write_gs_base },
	{ MSR_EFER, read_efer, msr_write_ignored },
	{ MSR_STAR, msr_read_zero, msr_write_ignored },
	{ MSR_LSTAR, msr_read_zero, msr_write_ignored },
	{ MSR_CSTAR, msr_read_zero, msr_write_ignored },
	{ MSR_SYSCALL_MASK, msr_read_zero, msr_write_ignored },
	{ MSR_IA32_SYSENTER_CS, msr_read_zero, msr_write_ignored },
	{ MSR_IA32_SYSENTER_ESP, msr_read_zero, msr_write_ignored },
	{ MSR_IA32_SYSENTER_EIP, msr_read_zero, msr_write_ignored },
	{ MSR_IA32_PAT, read_pat, msr_write_ignored },
	{ MSR_IA32_APIC_BASE, read_apic_base, msr_write_ignored },
	{ MSR_IA32_TSC, read_tsc, msr_write_ignored },
	{ MSR_MTRR_CAP, msr_read_zero, NULL },
	{ MSR_MTRR_DEF_TYPE, msr_read_zero, NULL },
};

int pv_read_msr(const struct vcpu *v, u32 msr, u64 *value)
{
	return guest_read_msr(v, msr_table, ARRAY_SIZE(msr_table), msr, value);
}

int pv_write_msr(struct vcpu *v, u32 msr, u64 value)
{
	return guest_write_msr(v, msr_table, ARRAY_SIZE(msr_table), msr, value);
}
