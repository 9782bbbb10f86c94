/* SPDX-License-Identifier: MIT */
/*
 * Model-specific registers of guests under hardware virtualization, as far as they exit. Those of
 * system calls and segment bases are the guest's own and do not.
 */
#include "x86/hvm/apic.h"
#include "x86/hvm/backend.h"

#include "hv/arch/frame.h"
#include "hv/arch/map.h"
#include "hv/frame.h"
#include "lib/errno.h"
#include "x86/cpu/feature.h"
#include "x86/cpu/regs.h"
#include "x86/guest/guest_ops.h"
#include "x86/guest/msr.h"
#include "x86/hvm/dev/mtrr.h"

#define MSR_HYPERCALL 0x40000000
#define EFER_GUEST    (EFER_SCE | EFER_LME | EFER_NX)

static int read_tsc(const struct vcpu *v, u64 *value)
{
	*value = rdtsc() + hvm_of(v)->tsc_offset;
	return 0;
}

static int read_tsc_aux(const struct vcpu *v, u64 *value)
{
	*value = v->arch->tsc_aux;
	return cpu_features.rdtscp ? 0 : -EINVAL;
}

static int write_tsc_aux(struct vcpu *v, u64 value)
{
	if (!cpu_features.rdtscp || value >> 32)
		return -EINVAL;
	guest_set_tsc_aux(v, value);
	return 0;
}

static int read_efer(const struct vcpu *v, u64 *value)
{
	*value = hvm_of(v)->efer;
	return 0;
}

/* LMA follows from LME and CR0.PG, and LME cannot change while paging is on (APM 2 14.6). */
static int write_efer(struct vcpu *v, u64 value)
{
	struct hvm_vcpu *hv = hvm_of(v);

	if ((value & ~(u64)(EFER_GUEST | EFER_LMA)) ||
	    ((value ^ hv->efer) & EFER_LME && (hv->cr0 & X86_CR0_PG)))
		return -EINVAL;
	hv->efer = (value & EFER_GUEST) | (hv->efer & EFER_LMA);
	hvm_backend->update_cr(v);
	return 0;
}

static int read_pat(const struct vcpu *v, u64 *value)
{
	struct hvm_msrs msrs;

	hvm_backend->get_msrs(v, &msrs);
	*value = msrs.pat;
	return 0;
}

static int write_pat(struct vcpu *v, u64 value)
{
	struct hvm_msrs msrs;

	if (!pat_is_valid(value))
		return -EINVAL;
	hvm_backend->get_msrs(v, &msrs);
	msrs.pat = value;
	hvm_backend->set_msrs(v, &msrs);
	return 0;
}

static int read_hypercall(const struct vcpu *v, u64 *value)
{
	*value = 0;
	return 0;
}

/* Fills the guest's page; the low bits of the value are the index of the page: there is one. */
static int write_hypercall(struct vcpu *v, u64 value)
{
	mfn_t mfn;
	struct page_info *pg;
	void *page;

	if (value & ~PAGE_MASK)
		return -EINVAL;
	pg = guest_frame_get(v->domain, GFN(value >> PAGE_SHIFT), &mfn);
	if (!pg)
		return -EINVAL;
	if (arch_page_get_writable(pg)) {
		page_put(pg);
		return -EINVAL;
	}
	page = map_frame(mfn);
	hvm_hypercall_page_init(page);
	unmap_frame(page);
	arch_page_put_writable(pg);
	page_put(pg);
	return 0;
}

static const struct msr_row table[] = {
	{ MSR_EFER, read_efer, write_efer },
	{ MSR_TSC_AUX, read_tsc_aux, write_tsc_aux },
	{ MSR_IA32_PAT, read_pat, write_pat },
	{ MSR_IA32_TSC, read_tsc, msr_write_ignored },
	{ MSR_HYPERCALL, read_hypercall, write_hypercall },
};

int hvm_read_msr(struct vcpu *v, u32 msr, u64 *value)
{
	if (hvm_apic_has_msr(msr))
		return hvm_apic_read_msr(v, msr, value);
	if (mtrr_has_msr(msr))
		return mtrr_read_msr(&hvm_of(v)->mtrr, msr, value);
	return guest_read_msr(v, table, ARRAY_SIZE(table), msr, value);
}

int hvm_write_msr(struct vcpu *v, u32 msr, u64 value)
{
	if (hvm_apic_has_msr(msr))
		return hvm_apic_write_msr(v, msr, value);
	if (mtrr_has_msr(msr))
		return mtrr_write_msr(&hvm_of(v)->mtrr, msr, value, hvm_phys_bits(v));
	return guest_write_msr(v, table, ARRAY_SIZE(table), msr, value);
}
